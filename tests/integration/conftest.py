"""A real kube-apiserver that knows the Spout resource, and a namespace in it for each test."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from spout_testbed import Testbed
from spout_testbed.waiting import wait_until
from tests.support.kube import administrator

ROOT = Path(__file__).parents[2]
CRD_FILE = ROOT / "crds" / "spouts.spout-operator.io.yaml"
CRD_NAME = "spouts.spout-operator.io"


@pytest.fixture(scope="session")
def bed() -> Iterator[Testbed]:
    """The servers: etcd and kube-apiserver, without Pachyderm."""
    with Testbed.start(pachyderm=False) as bed:
        yield bed


@pytest.fixture(scope="session")
def crd(bed: Testbed) -> str:
    """Name of the CustomResourceDefinition, installed, served and documented."""
    bed.kubectl("apply", "--server-side", "-f", str(CRD_FILE))
    bed.kubectl("wait", "--for=condition=Established", "--timeout=30s", f"crd/{CRD_NAME}")
    # The documentation of the fields, which kubectl explains and validates from, follows a moment later.
    wait_until(
        lambda: bed.kubectl("explain", "spouts", check=False).returncode == 0,
        what="kubectl explains Spouts",
        timeout=30,
    )
    return CRD_NAME


@pytest.fixture(scope="session")
def kube(bed: Testbed, crd: str) -> Iterator[client.ApiClient]:
    """The administrator's client of an API server that serves Spouts."""
    with administrator(bed) as kube:
        yield kube


@pytest.fixture
def namespace(kube: client.ApiClient) -> Iterator[str]:
    """A namespace of the test's own."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    core = client.CoreV1Api(kube)
    core.create_namespace(_namespace(name))
    yield name
    _empty(kube, name)
    core.delete_namespace(name)
    # No controller manager runs here: nobody else would take the namespace's own finalizer off.
    core.replace_namespace_finalize(name, _namespace(name))


def _namespace(name: str) -> client.V1Namespace:
    return client.V1Namespace(metadata=client.V1ObjectMeta(name=name), spec=client.V1NamespaceSpec(finalizers=[]))


def _empty(kube: client.ApiClient, namespace: str) -> None:
    """Delete the Spouts that a test left behind, also those that an operator would have had to release."""
    api = client.CustomObjectsApi(kube)
    place = ("spout-operator.io", "v1alpha1", namespace, "spouts")
    left: Any = api.list_namespaced_custom_object(*place)
    for metadata in (spout["metadata"] for spout in left["items"]):
        if "deletionTimestamp" not in metadata:
            api.delete_namespaced_custom_object(*place, metadata["name"])
        if metadata.get("finalizers"):
            api.patch_namespaced_custom_object(*place, metadata["name"], {"metadata": {"finalizers": None}})
