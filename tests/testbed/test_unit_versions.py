"""A version of Pachyderm is named in one way everywhere: when it is built, started, and tested against."""

import pytest

from spout_testbed import __main__, build, recipes, versions
from spout_testbed.builds import Builds
from spout_testbed.errors import TestbedError


@pytest.mark.parametrize(
    ("asked", "whole", "is_2"),
    [("1.13", "1.13.4", False), ("1.13.4", "1.13.4", False), ("2.12", "2.12.2", True), ("2.8.10", "2.8.10", True)],
)
def test_a_version_stands_for_a_whole_one(asked: str, whole: str, *, is_2: bool) -> None:
    assert versions.whole(asked) == whole
    assert versions.is_pachyderm_2(asked) is is_2


@pytest.mark.parametrize("asked", ["", "1.12.5", "2.8", "2", "3.0.0", "v2.12.2", "2.8.10; true"])
def test_another_version_is_refused_with_those_that_there_are(asked: str) -> None:
    with pytest.raises(TestbedError, match=r"name 1\.13, 2\.12, or a whole version such as 2\.8\.10"):
        versions.whole(asked)


def test_the_tests_run_against_all_versions_or_the_named_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(versions.VARIABLE, raising=False)
    assert versions.under_test() == ("1.13", "2.12")
    monkeypatch.setenv(versions.VARIABLE, "2.8.10")
    assert versions.under_test() == ("2.8.10",)


def test_each_version_of_pachyderm_2_is_its_own_build_of_its_own_module() -> None:
    newest, older = recipes.pachyderm_recipe("2.12"), recipes.pachyderm_recipe("2.8.10")
    assert newest == recipes.pachyderm_recipe("2.12.2")
    assert older.folder() != newest.folder()
    script = " ".join(older.command)
    assert "github.com/pachyderm/pachyderm/v2@v2.8.10" in script
    assert "version.AppVersion=2.8.10" in script
    assert "2.12" not in script


def test_the_build_of_pachyderm_does_not_depend_on_where_go_is() -> None:
    for recipe in map(recipes.pachyderm_recipe, versions.PACHYDERM):
        assert str(recipes.go_program()) in recipe.command
        assert str(recipes.go_program()) not in " ".join(recipe.facts)


@pytest.mark.parametrize("asked", [("2.12", "2.8.10"), ("1.13", "1.13.4")])
def test_two_versions_of_one_pachyderm_cannot_run_together(asked: tuple[str, str]) -> None:
    with pytest.raises(TestbedError, match=r"at most one Pachyderm 1 and one Pachyderm 2"):
        Builds.ready(pachyderm=asked, kafka=False)


def test_a_version_that_is_not_built_is_refused_with_the_command_that_builds_it() -> None:
    with pytest.raises(TestbedError, match=r"pachyderm-2\.0\.1.*`python -m spout_testbed build --pachyderm 2\.0\.1`"):
        Builds.ready(pachyderm=("2.0.1",), kafka=False)


def test_a_wrong_version_is_refused_before_anything_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["run", "--pachyderm", "2.8", "--", "true"]) == 1
    assert "the test bed has no Pachyderm '2.8'" in capsys.readouterr().err


def test_all_servers_are_built_without_being_asked() -> None:
    assert {"pachyderm-1.13", "pachyderm-2.12", "postgres"} <= set(build.NAMES)
