"""The paths of the programs that are built."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from spout_testbed import assets, recipes, versions
from spout_testbed.errors import TestbedError


@dataclass(frozen=True, kw_only=True)
class Builds:
    """The paths of programs, all of which exist."""

    etcd: Path
    apiserver: Path
    kubectl: Path
    pachyderm: Mapping[str, Path]
    """The folder of pachd, worker and pachctl, by the version that was asked for."""
    postgres: Path
    """The folder of PostgreSQL."""
    kafka: Path
    """The folder of Kafka's jars."""
    java: Path

    @classmethod
    def ready(cls, *, pachyderm: Sequence[str], kafka: bool) -> Self:
        """The paths, if everything that a bed with these servers needs has been built.

        Args:
            pachyderm: the versions of Pachyderm, at most one of each major version.
            kafka: whether Kafka is needed.

        Raises:
            TestbedError: something has not; the message says which command builds it.
        """
        programs = {version: recipes.pachyderm_recipe(version) for version in pachyderm}
        of_2 = [version for version in pachyderm if versions.is_pachyderm_2(version)]
        if len(of_2) > 1 or len(programs) - len(of_2) > 1:
            raise TestbedError(
                f"a test bed runs at most one Pachyderm 1 and one Pachyderm 2, not {', '.join(pachyderm)}"
            )
        given = assets.folder()
        needed = [] if given else [recipes.etcd_recipe(), recipes.kubernetes_recipe()]
        needed += programs.values()
        needed += [recipes.postgres_recipe()] if of_2 else []
        needed += [recipes.kafka_recipe()] if kafka else []
        if missing := [recipe.name for recipe in needed if not recipe.is_built]:
            raise TestbedError(f"not built yet: {', '.join(missing)}. Build it with `{_command(pachyderm)}`")
        return cls(
            etcd=given / assets.ETCD if given else recipes.etcd_recipe().folder() / "server",
            apiserver=(given or recipes.kubernetes_recipe().folder()) / assets.APISERVER,
            kubectl=kubectl_program(),
            pachyderm={version: recipe.folder() for version, recipe in programs.items()},
            postgres=recipes.postgres_recipe().folder(),
            kafka=recipes.kafka_recipe().folder(),
            java=recipes.java_program(),
        )


def _command(pachyderm: Sequence[str]) -> str:
    others = [version for version in pachyderm if version not in versions.PACHYDERM]
    return " ".join(["python -m spout_testbed build", *(f"--pachyderm {version}" for version in others)])


def kubectl_program() -> Path:
    """kubectl: of `KUBEBUILDER_ASSETS` where that is set, else the machine's, else the one that the test bed builds."""
    if given := assets.folder():
        return given / assets.KUBECTL
    return Path(shutil.which("kubectl") or recipes.kubernetes_recipe().folder() / "kubectl")
