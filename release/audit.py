"""`make audit`: known vulnerabilities of what is pinned, told apart from what could not be asked.

pip-audit ends with 0 where its service knew nothing of a package, so its exit code is not enough.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
ADVISORIES = ROOT / "release" / "advisories.toml"
REQUIREMENTS = ROOT / "requirements.txt"
CLEAN, FOUND, NOT_ASKED = 0, 1, 3


def judge(report: Mapping[str, Any], explained: Iterable[Mapping[str, str]]) -> tuple[int, list[str]]:
    """What a report of pip-audit (its JSON) means.

    Args:
        report: what pip-audit found.
        explained: the entries of advisories.toml.

    Returns:
        0 where all findings are explained and all explanations apply, 1 where not, 3 where packages could not be
        asked about and nothing worse was found; and what to tell.
    """
    known = {(entry["package"], entry["id"]) for entry in explained}
    used: set[tuple[str, str]] = set()
    unexplained, skipped = [], []
    for dependency in report["dependencies"]:
        name = dependency["name"]
        if "skip_reason" in dependency:
            skipped.append(name)
        for finding in dependency.get("vulns", ()):
            matches = {(name, one) for one in (finding["id"], *finding["aliases"])} & known
            used |= matches
            if not matches:
                fixed = ", ".join(finding["fix_versions"]) or "no version yet"
                unexplained.append(f"{name} {dependency['version']}: {finding['id']}, fixed in {fixed}")
    lines = [f"not explained in release/advisories.toml: {one}" for one in unexplained]
    stale = {entry for entry in known - used if entry[0] not in skipped}
    lines += [f"explained, and not found any more: {package} {name}; take it out" for package, name in sorted(stale)]
    if lines:
        return FOUND, lines
    if skipped:
        return NOT_ASKED, [f"could not be asked about: {', '.join(skipped)}. This is no clean bill: nothing is known."]
    return CLEAN, [f"{len(report['dependencies'])} packages; {len(used)} known findings, each explained"]


def main() -> int:
    """Run pip-audit over what is pinned; returns the exit code."""
    options = ("--disable-pip", "--require-hashes", "--format=json", "--progress-spinner=off")
    argv = [sys.executable, "-m", "pip_audit", *options, "-r", str(REQUIREMENTS)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    try:
        report = json.loads(done.stdout)
    except ValueError:
        sys.stdout.write(f"pip-audit failed: {done.stderr}\n")
        return NOT_ASKED
    entries = tomllib.loads(ADVISORIES.read_text(encoding="utf-8"))["advisory"]
    code, lines = judge(report, entries)
    sys.stdout.write("".join(f"audit: {line}\n" for line in lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
