"""The tools that tests call, by name. The test bed builds each of them once, like the servers."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from spout_testbed import tool_recipes
from spout_testbed.errors import TestbedError

Name = Literal[
    "helm3", "helm4", "kube-score", "checkov", "crds", "promtool", "flux", "argocd", "actionlint", "podpatch"
]
FOLDERS = ("checkov", "crds")


def run(
    name: Name,
    *arguments: str,
    folder: Path | None = None,
    input: str = "",  # noqa: A002 - as subprocess has it
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a tool to its end, and return its output.

    Args:
        name: the tool.
        arguments: the command line of the tool.
        folder: the folder in which the tool runs.
        input: the standard input of the tool.
        environment: additional environment variables.

    Raises:
        TestbedError: the tool is not built yet.
    """
    return subprocess.run(
        [*_argv(name), *arguments],
        cwd=folder,
        env={**os.environ, **_environment(name), **(environment or {})},
        input=input,
        capture_output=True,
        text=True,
        check=False,
    )


def program(name: Name) -> Path:
    """The path of a tool: an executable, or a folder for checkov (its packages) and for the CRDs.

    Raises:
        TestbedError: the tool is not built yet.
    """
    recipe = tool_recipes.TOOLS[name]()
    if not recipe.is_built:
        raise TestbedError(f"{name} is not built yet. Build it with `make tools`")
    return recipe.folder() if name in FOLDERS else recipe.folder() / name.rstrip("34")


def _argv(name: Name) -> list[str]:
    return [sys.executable, "-m", "checkov.main"] if name == "checkov" else [str(program(name))]


def _environment(name: Name) -> dict[str, str]:
    return {"PYTHONPATH": str(program(name))} if name == "checkov" else {}
