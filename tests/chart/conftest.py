"""A kube-apiserver for the chart, and Helm as its administrator."""

import subprocess
import uuid
from collections.abc import Callable, Iterator

import pytest

from spout_testbed import Testbed
from spout_testbed.programs import run
from tests.chart.charts import Helm

CRDS = ("podmonitors", "servicemonitors", "prometheusrules")
KINDS = {"podmonitors": "PodMonitor", "servicemonitors": "ServiceMonitor", "prometheusrules": "PrometheusRule"}
RunHelm = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def bed() -> Iterator[Testbed]:
    """The servers; the kinds of the Prometheus operator are there by name, without its schemas."""
    with Testbed.start() as bed:
        bed.kubectl("apply", "-f", "-", input="\n---\n".join(_monitoring_crd(plural) for plural in CRDS))
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
        program: Helm = "helm3" if major == 3 else "helm4"
        return run(program, *arguments, "--namespace", namespace, "--kubeconfig", str(bed.kubeconfig))

    return run_helm


@pytest.fixture
def cluster_without_the_chart(bed: Testbed) -> Iterator[None]:
    """What a test installed for the whole cluster is gone after it."""
    yield
    part = "--selector=app.kubernetes.io/part-of=spout-operator"
    bed.kubectl("delete", "clusterroles,clusterrolebindings", part, "--ignore-not-found")
    bed.kubectl("delete", "roles,rolebindings", part, "-A", "--ignore-not-found")
    bed.kubectl("delete", "crd", "spouts.spout-operator.io", "--ignore-not-found")


def _monitoring_crd(plural: str) -> str:
    return f"""\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: {plural}.monitoring.coreos.com}}
spec:
  group: monitoring.coreos.com
  scope: Namespaced
  names: {{kind: {KINDS[plural]}, plural: {plural}, singular: {plural.removesuffix("s")}}}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}
"""
