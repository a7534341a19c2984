"""pachd 1.13.4, outside a cluster but with the rights from its own manifest."""

import json
import subprocess
from pathlib import Path

from spout_testbed import network
from spout_testbed.kube_api import Json, KubeApi
from spout_testbed.network import LOOPBACK
from spout_testbed.server import Server

NAMESPACE = "pachyderm"
ADDRESS = f"grpc://{LOOPBACK}:{network.PACHD_PORT}"

ETCD_AND_KUBERNETES = {
    "ETCD_SERVICE_HOST": LOOPBACK,
    "ETCD_SERVICE_PORT": str(network.ETCD_PORT),
    "KUBERNETES_PORT_443_TCP_ADDR": LOOPBACK,
}
"""The variables that Kubernetes sets in every Pod for these two Services. Workers get them too."""

# As in Pachyderm's src/server/pkg/deploy/assets/assets.go (rolePolicyRules).
_READ = ["get", "list", "watch"]
_RIGHTS = [
    {"apiGroups": [""], "verbs": _READ, "resources": ["nodes", "pods", "pods/log", "endpoints"]},
    {
        "apiGroups": [""],
        "verbs": [*_READ, "create", "update", "delete"],
        "resources": ["replicationcontrollers", "services", "replicationcontrollers/scale"],
    },
    {
        "apiGroups": [""],
        "verbs": [*_READ, "create", "update", "delete", "deletecollection"],
        "resources": ["secrets"],
    },
]


def prepare_cluster(api: KubeApi) -> None:
    """Create the namespace of pachd, and grant pachd its rights.

    pachd finds no ServiceAccount files here, so it sends its requests to the API server without credentials. That user
    (`system:anonymous`) gets the rights that the ServiceAccount of pachd would have.
    """
    api.ensure("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    # A local deployment of Pachyderm also has this empty Secret. Each worker mounts it.
    storage: Json = {"metadata": {"name": "pachyderm-storage-secret"}}
    api.ensure(f"/api/v1/namespaces/{NAMESPACE}/secrets", storage)
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    role: Json = {"metadata": {"name": "pachyderm"}, "rules": _RIGHTS}
    api.ensure(f"{rbac}/clusterroles", role)
    binding: Json = {
        "metadata": {"name": "pachyderm"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "pachyderm"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "system:anonymous"}],
    }
    api.ensure(f"{rbac}/clusterrolebindings", binding)


def pachd_server(binaries: Path, folder: Path) -> Server:
    """A pachd that keeps its blocks in `folder`, and its metadata in etcd."""
    root = folder / "root"
    root.mkdir(parents=True, exist_ok=True)
    config = _write_config(config_in(folder))
    return Server(
        "pachd",
        [str(binaries / "pachd")],
        env={
            **ETCD_AND_KUBERNETES,
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "PACHD_POD_NAME": "pachd-0",
            "PACH_NAMESPACE": NAMESPACE,
            "PORT": str(network.PACHD_PORT),
            "PEER_PORT": str(network.PACHD_PEER_PORT),
            "HTTP_PORT": str(network.PACHD_HTTP_PORT),
            "S3GATEWAY_PORT": str(network.PACHD_S3_PORT),
            "SAML_PORT": str(network.PACHD_SAML_PORT),
            "OIDC_PORT": str(network.PACHD_OIDC_PORT),
            "PPS_WORKER_GRPC_PORT": str(network.WORKER_PORT),
            "PACH_ROOT": str(root),
            "PACH_CACHE_ROOT": str(folder / "cache"),
            "STORAGE_BACKEND": "LOCAL",
            "STORAGE_HOST_PATH": str(root),
            "WORKER_IMAGE": "pachyderm/worker:1.13.4",
            "WORKER_SIDECAR_IMAGE": "pachyderm/pachd:1.13.4",
            "WORKER_IMAGE_PULL_POLICY": "IfNotPresent",
            "NO_EXPOSE_DOCKER_SOCKET": "true",
            "PACHD_MEMORY_REQUEST": "1G",
            "METRICS": "false",
            # pachd has defaults for these two settings, but fails every pipeline if they are not set.
            "STORAGE_UPLOAD_CONCURRENCY_LIMIT": "100",
            "STORAGE_PUT_FILE_CONCURRENCY_LIMIT": "100",
        },
        log=folder / "log",
        ready=lambda _output: _is_ready(binaries, config),
        ready_means=f"it lists its pipelines on port {network.PACHD_PORT}",
    )


def config_in(folder: Path) -> Path:
    """The file with which pachctl reaches this pachd (`PACH_CONFIG`)."""
    return folder / "pachctl.json"


def _write_config(path: Path) -> Path:
    contexts = {"testbed": {"pachd_address": ADDRESS}}
    path.write_text(json.dumps({"user_id": "testbed", "v2": {"active_context": "testbed", "contexts": contexts}}))
    return path


def _is_ready(binaries: Path, config: Path) -> bool:
    if not network.port_answers(network.PACHD_PORT) or not network.port_answers(network.PACHD_PEER_PORT):
        return False
    # The port accepts connections before the server answers requests.
    command = [str(binaries / "pachctl"), "list", "pipeline"]
    try:
        answer = subprocess.run(command, env={"PACH_CONFIG": str(config)}, capture_output=True, timeout=10, check=False)
    except subprocess.TimeoutExpired:
        return False
    return answer.returncode == 0
