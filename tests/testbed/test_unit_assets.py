"""`KUBEBUILDER_ASSETS` replaces the Kubernetes and the etcd that the test bed builds: for supported versions alone."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml

from spout_operator.kubernetes import preflight
from spout_testbed import assets, build, recipes
from spout_testbed.builds import Builds, kubectl_program
from spout_testbed.errors import TestbedError

ROOT = Path(__file__).parents[2]
ETCD = "etcd Version: 3.6.14\nGit SHA: Not provided"
APISERVER = "Kubernetes v1.33.2"
KUBECTL = "Client Version: v1.36.3\nKustomize Version: v5.8.1"
SAYS = {"etcd": ETCD, "kube-apiserver": APISERVER, "kubectl": KUBECTL}


def program(path: Path, says: str) -> None:
    """A program that prints its version if it is asked as the real one is."""
    asked = "version --client" if path.name == "kubectl" else "--version"
    path.write_text(f'#!/bin/sh\n[ "$*" = "{asked}" ] && echo {shlex.quote(says)}\n')
    path.chmod(0o755)


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The three programs, all of them supported, in a folder that the environment names."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = tmp_path / "assets"
    found.mkdir()
    for name, says in SAYS.items():
        program(found / name, says)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(found))
    return found


def refusal() -> list[str]:
    """The lines of the error, without the first and the last."""
    with pytest.raises(TestbedError) as raised:
        assets.folder()
    first, *lines, last = str(raised.value).splitlines()
    assert first.startswith("KUBEBUILDER_ASSETS is ")
    assert "setup-envtest use -p path 1.36" in last
    assert "unset it" in last
    return [line.strip() for line in lines]


def test_without_the_variable_the_test_bed_builds_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    assert assets.folder() is None
    monkeypatch.setenv("KUBEBUILDER_ASSETS", "")
    assert assets.folder() is None


def test_a_bed_starts_the_programs_of_the_folder_though_nothing_is_built(folder: Path) -> None:
    builds = Builds.ready(pachyderm=(), kafka=False)
    assert builds.etcd == folder / "etcd"
    assert builds.apiserver == folder / "kube-apiserver"
    assert builds.kubectl == kubectl_program() == folder / "kubectl"


def test_pachyderm_has_to_be_built_all_the_same(folder: Path) -> None:
    with pytest.raises(TestbedError, match=r"^not built yet: pachyderm\. "):
        Builds.ready(pachyderm=("1.13",), kafka=False)


def test_a_relative_folder_is_found_from_where_the_command_starts(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", "assets")
    assert assets.folder() == folder


def test_kubernetes_and_etcd_are_not_built(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build.build(["etcd", "kubernetes"])
    assert capsys.readouterr().out == f"etcd, kube-apiserver and kubectl: from KUBEBUILDER_ASSETS, {folder}\n"
    assert [path.name for path in (folder.parent / "cache" / "spout-operator" / "testbed").iterdir()] == ["run"]


def test_nothing_is_built_while_a_program_is_refused(folder: Path) -> None:
    program(folder / "kube-apiserver", "Kubernetes v1.28.15")
    with pytest.raises(TestbedError, match=r"kube-apiserver: version 1\.28;"):
        build.build()
    assert not (folder.parent / "cache").exists()


@pytest.mark.parametrize(
    ("name", "says", "problem", "reason"),
    [
        ("kube-apiserver", "Kubernetes v1.29.0", "", "the oldest supported minor version"),
        ("kube-apiserver", "Kubernetes v1.36.99", "", "the newest supported minor version"),
        ("kube-apiserver", "Kubernetes v1.28.15", "version 1.28; the project supports 1.29 to 1.36", "too old"),
        ("kube-apiserver", "Kubernetes v1.37.0", "version 1.37; the project supports 1.29 to 1.36", "too new"),
        ("kube-apiserver", "Kubernetes", "`kube-apiserver --version` prints no version", "no version"),
        ("etcd", "etcd Version: 3.5.0", "", "the oldest supported minor version"),
        ("etcd", "etcd Version: 4.0.0", "", "a later major version"),
        ("etcd", "etcd Version: 3.4.33", "version 3.4; the test bed needs 3.5 or later", "too old"),
        ("kubectl", "Client Version: v1.20.1", "", "kubectl may be older than the server"),
        (
            "kubectl",
            'Client Version: version.Info{Major:"1", Minor:"2"}',
            "`kubectl version --client`",
            "too old to say",
        ),
    ],
)
def test_which_versions_are_used(folder: Path, name: str, says: str, problem: str, reason: str) -> None:
    program(folder / name, says)
    if not problem:
        assert assets.folder() == folder, reason
        return
    (line,) = refusal()
    assert line.startswith(f"{name}: {problem}"), reason


def test_each_program_that_is_missing_or_wrong_is_named(folder: Path) -> None:
    (folder / "etcd").unlink()
    program(folder / "kube-apiserver", "Kubernetes v1.28.0")
    (folder / "kubectl").chmod(0o644)
    assert refusal() == [
        "etcd: the file is missing",
        "kube-apiserver: version 1.28; the project supports 1.29 to 1.36",
        "kubectl: the file is not executable",
    ]


def test_a_file_that_this_machine_cannot_run_prints_no_version(folder: Path) -> None:
    (folder / "etcd").write_bytes(b"\x7fELF, of another machine")
    assert refusal() == ["etcd: `etcd --version` prints no version"]


def test_a_folder_that_is_not_there_lacks_all_three(folder: Path) -> None:
    shutil.rmtree(folder)
    assert refusal() == [f"{name}: the file is missing" for name in SAYS]


def test_the_oldest_version_is_the_one_that_the_chart_and_the_operator_name() -> None:
    major, minor = re.findall(r"\d+", recipes.pinned_version(recipes.OLDEST))[:2]
    chart = yaml.safe_load((ROOT / "charts" / "spout-operator" / "Chart.yaml").read_text())
    assert chart["kubeVersion"] == f">={major}.{minor}.0-0"
    assert (int(major), int(minor)) == preflight.OLDEST


def test_the_oldest_kubernetes_comes_with_the_programs_of_the_folder() -> None:
    recipe = recipes.oldest_recipe()
    script = recipe.command[-1]
    assert all(f"/cmd/{name}" in script for name in ("kube-apiserver", "kubectl"))
    assert script.endswith("/server' '{target}/etcd'")
    assert recipes.pinned_version(recipes.OLDEST) in script
    assert recipe.folder() != recipes.kubernetes_recipe().folder()
