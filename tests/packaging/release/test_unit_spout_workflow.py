"""The workflow in docs/guides/develop-a-spout.md passes the linters, and its steps do what it says."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from release.check import ROOT
from tests.packaging.release.test_unit_workflows import found

GUIDE = ROOT / "docs" / "guides" / "develop-a-spout.md"


def workflow() -> str:
    [block] = re.findall(r"^```yaml\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return str(block)


def test_actionlint_and_zizmor_find_nothing(tmp_path: Path) -> None:
    file = tmp_path / ".github" / "workflows" / "spout.yaml"
    file.parent.mkdir(parents=True)
    # zizmor wants the commit that the reader fills in.
    file.write_text(workflow().replace("your-pinned-commit", "0" * 40))
    assert found(file) == ""
    zizmor = subprocess.run(  # noqa: S603 - a linter over a file of this test
        [Path(sys.executable).with_name("zizmor"), "--offline", "--quiet", "--persona=pedantic", file],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert zizmor.returncode == 0, zizmor.stdout + zizmor.stderr


def test_its_steps_run_the_clock_and_see_it_resume(tmp_path: Path) -> None:
    """With the operator that is installed here; installing it is `make test-install`."""
    steps: list[dict[str, Any]] = yaml.safe_load(workflow())["jobs"]["run-local"]["steps"]
    (tmp_path / "your-spout.yaml").write_text((ROOT / "examples/clock/spout.yaml").read_text())
    scripts = [step["run"] for step in steps if "run" in step and "pip install" not in step["run"]]
    assert len(scripts) == 2
    for script in scripts:
        subprocess.run(  # noqa: S603 - a step of the guide
            ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            check=True,
            cwd=tmp_path,
            env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path)},
            timeout=90,
        )
