"""The workflows pass actionlint, which checks schema and expressions, and shellcheck, which checks their shell."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from release.check import ROOT
from spout_testbed.programs import run

SHELLCHECK = Path(sys.executable).with_name("shellcheck")
RELEASE: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yaml").read_text())


def found(*workflows: Path) -> str:
    """The findings of actionlint; empty where there are none."""
    done = run("actionlint", "-no-color", "-oneline", f"-shellcheck={SHELLCHECK}", *(str(file) for file in workflows))
    assert done.stderr == ""
    return done.stdout


def test_the_linters_find_nothing_in_the_workflows() -> None:
    assert found(*sorted((ROOT / ".github" / "workflows").glob("*.yaml"))) == ""


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ("needs: check", "needs: checks", "does not exist"),
        ("steps.release.outputs.epoch", "steps.releases.outputs.epoch", 'property "releases" is not defined'),
        ('cosign sign --yes "$REFERENCE"', "cosign sign --yes $REFERENCE", "SC2086"),
        ("timeout-minutes: 60", "timeout-minute: 60", "unexpected key"),
    ],
    ids=["a job that is not there", "a step that is not there", "a variable that is not quoted", "a key with a typo"],
)
def test_the_linters_find_a_defect_in_a_workflow(tmp_path: Path, before: str, after: str, wanted: str) -> None:
    text = (ROOT / ".github" / "workflows" / "release.yaml").read_text()
    assert before in text
    file = tmp_path / "release.yaml"
    file.write_text(text.replace(before, after, 1))
    assert wanted in found(file)


def test_image_names_have_no_capitals_and_the_version_has_no_v(tmp_path: Path) -> None:
    (step,) = (one for one in RELEASE["jobs"]["publish"]["steps"] if one.get("id") == "release")
    given = {
        "GITHUB_REPOSITORY": "Acme-Corp/Spout-Operator",
        "GITHUB_REPOSITORY_OWNER": "Acme-Corp",
        "GITHUB_REF_NAME": "v1.2.3",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }
    # The way in which GitHub runs `shell: bash`.
    argv = ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]

    subprocess.run(argv, check=True, cwd=ROOT, env={**os.environ, **given})  # noqa: S603 - ours

    outputs = dict(line.split("=", 1) for line in (tmp_path / "output").read_text().splitlines())
    assert outputs.pop("epoch").isdecimal()
    assert outputs == {
        "version": "1.2.3",
        "image": "ghcr.io/acme-corp/spout-operator",
        "charts": "ghcr.io/acme-corp/charts",
    }
