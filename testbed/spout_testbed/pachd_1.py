"""pachd 1.13.4, outside a cluster but with the rights from its own manifest."""

from pathlib import Path

from spout_testbed import network, pachd, versions
from spout_testbed.kube_api import Json, KubeApi
from spout_testbed.network import LOOPBACK
from spout_testbed.server import Server

PLACE = pachd.Place(namespace="pachyderm", ports=network.PACHD_1)

SERVICES = pachd.services(PLACE, etcd_port=network.ETCD_PORT)
VERSION = versions.PACHYDERM["1.13"]

# As in Pachyderm's src/server/pkg/deploy/assets/assets.go (rolePolicyRules).
_RIGHTS: list[Json] = [
    {"apiGroups": [""], "verbs": pachd.READ, "resources": ["nodes", "pods", "pods/log", "endpoints"]},
    {
        "apiGroups": [""],
        "verbs": [*pachd.READ, "create", "update", "delete"],
        "resources": ["replicationcontrollers", "services", "replicationcontrollers/scale"],
    },
    {
        "apiGroups": [""],
        "verbs": [*pachd.READ, "create", "update", "delete", "deletecollection"],
        "resources": ["secrets"],
    },
]


def prepare_cluster(api: KubeApi) -> None:
    """Create the namespace of pachd, and grant pachd its rights."""
    pachd.prepare_namespace(api, PLACE)
    # pachd finds no ServiceAccount files here, so it sends its requests to the API server without credentials.
    user = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "system:anonymous"}
    pachd.grant(api, "pachyderm", user, _RIGHTS)


def pachd_1(binaries: Path, folder: Path) -> Server:
    """A pachd that keeps its blocks in `folder`, and its metadata in etcd."""
    root = folder / "root"
    root.mkdir(parents=True, exist_ok=True)
    env = {
        "ETCD_SERVICE_HOST": LOOPBACK,
        "ETCD_SERVICE_PORT": str(network.ETCD_PORT),
        "KUBERNETES_PORT_443_TCP_ADDR": LOOPBACK,
        "PACHD_POD_NAME": "pachd-0",
        "HTTP_PORT": str(PLACE.ports.http),
        "SAML_PORT": str(PLACE.ports.saml),
        "PPS_WORKER_GRPC_PORT": str(network.WORKER_PORT),
        "PACH_ROOT": str(root),
        "PACH_CACHE_ROOT": str(folder / "cache"),
        "STORAGE_BACKEND": "LOCAL",
        "STORAGE_HOST_PATH": str(root),
        "WORKER_IMAGE": pachd.worker_image(VERSION),
        "WORKER_SIDECAR_IMAGE": pachd.sidecar_image(VERSION),
        "WORKER_IMAGE_PULL_POLICY": "IfNotPresent",
        "NO_EXPOSE_DOCKER_SOCKET": "true",
        "PACHD_MEMORY_REQUEST": "1G",
        # pachd has defaults for these two settings, but fails every pipeline if they are not set.
        "STORAGE_UPLOAD_CONCURRENCY_LIMIT": "100",
        "STORAGE_PUT_FILE_CONCURRENCY_LIMIT": "100",
    }
    return pachd.pachd("pachd", binaries, folder, PLACE, env)
