"""The Pod that pachd 1.13.4 makes for a spout's worker: what its podPatch is applied to.

Read in src/server/pps/server/worker_rc.go, `getWorkerOptions` and `workerPodSpec`.
`tests/contract/pachyderm/test_check.py` compares it with the ReplicationController that a real pachd makes.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from spout_operator.core.model import PipelineSpec, Resources, SecretMount

Json = dict[str, Any]

#: ppsconsts and worker_rc.go: the volumes of every spout, with the Secrets beside them, and those of some servers only.
VOLUMES = ("pach-bin", "pach-tmp", "pachyderm-worker", "pachyderm-storage-secret", "pachyderm-pachctl-secret")
VOLUMES_OF_SOME_SERVERS = ("pach-disk", "pach-dir-volume", "docker")
#: Where those are mounted in the user container. /pach and /pach-cache are defaults that a server can change.
MOUNT_PATHS = (
    "/pach-bin",
    "/pach-cache",
    "/pfs",
    "/pach",
    "/pachyderm-storage-secret",
    "/pachctl",
    "/var/run/docker.sock",
)


class AnyText(str):
    """A text that the server's configuration decides: it equals every text."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


_ANY = AnyText("decided-by-the-server")


def worker_pod(pipeline: str, spec: PipelineSpec) -> Json:
    """The PodSpec of a spout's worker, as JSON, before the podPatch.

    It has whatever any configuration of the server gives it: all volumes, all variables, a securityContext and an
    imagePullSecret. So what does not apply to it applies to no server's. A new object at each call, without nulls.

    Args:
        pipeline: the pipeline's name.
        spec: what it is made of.
    """
    mounted = [secret for secret in spec.transform.secrets if secret.mount_path]
    mounts = [
        *(_mount(secret.name, secret.mount_path) for secret in mounted),
        _mount("pach-bin", "/pach-bin"),
        _mount("pach-tmp", _ANY),
        _mount("pachyderm-worker", "/pfs"),
    ]
    storage_mounts = [
        _mount(_ANY, _ANY),
        _mount("pachyderm-storage-secret", "/pachyderm-storage-secret"),
        _mount("pachyderm-pachctl-secret", "/pachctl"),
    ]
    docker = _mount("docker", "/var/run/docker.sock")
    pod: Json = {
        "initContainers": [
            _container("init", image=_ANY, command=["/app/init"], mounts=mounts, resources=_resources(spec, init=True))
        ],
        "containers": [
            _container(
                "user",
                image=spec.transform.image,
                command=["/pach-bin/worker"],
                mounts=[*mounts, *storage_mounts, docker],
                resources=_resources(spec, init=False),
                env=_user_variables(pipeline, spec),
            ),
            _container(
                "storage",
                image=_ANY,
                command=["/pachd", "--mode", "sidecar"],
                mounts=storage_mounts,
                resources={"requests": {"cpu": "0", "memory": _ANY}},
                env=_storage_variables(),
            ),
        ],
        "serviceAccountName": _ANY,
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 0,
        "securityContext": {"runAsUser": 0},
        "volumes": [
            *(_secret_volume(secret.name, secret.name) for secret in mounted),
            {"name": "pach-bin", "emptyDir": {}},
            {"name": "pach-tmp", "emptyDir": {}},
            {"name": "pachyderm-worker", "emptyDir": {}},
            # pach-disk on the node where the server keeps its data there, else pach-dir-volume.
            {"name": _ANY, "hostPath": {"path": _ANY}, "emptyDir": {}},
            _secret_volume("pachyderm-storage-secret", "pachyderm-storage-secret"),
            _secret_volume("pachyderm-pachctl-secret", f"spout-pachctl-secret-{pipeline}"),
            {"name": "docker", "hostPath": {"path": "/var/run/docker.sock"}},
        ],
        # The last one is the server's own, where it has one.
        "imagePullSecrets": [*({"name": name} for name in spec.transform.image_pull_secrets), {"name": _ANY}],
    }
    if spec.scheduling_spec.node_selector:
        pod["nodeSelector"] = dict(spec.scheduling_spec.node_selector)
    if spec.scheduling_spec.priority_class_name:
        pod["priorityClassName"] = spec.scheduling_spec.priority_class_name
    return pod


def _container(
    name: str,
    *,
    image: str,
    command: Sequence[str],
    mounts: Iterable[Json],
    resources: Json,
    env: Sequence[Json] = (),
) -> Json:
    found: Json = {
        "name": name,
        "image": image,
        "command": list(command),
        "resources": resources,
        "volumeMounts": [dict(mount) for mount in mounts],
        "imagePullPolicy": _ANY,
    }
    return {**found, "env": list(env)} if env else found


def _resources(spec: PipelineSpec, *, init: bool) -> Json:
    # Kubernetes writes quantities in its own form, and the server's defaults are its own: 0 and 64M.
    requests = ["cpu", "memory", *_names(spec.resource_requests)]
    if init:
        # It gets no GPU.
        requests = [name for name in requests if name in ("cpu", "memory", "ephemeral-storage")]
    limits = _names(spec.resource_limits)
    found: Json = {"requests": dict.fromkeys(requests, _ANY)}
    return {**found, "limits": dict.fromkeys(limits, _ANY)} if limits else found


def _names(resources: Resources) -> list[str]:
    named = {"cpu": resources.cpu, "memory": resources.memory, "ephemeral-storage": resources.disk}
    return [*(name for name, amount in named.items() if amount), *([resources.gpu.type] if resources.gpu else [])]


def _user_variables(pipeline: str, spec: PipelineSpec) -> list[Json]:
    env = spec.transform.env
    # Of several, pachd writes each ReplicationController in another order.
    given = [_variable(*pair) for pair in env.items()] if len(env) == 1 else [_variable(_ANY) for _ in env]
    return [
        _variable("PPS_PIPELINE_NAME", pipeline),
        *given,
        *(_secret_variable(secret) for secret in spec.transform.secrets if secret.env_var),
        *(_variable(name) for name in ("PACH_ROOT", "PACH_CACHE_ROOT", "PACH_NAMESPACE")),
        _variable("PACH_IN_WORKER", "true"),
        _field_variable("PPS_WORKER_IP", "status.podIP"),
        _variable("PPS_ETCD_PREFIX"),
        _field_variable("PPS_POD_NAME", "metadata.name"),
        *(_variable(name) for name in ("PPS_SPEC_COMMIT", "PPS_WORKER_GRPC_PORT", "PEER_PORT", "METRICS")),
        *_server_variables(),
    ]


def _storage_variables() -> list[Json]:
    before = ("PACH_ROOT", "PACH_CACHE_ROOT", "PACH_NAMESPACE", "BLOCK_CACHE_BYTES", "PFS_CACHE_SIZE")
    after = ("STORAGE_BACKEND", "PORT", "HTTP_PORT", "PEER_PORT", "PPS_SPEC_COMMIT")
    return [
        *(_variable(name) for name in (*before, *after)),
        _field_variable("PACHD_POD_NAME", "metadata.name"),
        *(_variable(name) for name in ("GC_PERCENT", "METRICS")),
        *_server_variables(),
    ]


#: assets.go GetSecretEnvVars has the backend and 30 variables of its Secret; up to five come after them.
_SERVER_VARIABLES = 36


def _server_variables() -> list[Json]:
    reference = {"name": "pachyderm-storage-secret", "key": _ANY, "optional": True}
    either = {"name": _ANY, "value": _ANY, "valueFrom": {"secretKeyRef": reference}}
    return [{**either, "valueFrom": {"secretKeyRef": dict(reference)}} for _ in range(_SERVER_VARIABLES)]


def _variable(name: str, value: str = _ANY) -> Json:
    return {"name": name, "value": value}


def _field_variable(name: str, path: str) -> Json:
    return {"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}


def _secret_variable(secret: SecretMount) -> Json:
    return {"name": secret.env_var, "valueFrom": {"secretKeyRef": {"name": secret.name, "key": secret.key}}}


def _secret_volume(name: str, secret: str) -> Json:
    return {"name": name, "secret": {"secretName": secret}}


def _mount(name: str, path: str) -> Json:
    return {"name": name, "mountPath": path}
