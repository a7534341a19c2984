"""The recipes of the tools that tests call: linters and validators."""

import sys
from collections.abc import Callable, Mapping

from spout_testbed.recipes import SERVERS, TARGET, Recipe, go_build, go_program, wheel


def helm_recipe(major: int) -> Recipe:
    """Helm 3 or 4: the chart is for both."""
    # Its releases are linked so too (its Makefile); without, Helm 3 takes every cluster for Kubernetes 1.20.
    version = "-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=36"
    return go_build(
        f"helm{major}",
        f"building Helm {major} (about 3 min)",
        [f"helm.sh/helm/v{major}/cmd/helm"],
        linker=version if major == 3 else "",  # noqa: PLR2004 - the version
    )


def kube_score_recipe() -> Recipe:
    """kube-score, a linter of manifests."""
    return go_build("kube-score", "building kube-score (about 1 min)", ["github.com/zegl/kube-score/cmd/kube-score"])


def promtool_recipe() -> Recipe:
    """promtool, which runs the unit tests of alert rules.

    Without service discovery: it is not needed for that, and it brings the SDKs of all clouds.
    """
    package = "github.com/prometheus/prometheus/cmd/promtool"
    return go_build("promtool", "building promtool (about 2 min)", [package], tags="remove_all_sd")


def actionlint_recipe() -> Recipe:
    """actionlint, a linter of workflows."""
    return go_build("actionlint", "building actionlint (about 1 min)", ["github.com/rhysd/actionlint/cmd/actionlint"])


def flux_recipe() -> Recipe:
    """A program that does what Flux's kustomize-controller does with a Kustomization, with Flux's own libraries."""
    return go_build("flux", "building the evaluator of Flux Kustomizations (about 2 min)", ["."], program="main.go")


def argocd_recipe() -> Recipe:
    """A program that evaluates the resource customizations of Argo CD with Argo CD's own code."""
    return go_build("argocd", "building the evaluator of Argo CD's Lua files (about 4 min)", ["."], program="main.go")


def podpatch_recipe() -> Recipe:
    """The JSON patch library of pachd 1.13.4, by itself."""
    return go_build("podpatch", "building the evaluator of podPatches (about 10 s)", ["."], program="main.go")


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
    return wheel("checkov", "fetching checkov (about 1 min)", only_binary=False, facts=(sys.implementation.cache_tag,))


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
