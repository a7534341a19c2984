"""The workflows as GitHub would read them: actionlint knows schema and expressions, shellcheck the shell in them."""

import sys
from pathlib import Path

import pytest

from release.check import ROOT
from spout_testbed.programs import run

SHELLCHECK = Path(sys.executable).with_name("shellcheck")


def found(*workflows: Path) -> str:
    """What actionlint has against them; nothing where they are well."""
    done = run("actionlint", "-no-color", "-oneline", f"-shellcheck={SHELLCHECK}", *(str(file) for file in workflows))
    assert done.stderr == ""
    return done.stdout


def test_there_is_nothing_against_the_workflows() -> None:
    assert found(*sorted((ROOT / ".github" / "workflows").glob("*.yaml"))) == ""


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ("needs: check", "needs: checks", "does not exist"),
        ("steps.version.outputs.epoch", "steps.versions.outputs.epoch", 'property "versions" is not defined'),
        ('cosign sign --yes "$REFERENCE"', "cosign sign --yes $REFERENCE", "SC2086"),
        ("timeout-minutes: 60", "timeout-minute: 60", "unexpected key"),
    ],
    ids=["a job that is not there", "a step that is not there", "a variable that is not quoted", "a key with a typo"],
)
def test_what_is_wrong_is_found(tmp_path: Path, before: str, after: str, wanted: str) -> None:
    text = (ROOT / ".github" / "workflows" / "release.yaml").read_text()
    assert before in text
    file = tmp_path / "release.yaml"
    file.write_text(text.replace(before, after, 1))
    assert wanted in found(file)
