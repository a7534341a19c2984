"""etcd, kube-apiserver and kubectl from a folder that the user already has.

The environment variable `KUBEBUILDER_ASSETS` names the folder, as `setup-envtest use -p path` of controller-runtime
prints it. While the variable is set, the test bed builds neither Kubernetes nor etcd.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from spout_testbed import recipes, tools
from spout_testbed.errors import TestbedError

VARIABLE = "KUBEBUILDER_ASSETS"
ETCD, APISERVER, KUBECTL = "etcd", "kube-apiserver", "kubectl"
"""The names of the programs in the folder."""
OLDEST_ETCD = (3, 5)

Version = tuple[int, ...]


def folder() -> Path | None:
    """The folder that `KUBEBUILDER_ASSETS` names, or None where the variable is unset or empty.

    Raises:
        TestbedError: a program is missing, or its version is not supported; the message names each of them.
    """
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    found = Path(named).absolute()
    if wrong := [f"  {name}: {problem}" for name, check in _CHECKS.items() if (problem := check(found / name))]:
        newest = ".".join(map(str, _supported()[1]))
        raise TestbedError(
            f"{VARIABLE} is {named}, and the test bed cannot use these programs there:\n"
            + "\n".join(wrong)
            + f"\nSet {VARIABLE} to the folder that `setup-envtest use -p path {newest}` prints, "
            "or unset it: then the test bed builds the three programs."
        )
    return found


def _etcd_problem(program: Path) -> str:
    return _problem(program, ("--version",), r"etcd Version: (\d+)\.(\d+)", _judge_etcd)


def _apiserver_problem(program: Path) -> str:
    return _problem(program, ("--version",), r"Kubernetes v(\d+)\.(\d+)", _judge_apiserver)


def _kubectl_problem(program: Path) -> str:
    # kubectl may be older or newer than the server: any version that runs will do.
    return _problem(program, ("version", "--client"), r"Client Version: \D*(\d+)\.(\d+)", lambda _version: "")


_CHECKS: Mapping[str, Callable[[Path], str]] = {
    ETCD: _etcd_problem,
    APISERVER: _apiserver_problem,
    KUBECTL: _kubectl_problem,
}


def _problem(program: Path, arguments: tuple[str, ...], pattern: str, judge: Callable[[Version], str]) -> str:
    """What is wrong with a program; empty where nothing is."""
    if not program.exists():
        return "the file is missing"
    if not os.access(program, os.X_OK):
        return "the file is not executable"
    version = tools.version_in(tools.what_it_says(str(program), *arguments), pattern)
    return judge(version) if version else f"`{program.name} {' '.join(arguments)}` prints no version"


def _judge_etcd(version: Version) -> str:
    return (
        f"version {_text(version)}; the test bed needs {_text(OLDEST_ETCD)} or later" if version < OLDEST_ETCD else ""
    )


def _judge_apiserver(version: Version) -> str:
    oldest, newest = _supported()
    if oldest <= version <= newest:
        return ""
    return f"version {_text(version)}; the project supports {_text(oldest)} to {_text(newest)}"


def _supported() -> tuple[Version, Version]:
    """The oldest and the newest minor version of Kubernetes that the project is tested on."""
    pattern = r"v(\d+)\.(\d+)"
    return (
        tools.version_in(recipes.pinned_version(recipes.OLDEST), pattern),
        tools.version_in(recipes.pinned_version(recipes.KUBERNETES), pattern),
    )


def _text(version: Version) -> str:
    return ".".join(map(str, version))
