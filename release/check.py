"""`make release-check`: that all places name one version, and that the workflows run what they pin.

    python -m release.check [TAG]

With a tag, it has to be the one of that version, and the changelog has to call the version released.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from release.version import NOTHING, PLACES, SOURCE, version

ROOT = Path(__file__).parents[1]
CHANGELOG = "CHANGELOG.md"
_PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
_NOT_RELEASED = re.compile("not released|unreleased", re.IGNORECASE)


def versions(root: Path) -> dict[str, str]:
    """The version as each place has it."""
    newest = re.search(r"^## \[?(\d+\.\d+\.\d+)", (root / CHANGELOG).read_text(encoding="utf-8"), re.MULTILINE)
    return {
        SOURCE: version(root),
        **{place.name: place.read((root / place.path).read_text(encoding="utf-8")) for place in PLACES},
        CHANGELOG: newest.group(1) if newest else NOTHING,
    }


def unpinned(workflows: Path) -> Iterator[str]:
    """Each `uses:` of a workflow that is not pinned by a commit, with its version beside it."""
    for file in sorted(workflows.glob("*.yaml")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if "uses:" in line and not _PINNED.search(line):
                yield f"{file.name}:{number}: {line.strip()}"


def problems(root: Path, tag: str | None = None) -> list[str]:
    """What is wrong with the versions, one line each.

    Args:
        root: the repository.
        tag: what is released; nothing while it is worked on.
    """
    found = versions(root)
    if len(set(found.values())) > 1:
        return [f"{place} says {version}" for place, version in found.items()]
    if tag is None:
        return []
    wrong = []
    wanted = f"v{found[SOURCE]}"
    if tag != wanted:
        wrong.append(f"the tag is {tag}, and what all places say makes it {wanted}")
    newest = re.search(r"^## .*$", (root / CHANGELOG).read_text(encoding="utf-8"), re.MULTILINE)
    if newest and _NOT_RELEASED.search(newest.group()):
        wrong.append(f"{CHANGELOG} begins with {newest.group()!r}: give it the day of the release")
    return wrong


def main(arguments: Sequence[str]) -> int:
    """Look at all; returns the exit code."""
    tag = arguments[0] if arguments else None
    wrong = [*problems(ROOT, tag), *unpinned(ROOT / ".github" / "workflows")]
    well = f"all places say {versions(ROOT)[SOURCE]}"
    sys.stdout.write("".join(f"release-check: {line}\n" for line in wrong or [well]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
