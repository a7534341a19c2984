"""A kube-apiserver for the chart, and Helm as its administrator."""

import subprocess
import uuid
from collections.abc import Callable, Iterator

import pytest

from spout_testbed import Testbed
from spout_testbed.programs import program, run
from tests.chart.charts import Helm

CRDS = ("podmonitors", "servicemonitors", "prometheusrules")
RunHelm = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def bed() -> Iterator[Testbed]:
    """The servers, with the CRDs of the Prometheus operator's own release."""
    with Testbed.start() as bed:
        for plural in CRDS:
            file = program("prometheus-operator") / f"monitoring.coreos.com_{plural}.yaml"
            bed.kubectl("apply", "--server-side", "-f", str(file))
        names = [f"crd/{plural}.monitoring.coreos.com" for plural in CRDS]
        bed.kubectl("wait", "--for=condition=Established", *names, "--timeout=30s")
        yield bed


@pytest.fixture
def namespace(bed: Testbed) -> str:
    """A namespace of the test's own."""
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
    """What a test installed for the whole cluster is gone after it."""
    yield
    part = "--selector=app.kubernetes.io/part-of=spout-operator"
    bed.kubectl("delete", "clusterroles,clusterrolebindings", part, "--ignore-not-found")
    bed.kubectl("delete", "roles,rolebindings", part, "-A", "--ignore-not-found")
    bed.kubectl("delete", "crd", "spouts.spout-operator.io", "--ignore-not-found")
