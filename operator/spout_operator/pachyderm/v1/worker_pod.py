"""The Pod that pachd 1.13.4 makes for a spout's worker: what its podPatch is applied to.

Read in src/server/pps/server/worker_rc.go, `getWorkerOptions` and `workerPodSpec`.
`tests/contract/pachyderm/test_check.py` compares it with the ReplicationController that a real pachd makes.
"""

from spout_operator.core.model import PipelineSpec
from spout_operator.pachyderm import pods
from spout_operator.pachyderm.pods import Json

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
        *(pods.mount(secret.name, secret.mount_path) for secret in mounted),
        pods.mount("pach-bin", "/pach-bin"),
        pods.mount("pach-tmp", pods.ANY),
        pods.mount("pachyderm-worker", "/pfs"),
    ]
    storage_mounts = [
        pods.mount(pods.ANY, pods.ANY),
        pods.mount("pachyderm-storage-secret", "/pachyderm-storage-secret"),
        pods.mount("pachyderm-pachctl-secret", "/pachctl"),
    ]
    docker = pods.mount("docker", "/var/run/docker.sock")
    pod: Json = {
        "initContainers": [
            pods.container(
                "init", image=pods.ANY, command=["/app/init"], mounts=mounts, resources=_resources(spec, init=True)
            )
        ],
        "containers": [
            pods.container(
                "user",
                image=spec.transform.image,
                command=["/pach-bin/worker"],
                mounts=[*mounts, *storage_mounts, docker],
                resources=_resources(spec, init=False),
                env=_user_variables(pipeline, spec),
            ),
            pods.container(
                "storage",
                image=pods.ANY,
                command=["/pachd", "--mode", "sidecar"],
                mounts=storage_mounts,
                resources={"requests": {"cpu": "0", "memory": pods.ANY}},
                env=_storage_variables(),
            ),
        ],
        "serviceAccountName": pods.ANY,
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 0,
        "securityContext": {"runAsUser": 0},
        "volumes": [
            *(pods.secret_volume(secret.name, secret.name) for secret in mounted),
            {"name": "pach-bin", "emptyDir": {}},
            {"name": "pach-tmp", "emptyDir": {}},
            {"name": "pachyderm-worker", "emptyDir": {}},
            # pach-disk on the node where the server keeps its data there, else pach-dir-volume.
            {"name": pods.ANY, "hostPath": {"path": pods.ANY}, "emptyDir": {}},
            pods.secret_volume("pachyderm-storage-secret", "pachyderm-storage-secret"),
            pods.secret_volume("pachyderm-pachctl-secret", f"spout-pachctl-secret-{pipeline}"),
            {"name": "docker", "hostPath": {"path": "/var/run/docker.sock"}},
        ],
        # The last one is the server's own, where it has one.
        "imagePullSecrets": [*({"name": name} for name in spec.transform.image_pull_secrets), {"name": pods.ANY}],
    }
    if spec.scheduling_spec.node_selector:
        pod["nodeSelector"] = dict(spec.scheduling_spec.node_selector)
    if spec.scheduling_spec.priority_class_name:
        pod["priorityClassName"] = spec.scheduling_spec.priority_class_name
    return pod


def _resources(spec: PipelineSpec, *, init: bool) -> Json:
    # The server's defaults are 0 and 64M.
    requests = ["cpu", "memory", *pods.resource_names(spec.resource_requests)]
    if init:
        # It gets no GPU.
        requests = [name for name in requests if name in ("cpu", "memory", "ephemeral-storage")]
    return pods.resources(requests, pods.resource_names(spec.resource_limits))


def _user_variables(pipeline: str, spec: PipelineSpec) -> list[Json]:
    return [
        pods.variable("PPS_PIPELINE_NAME", pipeline),
        *pods.given_variables(spec.transform.env),
        *(pods.secret_variable(secret) for secret in spec.transform.secrets if secret.env_var),
        *(pods.variable(name) for name in ("PACH_ROOT", "PACH_CACHE_ROOT", "PACH_NAMESPACE")),
        pods.variable("PACH_IN_WORKER", "true"),
        pods.field_variable("PPS_WORKER_IP", "status.podIP"),
        pods.variable("PPS_ETCD_PREFIX"),
        pods.field_variable("PPS_POD_NAME", "metadata.name"),
        *(pods.variable(name) for name in ("PPS_SPEC_COMMIT", "PPS_WORKER_GRPC_PORT", "PEER_PORT", "METRICS")),
        *_server_variables(),
    ]


def _storage_variables() -> list[Json]:
    before = ("PACH_ROOT", "PACH_CACHE_ROOT", "PACH_NAMESPACE", "BLOCK_CACHE_BYTES", "PFS_CACHE_SIZE")
    after = ("STORAGE_BACKEND", "PORT", "HTTP_PORT", "PEER_PORT", "PPS_SPEC_COMMIT")
    return [
        *(pods.variable(name) for name in (*before, *after)),
        pods.field_variable("PACHD_POD_NAME", "metadata.name"),
        *(pods.variable(name) for name in ("GC_PERCENT", "METRICS")),
        *_server_variables(),
    ]


#: assets.go GetSecretEnvVars has the backend and 30 variables of its Secret; up to five come after them.
_SERVER_VARIABLES = 36


def _server_variables() -> list[Json]:
    reference = {"name": "pachyderm-storage-secret", "key": pods.ANY, "optional": True}
    either = {"name": pods.ANY, "value": pods.ANY, "valueFrom": {"secretKeyRef": reference}}
    return [{**either, "valueFrom": {"secretKeyRef": dict(reference)}} for _ in range(_SERVER_VARIABLES)]
