"""`make release-check`: that all places name one version, and that the workflows run what they pin."""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
_PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


def versions(root: Path) -> dict[str, str]:
    """The version as each place has it."""

    def text(path: str) -> str:
        return (root / path).read_text(encoding="utf-8")

    def found(pattern: str, path: str) -> str:
        match = re.search(pattern, text(path), re.MULTILINE)
        return match.group(1) if match else "nothing"

    chart = yaml.safe_load(text("charts/spout-operator/Chart.yaml"))
    image = yaml.safe_load(text("deploy/base/kustomization.yaml"))["images"][0]
    return {
        "pyproject.toml": tomllib.loads(text("pyproject.toml"))["project"]["version"],
        "operator/spout_operator/__init__.py": found(r'^__version__ = "(.*)"', "operator/spout_operator/__init__.py"),
        "Dockerfile": found(r"^ARG VERSION=(.*)$", "Dockerfile"),
        "Chart.yaml, version": chart["version"],
        "Chart.yaml, appVersion": chart["appVersion"],
        "deploy/base/kustomization.yaml": image["newTag"],
        "CHANGELOG.md": found(r"^## \[?(\d+\.\d+\.\d+)", "CHANGELOG.md"),
    }


def unpinned(workflows: Path) -> Iterator[str]:
    """Each `uses:` of a workflow that is not pinned by a commit, with its version beside it."""
    for file in sorted(workflows.glob("*.yaml")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if "uses:" in line and not _PINNED.search(line):
                yield f"{file.name}:{number}: {line.strip()}"


def main() -> int:
    """Look at all; returns the exit code."""
    found = versions(ROOT)
    wrong = [] if len(set(found.values())) == 1 else [f"{place} says {version}" for place, version in found.items()]
    wrong += list(unpinned(ROOT / ".github" / "workflows"))
    sys.stdout.write("".join(f"release-check: {line}\n" for line in wrong or [f"all places say {found['Dockerfile']}"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
