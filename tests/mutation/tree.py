"""The copy of the repository in which mutmut works: it knows the sources only as `src/`.

mutmut selects tests by their names. It does not find one whose name has a backslash or a letter outside of ASCII:
pytest escapes these once more each time that it collects in one process.
"""

import dataclasses
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "mutants"
TREE = BUILD / "tree"
#: Where mutmut writes the changed sources.
MUTATED = TREE / "mutants" / "src"
COPIED = ("tests", "testbed", "crds", "pyproject.toml")
SETTINGS = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = {sources}
also_copy = ["tests", "testbed", "crds", "pyproject.toml"]
pytest_add_cli_args_test_selection = {tests}
"""
# The same examples for each mutant; and who wants to know only whether a test fails needs no smallest example for it.
CONFTEST = """
hypothesis.settings.register_profile(
    "mutants",
    parent=hypothesis.settings.get_profile("shared"),
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    derandomize=True,
    database=None,
)
hypothesis.settings.load_profile("mutants")
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
    """What is changed, and the tests that are to notice it."""

    sources: list[str]
    tests: list[str]


PARTS = {
    "core": Part(
        sources=["src/spout_operator/core/*", "src/spout_operator/process/election.py"],
        tests=["tests/unit/core", "tests/unit/process/test_election.py"],
    ),
    "controller": Part(sources=["src/spout_operator/controller/*"], tests=["tests/unit/controller"]),
}


def copy(part: Part) -> None:
    """Make the copy anew."""
    shutil.rmtree(TREE, ignore_errors=True)
    TREE.mkdir(parents=True)
    shutil.copytree(ROOT / "operator" / "spout_operator", TREE / "src" / "spout_operator")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, TREE / name)
        else:
            shutil.copy2(ROOT / name, TREE / name)
    with (TREE / "pyproject.toml").open("a") as settings:
        # Lists of strings look the same in TOML.
        settings.write(SETTINGS.format(sources=part.sources, tests=part.tests))
    with (TREE / "tests" / "conftest.py").open("a") as conftest:
        conftest.write(CONFTEST)


def run(patterns: list[str]) -> int:
    """Run the mutants whose names match, all where none is given; what mutmut exits with."""
    environment = os.environ | {"PYTHONPATH": str(BUILD / "tools")}
    command = [sys.executable, "-m", "mutmut", "run", *patterns]
    return subprocess.run(command, cwd=TREE, env=environment, check=False).returncode  # noqa: S603 - arguments of ours
