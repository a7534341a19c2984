"""Builds and fetches what the cache does not have yet."""

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from spout_testbed import assets, recipes, tool_recipes, tools, versions
from spout_testbed.cache import cache_root, exclusive, run_folder
from spout_testbed.errors import TestbedError
from spout_testbed.recipes import TARGET, Recipe

NAMES = ("etcd", "kubernetes", *(f"pachyderm-{version}" for version in versions.PACHYDERM), "postgres", "kafka")
TOOLS = tuple(tool_recipes.TOOLS)
PROGRESS_SECONDS = 15
FAILURE_LINES = 30
#: The folder in the cache with what is being built, and a lock for each recipe: recipes can be built beside each other.
TEMPORARY = ".building"


def build(names: Sequence[str] = NAMES) -> None:
    """Make sure that everything in `names` is built.

    Raises:
        TestbedError: tools are missing (all are named before anything is built), or a build failed.
    """
    wanted = _recipes(names)
    if given := assets.folder():
        print(f"etcd, kube-apiserver and kubectl: from {assets.VARIABLE}, {given}")
    needed = {tool for recipe in wanted if not recipe.is_built for tool in recipe.tools}
    tools.require([*tools.NEEDED_TO_RUN, *sorted(needed)])
    tools.require_namespaces()
    make(wanted)


def make(wanted: Sequence[Recipe], *, progress_seconds: float = PROGRESS_SECONDS) -> None:
    """Build what is not in the cache yet, one after the other.

    Args:
        wanted: the recipes, in the order of their builds.
        progress_seconds: the seconds between two lines of progress of a build.

    Raises:
        TestbedError: a build failed.
    """
    run_folder().mkdir(parents=True, exist_ok=True)
    missing = [recipe for recipe in wanted if not recipe.is_built]
    if not missing:
        if wanted:
            print(f"everything is built: {', '.join(recipe.name for recipe in wanted)} in {cache_root()}")
        return
    for recipe in missing:
        with exclusive(cache_root() / TEMPORARY / f"{recipe.name}.lock"):
            if recipe.is_built:
                print(f"{recipe.name}: another process has built it")
            else:
                _build_one(recipe, progress_seconds)


def _recipes(names: Sequence[str]) -> list[Recipe]:
    """The recipes of these names, in order, with what the machine lacks for them before them.

    Those that `KUBEBUILDER_ASSETS` replaces are left out.
    """
    if assets.folder():
        names = [name for name in names if name not in ("etcd", recipes.KUBERNETES)]
    known: dict[str, Callable[[], Recipe]] = {
        "etcd": recipes.etcd_recipe,
        "kubernetes": recipes.kubernetes_recipe,
        **{f"pachyderm-{version}": partial(recipes.pachyderm_recipe, version) for version in versions.PACHYDERM},
        "postgres": recipes.postgres_recipe,
        "kafka": recipes.kafka_recipe,
        recipes.OLDEST: recipes.oldest_recipe,
        **tool_recipes.TOOLS,
    }
    result = [known[name]() for name in known if name in names]
    # A version of Pachyderm that is not built unless it is asked for.
    others = [recipes.pachyderm_recipe(name.removeprefix("pachyderm-")) for name in names if name not in known]
    result += [recipe for recipe in others if recipe not in result]
    if {"kafka", "postgres"} & set(names) and tools.machine_java() is None:
        result.insert(0, recipes.java_recipe())
    if set(names) - {"kafka", "postgres", "checkov"} and tools.machine_go() is None:
        result.insert(0, recipes.go_recipe())
    return result


def _build_one(recipe: Recipe, progress_seconds: float) -> None:
    """Build into a temporary folder, check the result, and move it to its place in one step."""
    started = time.monotonic()
    print(f"{recipe.name}: {recipe.about}", flush=True)
    log = cache_root() / "logs" / f"{recipe.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    temporary = cache_root() / TEMPORARY / recipe.name
    try:
        if temporary.exists():
            # The process that made it was killed, because no other one builds this while this process holds the lock.
            shutil.rmtree(temporary)
        # A copy: a package manager may write beside what it reads.
        sources = Path(shutil.copytree(recipe.sources, temporary / "sources"))
        target = temporary / "target"
        target.mkdir()
        command = [part.replace(TARGET, str(target)) for part in recipe.command]
        _run(recipe.name, command, folder=sources, log=log, progress_seconds=progress_seconds)
        if recipe.checksums:
            verify(target, (recipe.sources / recipe.checksums).read_text())
        target.rename(recipe.folder())
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    print(f"{recipe.name}: done after {time.monotonic() - started:.0f} s", flush=True)


def _run(name: str, command: Sequence[str], *, folder: Path, log: Path, progress_seconds: float) -> None:
    """Run the command to its end, and print its progress from time to time."""
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        while process.poll() is None:
            try:
                process.wait(timeout=progress_seconds)
            except subprocess.TimeoutExpired:
                print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)
            except BaseException:
                process.kill()
                process.wait()
                raise
    if process.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-FAILURE_LINES:])
        raise TestbedError(f"{name}: {command[0]} ended with exit code {process.returncode}. The end of {log}:\n{tail}")


def verify(folder: Path, listed: str) -> None:
    """Raise an error unless `folder` holds exactly the files that `listed` (of sha256sum) lists."""
    expected = {name: digest for digest, name in (line.split() for line in listed.splitlines())}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    if wrong := sorted(name for name, _ in expected.items() ^ found.items()):
        raise TestbedError(f"these files are not what was pinned: {', '.join(dict.fromkeys(wrong))}")


def _environment() -> dict[str, str]:
    environment = {
        # Both variables are missing if this program was started with an empty environment (env -i).
        "HOME": str(Path("~").expanduser()),
        "PATH": os.defpath,
        **os.environ,
        # No C compiler is needed, and Go never fetches another Go.
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
    }
    if tools.machine_java() is None:
        # Maven runs on the same Java that Kafka will.
        environment["JAVA_HOME"] = str(recipes.java_program().parent.parent)
    return environment
