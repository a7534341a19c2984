"""The audit distinguishes four results: clean, found, explained, and not asked."""

import tomllib
from dataclasses import dataclass, field
from typing import Any

import pytest

from release.audit import ADVISORIES, CLEAN, FOUND, NOT_ASKED, judge

EXPLAINED = [{"id": "CVE-1", "package": "protobuf"}]
Dependency = dict[str, Any]


def package(name: str, *findings: str, aliases: tuple[str, ...] = ()) -> Dependency:
    """A dependency as pip-audit 2.10.1 writes it."""
    vulns = [{"id": one, "aliases": list(aliases), "fix_versions": ["9.9"], "description": ""} for one in findings]
    return {"name": name, "version": "1.0", "vulns": vulns}


@dataclass(frozen=True)
class Case:
    reason: str
    dependencies: tuple[Dependency, ...]
    code: int
    said: str
    explained: list[dict[str, str]] = field(default_factory=lambda: EXPLAINED)


SKIPPED = {"name": "kopf", "skip_reason": "Dependency not found on PyPI and could not be audited: kopf (1.45.2)"}
CASES = [
    Case("nothing is found, and nothing was expected", (package("kopf"),), CLEAN, "1 packages; 0 known findings", []),
    Case("a finding that is explained", (package("protobuf", "CVE-1"),), CLEAN, "1 known findings, each explained"),
    Case("one that is explained by an alias", (package("protobuf", "GHSA-1", aliases=("CVE-1",)),), CLEAN, "1 known"),
    Case("one that is not", (package("protobuf", "CVE-1", "CVE-2"),), FOUND, "protobuf 1.0: CVE-2, fixed in 9.9"),
    Case("one of another package", (package("protobuf", "CVE-1"), package("kopf", "CVE-1")), FOUND, "kopf 1.0: CVE-1"),
    Case("an explanation without a finding", (package("protobuf"),), FOUND, "protobuf CVE-1; take it out"),
    Case("a package that could not be asked about", (package("protobuf", "CVE-1"), SKIPPED), NOT_ASKED, "about: kopf."),
    Case("that, and a finding", (package("protobuf", "CVE-2"), SKIPPED), FOUND, "CVE-2"),
    Case(
        "nothing could be asked, so no explanation is stale",
        ({"name": "protobuf", "skip_reason": "not found"},),
        NOT_ASKED,
        "no clean bill",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.reason)
def test_a_report_is_judged_by_the_explained_advisories(case: Case) -> None:
    code, lines = judge({"dependencies": list(case.dependencies), "fixes": []}, case.explained)
    assert code == case.code
    assert case.said in "\n".join(lines)


def test_every_explained_advisory_has_all_its_fields() -> None:
    entries = tomllib.loads(ADVISORIES.read_text())["advisory"]
    assert all(set(entry) == {"id", "package", "reason", "limits", "reviewed"} for entry in entries)
