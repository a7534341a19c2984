"""A kube-apiserver for the chart, and Helm as its administrator."""

import subprocess
import uuid
from collections.abc import Callable, Iterator

import pytest

from spout_testbed import Testbed
from spout_testbed.harness.cluster import wait_for_crd
from spout_testbed.programs import program, run
from tests.packaging.chart.charts import Helm

#: Files of `spout_testbed`'s crds, and the resources in them.
CRDS = {
    "monitoring.coreos.com_podmonitors.yaml": "podmonitors.monitoring.coreos.com",
    "monitoring.coreos.com_servicemonitors.yaml": "servicemonitors.monitoring.coreos.com",
    "monitoring.coreos.com_prometheusrules.yaml": "prometheusrules.monitoring.coreos.com",
    "application-crd.yaml": "applications.argoproj.io",
    "kustomize.toolkit.fluxcd.io_kustomizations.yaml": "kustomizations.kustomize.toolkit.fluxcd.io",
    "source.toolkit.fluxcd.io_gitrepositories.yaml": "gitrepositories.source.toolkit.fluxcd.io",
    "source.toolkit.fluxcd.io_ocirepositories.yaml": "ocirepositories.source.toolkit.fluxcd.io",
}
RunHelm = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def bed() -> Iterator[Testbed]:
    """The servers, with the CRDs of the Prometheus operator, Argo CD and Flux, of their own releases."""
    with Testbed.start() as bed:
        for file in CRDS:
            bed.kubectl("apply", "--server-side", "-f", str(program("crds") / file))
        wait_for_crd(bed, *CRDS.values())
        yield bed


@pytest.fixture
def namespace(bed: Testbed) -> str:
    """A new namespace for each test."""
    name = f"chart-{uuid.uuid4().hex[:8]}"
    bed.kubectl("create", "namespace", name)
    return name


@pytest.fixture
def helm(bed: Testbed, namespace: str, cluster_without_the_chart: None) -> RunHelm:
    """Helm in the test's namespace; `major` is 3 or 4."""

    def run_helm(*arguments: str, major: int = 4) -> subprocess.CompletedProcess[str]:
        helm: Helm = "helm3" if major == 3 else "helm4"
        return run(helm, *arguments, "--namespace", namespace, "--kubeconfig", str(bed.kubeconfig))

    return run_helm


@pytest.fixture
def cluster_without_the_chart(bed: Testbed) -> Iterator[None]:
    """Delete what a test installed for the whole cluster."""
    yield
    part = "--selector=app.kubernetes.io/part-of=spout-operator"
    bed.kubectl("delete", "clusterroles,clusterrolebindings", part, "--ignore-not-found")
    bed.kubectl("delete", "roles,rolebindings", part, "-A", "--ignore-not-found")
    bed.kubectl("delete", "crd", "spouts.spout-operator.io", "--ignore-not-found")
