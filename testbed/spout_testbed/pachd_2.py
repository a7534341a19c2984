"""pachd 2, outside a cluster but with the rights from its own chart."""

from pathlib import Path

from spout_testbed import apiserver, network, pachd, postgres
from spout_testbed.kube_api import Json, KubeApi
from spout_testbed.network import BED_ADDRESS, LOOPBACK
from spout_testbed.server import Server

PLACE = pachd.Place(namespace="pachyderm-2", ports=network.PACHD_2)

SERVICES = pachd.services(PLACE, etcd_port=network.PACHYDERM_ETCD_PORT)

_POD = "pachd-0"
_POSTGRES_SECRET = "postgres"  # noqa: S105 - a name

# As in its chart's templates/pachd/rbac/role.yaml.
_RIGHTS: list[Json] = [
    {"apiGroups": [""], "verbs": pachd.READ, "resources": ["pods", "pods/log", "endpoints", "events"]},
    {
        "apiGroups": [""],
        "verbs": [*pachd.READ, "create", "update", "delete"],
        "resources": ["replicationcontrollers", "replicationcontrollers/scale", "services"],
    },
    {
        "apiGroups": [""],
        "verbs": [*pachd.READ, "create", "update", "delete", "deletecollection"],
        "resources": ["secrets"],
    },
    {
        "apiGroups": ["apps", "extensions"],
        "verbs": ["get", "list", "patch", "update"],
        "resources": ["deployments", "deployments/scale"],
    },
    {"apiGroups": [""], "verbs": ["get", "update", "create"], "resources": ["configmaps"]},
]

# As in its chart's templates/pachd/rbac/worker-role.yaml.
_WORKER_RIGHTS: list[Json] = [
    {"apiGroups": [""], "verbs": ["get", "list", "update", "create", "delete"], "resources": ["services", "pods"]},
]
_WORKER = "pachyderm-worker"


def prepare_cluster(api: KubeApi) -> None:
    """Create the namespace of pachd, grant pachd its rights, and create the Pod that pachd takes for its own.

    pachd reads from its Pod which Secret has the password of PostgreSQL, and gives the workers the same reference.
    """
    pachd.prepare_namespace(api, PLACE)
    user = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": apiserver.PACHYDERM_2}
    pachd.grant(api, "pachyderm", user, _RIGHTS, namespace=PLACE.namespace)
    account = {"kind": "ServiceAccount", "name": _WORKER, "namespace": PLACE.namespace}
    api.ensure(f"/api/v1/namespaces/{PLACE.namespace}/serviceaccounts", {"metadata": {"name": _WORKER}})
    pachd.grant(api, _WORKER, account, _WORKER_RIGHTS, namespace=PLACE.namespace)
    secret: Json = {"metadata": {"name": _POSTGRES_SECRET}, "stringData": {"password": postgres.PASSWORD}}
    api.ensure(f"/api/v1/namespaces/{PLACE.namespace}/secrets", secret)
    reference = {"secretKeyRef": {"name": _POSTGRES_SECRET, "key": "password"}}
    container = {
        "name": "pachd",
        "image": "pachyderm/pachd",
        "env": [{"name": "POSTGRES_PASSWORD", "valueFrom": reference}],
    }
    pod: Json = {"metadata": {"name": _POD, "labels": {"app": "pachd"}}, "spec": {"containers": [container]}}
    api.ensure(f"/api/v1/namespaces/{PLACE.namespace}/pods", pod)


def pachd_2(binaries: Path, folder: Path, *, version: str) -> Server:
    """A pachd that keeps its chunks in `folder`, and its metadata in PostgreSQL and etcd.

    Args:
        binaries: the folder of its programs.
        folder: where it writes.
        version: the whole version, such as `2.12.2`, for the names of its images.
    """
    root = folder / "root"
    root.mkdir(parents=True, exist_ok=True)
    env = {
        "ETCD_SERVICE_HOST": LOOPBACK,
        "ETCD_SERVICE_PORT": str(network.PACHYDERM_ETCD_PORT),
        "KUBERNETES_PORT_443_TCP_ADDR": LOOPBACK,
        "KUBERNETES_PORT": str(network.APISERVER_PORT),
        "KUBERNETES_BEARER_TOKEN_FILE": str(apiserver.token_file(folder, apiserver.PACHYDERM_2)),
        "POSTGRES_HOST": BED_ADDRESS,
        "POSTGRES_PORT": str(network.POSTGRES_PORT),
        "POSTGRES_USER": postgres.USER,
        "POSTGRES_PASSWORD": postgres.PASSWORD,
        "POSTGRES_DATABASE": postgres.DATABASES[0],
        "IDENTITY_SERVER_DATABASE": postgres.DATABASES[1],
        # PostgreSQL itself does what PgBouncer would.
        "PG_BOUNCER_HOST": BED_ADDRESS,
        "PG_BOUNCER_PORT": str(network.POSTGRES_PORT),
        "PACHD_POD_NAME": _POD,
        "PACHD_SERVICE_HOST": LOOPBACK,
        "PACHD_SERVICE_PORT": str(PLACE.ports.api),
        "PROMETHEUS_PORT": str(PLACE.ports.prometheus),
        "DOWNLOAD_PORT": str(PLACE.ports.download),
        "PPS_WORKER_GRPC_PORT": str(network.WORKER_PORT),
        "PACH_ROOT": str(root),
        "STORAGE_BACKEND": "LOCAL",
        "STORAGE_HOST_PATH": str(root),
        "WORKER_IMAGE": pachd.worker_image(version),
        "WORKER_SIDECAR_IMAGE": pachd.sidecar_image(version),
        "WORKER_IMAGE_PULL_POLICY": "IfNotPresent",
        "PACHD_MEMORY_REQUEST": "1G",
    }
    return pachd.pachd(f"pachd {version}", binaries, folder, PLACE, env)
