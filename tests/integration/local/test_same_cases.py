"""The user programs of tests/e2e/same_cases.py with run-local: the files that Pachyderm 1.13.4 has, or the docs."""

import json
from pathlib import Path

import pytest
import yaml

from tests.e2e.same_cases import CASES, Case, Files, Result, body, shown
from tests.integration.local.test_run_local import run

DOCS = Path(__file__).parents[3] / "docs/reference/run-local.md"


def tree(folder: Path) -> Files:
    return {
        str(path.relative_to(folder)): shown(path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file()
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_committed(tmp_path: Path, case: Case) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "spout.yaml").write_text(yaml.safe_dump(body(case, work, "case")))

    result = run(tmp_path, "spout.yaml", "--json", "--timeout", 50)

    assert result.returncode == 0, result
    out = tmp_path / "spout-data/case"
    found = Result(
        commits=tuple(tree(commit / "files") for commit in sorted((out / "commits").iterdir())),
        marker={path: shown((out / "marker" / path).read_bytes()) for path in case.result.marker},
    )
    assert found == case.result
    assert len(found.commits) == json.loads(result.stdout.splitlines()[-1])["commits"]


@pytest.mark.parametrize("case", [case for case in CASES if case.on_pachyderm_1], ids=lambda case: case.name)
def test_each_difference_from_pachyderm_1_is_documented(case: Case) -> None:
    rows = DOCS.read_text(encoding="utf-8").splitlines()
    assert any(row.startswith(f"| {case.difference} |") for row in rows), case.difference
