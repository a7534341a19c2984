"""The chart as Helm renders it."""

import subprocess
from pathlib import Path
from typing import Any, Literal

import yaml

from spout_testbed.programs import run

ROOT = Path(__file__).parents[3]
CHART = ROOT / "charts" / "spout-operator"
VALUES = sorted((CHART / "ci").glob("*-values.yaml"))
HELMS: tuple[Literal["helm3", "helm4"], ...] = ("helm3", "helm4")
Helm = Literal["helm3", "helm4"]
Manifest = dict[str, Any]
RELEASE, NAMESPACE = "spout-operator", "spout-operator"


def template(helm: Helm, *arguments: str, values: str = "") -> subprocess.CompletedProcess[str]:
    """The result of `helm template`; it reads `values` with `--values -`."""
    return run(helm, "template", RELEASE, str(CHART), "--namespace", NAMESPACE, *arguments, input=values)


def rendered(helm: Helm, *arguments: str) -> list[Manifest]:
    """All manifests, those of hooks too.

    Raises:
        AssertionError: Helm refuses.
    """
    done = template(helm, *arguments)
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


def with_values(file: Path) -> tuple[str, str]:
    """The arguments that name a file of values."""
    return "--values", str(file)


def of_kind(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    """The manifests of these kinds."""
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


def name_of(manifest: Manifest) -> str:
    """Kind and name, for messages and ids."""
    return f"{manifest['kind']}/{manifest['metadata']['name']}"
