"""The paths of the programs that are built."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from spout_testbed import assets, recipes
from spout_testbed.errors import TestbedError


@dataclass(frozen=True, kw_only=True)
class Builds:
    """The paths of programs, all of which exist."""

    etcd: Path
    apiserver: Path
    kubectl: Path
    pachyderm: Path
    """The folder of pachd, worker and pachctl."""
    pachctl: Path
    kafka: Path
    """The folder of Kafka's jars."""
    java: Path

    @classmethod
    def ready(cls, *, pachyderm: bool, kafka: bool) -> Self:
        """The paths, if everything that a bed with these servers needs has been built.

        Raises:
            TestbedError: something has not; the message says which command builds it.
        """
        pachyderm_recipe, kafka_recipe = recipes.pachyderm_recipe(), recipes.kafka_recipe()
        given = assets.folder()
        needed = [] if given else [recipes.etcd_recipe(), recipes.kubernetes_recipe()]
        needed += [pachyderm_recipe] if pachyderm else []
        needed += [kafka_recipe] if kafka else []
        if missing := [recipe.name for recipe in needed if not recipe.is_built]:
            raise TestbedError(f"not built yet: {', '.join(missing)}. Build it with `python -m spout_testbed build`")
        return cls(
            etcd=given / assets.ETCD if given else recipes.etcd_recipe().folder() / "server",
            apiserver=(given or recipes.kubernetes_recipe().folder()) / assets.APISERVER,
            kubectl=kubectl_program(),
            pachyderm=pachyderm_recipe.folder(),
            pachctl=pachyderm_recipe.folder() / "pachctl",
            kafka=kafka_recipe.folder(),
            java=recipes.java_program(),
        )


def kubectl_program() -> Path:
    """kubectl: of `KUBEBUILDER_ASSETS` where that is set, else the machine's, else the one that the test bed builds."""
    if given := assets.folder():
        return given / assets.KUBECTL
    return Path(shutil.which("kubectl") or recipes.kubernetes_recipe().folder() / "kubectl")
