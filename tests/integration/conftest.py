"""A real kube-apiserver that knows the Spout resource, and a namespace in it for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client, config

from spout_testbed import Testbed

ROOT = Path(__file__).parents[2]
CRD_FILE = ROOT / "crds" / "spouts.spout-operator.io.yaml"
CRD_NAME = "spouts.spout-operator.io"
SPOUTS = ("spout-operator.io", "v1alpha1")


@pytest.fixture(scope="session")
def bed() -> Iterator[Testbed]:
    """The servers: etcd and kube-apiserver, without Pachyderm."""
    with Testbed.start(pachyderm=False) as bed:
        yield bed


@pytest.fixture(scope="session")
def crd(bed: Testbed) -> str:
    """Name of the CustomResourceDefinition, installed and served."""
    bed.kubectl("apply", "--server-side", "-f", str(CRD_FILE))
    bed.kubectl("wait", "--for=condition=Established", "--timeout=30s", f"crd/{CRD_NAME}")
    return CRD_NAME


@pytest.fixture(scope="session")
def kube(bed: Testbed, crd: str) -> Iterator[client.ApiClient]:
    """The administrator's client of an API server that serves Spouts."""
    with config.new_client_from_config(config_file=str(bed.kubeconfig)) as kube:
        yield kube


@pytest.fixture
def namespace(kube: client.ApiClient) -> Iterator[str]:
    """A namespace of the test's own."""
    core = client.CoreV1Api(kube)
    name = core.create_namespace({"metadata": {"generateName": "test-"}}).metadata.name
    yield name
    _empty(kube, name)
    core.delete_namespace(name)
    # No controller manager runs here: nobody else would take the namespace's own finalizer off.
    core.replace_namespace_finalize(name, {"metadata": {"name": name}, "spec": {"finalizers": []}})


def _empty(kube: client.ApiClient, namespace: str) -> None:
    """Delete the Spouts that a test left behind, also those that an operator would have had to release."""
    api = client.CustomObjectsApi(kube)
    for spout in api.list_namespaced_custom_object(*SPOUTS, namespace, "spouts")["items"]:
        where = (*SPOUTS, namespace, "spouts", spout["metadata"]["name"])
        if spout["metadata"].get("finalizers"):
            api.patch_namespaced_custom_object(*where, {"metadata": {"finalizers": None}})
        if not spout["metadata"].get("deletionTimestamp"):
            api.delete_namespaced_custom_object(*where)
