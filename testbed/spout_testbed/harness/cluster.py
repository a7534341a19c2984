"""The cluster of a bed: the administrator's client, what the operator needs there, and namespaces."""

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client, config

from spout_testbed import Testbed
from spout_testbed.forward import Forwarder
from spout_testbed.harness.bodies import GROUP, PLURAL, VERSION
from spout_testbed.network import APISERVER_PORT, LOOPBACK
from spout_testbed.waiting import eventually

ROOT = Path(__file__).parents[3]
"""The repository."""
CRD_FILE = ROOT / "crds" / "spouts.spout-operator.io.yaml"
CRD_NAME = f"{PLURAL}.{GROUP}"


def administrator(bed: Testbed) -> client.ApiClient:
    """The official client with all rights; a `with` statement closes it."""
    return client_of(bed.kubeconfig)


def client_of(kubeconfig: Path, *, retries: bool = True) -> client.ApiClient:
    """The official client of the user in a kubeconfig; a `with` statement closes it."""
    settings = client.Configuration()
    if not retries:
        settings.retries = False
    # The client has types, but this helper has none.
    config.load_kube_config(str(kubeconfig), client_configuration=settings)  # type: ignore[no-untyped-call]
    return client.ApiClient(settings)


def install_crd(bed: Testbed) -> None:
    """Install the CustomResourceDefinition alone; return when it is served and documented."""
    bed.kubectl("apply", "--server-side", "-f", str(CRD_FILE))
    wait_for_crd(bed)
    # The documentation of the fields, which kubectl explains and validates from, follows a moment later.
    eventually(
        lambda: bed.kubectl("explain", PLURAL, check=False).returncode == 0, what="kubectl to be able to explain Spouts"
    )


def install(bed: Testbed) -> None:
    """Install the CustomResourceDefinition, and the operator's account with the rights of overlays/cluster-wide."""
    bed.kubectl("apply", "-k", str(ROOT / "deploy" / "overlays" / "cluster-wide"))
    wait_for_crd(bed)


def wait_for_crd(bed: Testbed, *names: str) -> None:
    """Wait until the resources of these CustomResourceDefinitions are served; without a name, Spouts."""
    found = [f"crd/{name}" for name in names or (CRD_NAME,)]

    def is_established() -> bool:
        # The command fails at once where a new CRD has no conditions yet.
        return bed.kubectl("wait", "--for=condition=Established", "--timeout=5s", *found, check=False).returncode == 0

    eventually(is_established, what=f"{', '.join(found)} to be established")


@contextlib.contextmanager
def forwarded(kubeconfig: Path, copy: Path) -> Iterator[Forwarder]:
    """Write to `copy` the same way to the API server, but by way of the forwarder that is returned."""
    settings = yaml.safe_load(kubeconfig.read_text())
    with Forwarder((LOOPBACK, 0), (LOOPBACK, APISERVER_PORT)) as forwarder:
        settings["clusters"][0]["cluster"]["server"] = f"https://{LOOPBACK}:{forwarder.port}"
        copy.write_text(yaml.safe_dump(settings))
        yield forwarder


@contextlib.contextmanager
def a_namespace(kube: client.ApiClient, prefix: str = "test") -> Iterator[str]:
    """A new namespace; it goes at the end, with the Spouts that are left in it and without their pipelines."""
    name = f"{prefix}-{uuid.uuid4().hex[:12]}"
    core = client.CoreV1Api(kube)
    core.create_namespace(_namespace(name))
    yield name
    empty(kube, name)
    core.delete_namespace(name)
    finalize(kube, name)


def finalize(kube: client.ApiClient, namespace: str) -> None:
    """Let a namespace go that is being deleted: without a controller manager, nobody else takes its finalizer off."""
    client.CoreV1Api(kube).replace_namespace_finalize(namespace, _namespace(namespace))


def empty(kube: client.ApiClient, namespace: str) -> None:
    """Delete all Spouts of a namespace, also those that an operator would have to release."""
    api = client.CustomObjectsApi(kube)
    place = (GROUP, VERSION, namespace, PLURAL)
    left: Any = api.list_namespaced_custom_object(*place)
    for metadata in (spout["metadata"] for spout in left["items"]):
        if "deletionTimestamp" not in metadata:
            api.delete_namespaced_custom_object(*place, metadata["name"])
        if metadata.get("finalizers"):
            api.patch_namespaced_custom_object(*place, metadata["name"], {"metadata": {"finalizers": None}})


def _namespace(name: str) -> client.V1Namespace:
    return client.V1Namespace(metadata=client.V1ObjectMeta(name=name), spec=client.V1NamespaceSpec(finalizers=[]))
