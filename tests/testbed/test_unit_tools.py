"""The test bed names missing tools of the machine before it builds anything."""

import subprocess
import sys
from pathlib import Path

import pytest

import spout_testbed
from spout_testbed import recipes, tools
from spout_testbed.errors import TestbedError


def test_every_missing_tool_is_named_with_its_cure_before_anything_is_built(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    env = {
        "PATH": str(tmp_path / "bin"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "PYTHONPATH": str(Path(spout_testbed.__file__).parent.parent),
    }
    done = subprocess.run(
        [sys.executable, "-m", "spout_testbed", "build"], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    for name, cure in tools.INSTALL.items():
        assert f"  {name}: {cure}" in done.stderr.splitlines()
    assert done.stdout == ""
    assert not (tmp_path / "cache").exists()


def test_refused_user_namespaces_say_what_to_do() -> None:
    refusing = ("sh", "-c", "echo unshare failed: No space left >&2; exit 1")
    with pytest.raises(TestbedError, match=r"unshare failed: No space left(.|\n)*max_user_namespaces"):
        tools.require_namespaces(refusing)


@pytest.mark.parametrize(
    ("program", "says", "found", "reason"),
    [
        ("go", "go version go1.26.8 linux/amd64", True, "exactly new enough"),
        ("go", "go version go1.27.0 linux/amd64", True, "newer"),
        ("go", "go version go1.25.9 linux/amd64", False, "too old to build kube-apiserver"),
        ("go", "not what Go says", False, "something else by that name"),
        ("java", 'openjdk version "17.0.15" 2025-04-15', True, "new enough"),
        ("java", 'java version "1.8.0_392"', False, "Java 8 calls itself 1.8"),
    ],
)
def test_a_compiler_of_the_machine_is_used_where_it_is_new_enough(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str, says: str, *, found: bool, reason: str
) -> None:
    path = tmp_path / program
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    look = {"go": tools.machine_go, "java": tools.machine_java}[program]
    assert look() == (path if found else None), reason


def test_the_pinned_go_and_java_are_used_where_the_machine_has_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert recipes.go_program().is_relative_to(recipes.go_recipe().folder())
    assert recipes.java_program().is_relative_to(recipes.java_recipe().folder())
    assert recipes.etcd_recipe().command[0] == str(recipes.go_program())
