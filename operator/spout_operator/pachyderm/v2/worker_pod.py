"""The Pod that pachd 2.12.2 makes for a spout's worker: what its podPatch is applied to.

Read in src/server/pps/server/worker_rc.go, `getWorkerOptions` and `workerPodSpec`.
`tests/contract/pachyderm/test_check.py` compares it with the ReplicationController that a real pachd makes.
"""

from spout_operator.core.model import PipelineName, PipelineSpec, Resources, Toleration
from spout_operator.pachyderm import pods
from spout_operator.pachyderm.pods import Json

#: The volumes of every spout, with the Secrets beside them, and those of some servers only.
VOLUMES = ("pach-bin", "pachyderm-worker", "tmp", "pachyderm-storage-secret", "pachyderm-pachctl-secret")
VOLUMES_OF_SOME_SERVERS = ("pach-disk", "pach-dir-volume", "user-tmp")
#: Where those are mounted in the user container. /pach is a default that a server can change; only a server that keeps
#: its data on the node mounts nothing at /tmp.
MOUNT_PATHS = ("/pach-bin", "/pfs", "/pach", "/tmp", "/pachyderm-storage-secret", "/pachctl")  # noqa: S108 - in a Pod

#: workerPodSpec, commonEnv: variables of both containers.
_COMMON = (
    *("PACH_ROOT", "PACH_NAMESPACE", "STORAGE_BACKEND", "STORAGE_URL", "POSTGRES_USER", "POSTGRES_PASSWORD"),
    *("POSTGRES_DATABASE", "PG_BOUNCER_HOST", "PG_BOUNCER_PORT", "PEER_PORT", "PPS_SPEC_COMMIT", "PPS_PROJECT_NAME"),
    *("PPS_PIPELINE_NAME", "LOKI_SERVICE_HOST", "LOKI_SERVICE_PORT", "GOCOVERDIR", "POSTGRES_PORT", "POSTGRES_HOST"),
)
#: After them: up to three of the log's, and three of features that a server can have.
_OTHERS = 6
#: In the storage container also up to nine of getStorageEnvVars, and two of its memory.
_OTHERS_OF_STORAGE = _OTHERS + 9 + 2
#: pach-disk, or pach-dir-volume and user-tmp; tmp; the Secrets for storage, TLS and pachctl.
_VOLUMES_OF_SERVER, _MOUNTS_OF_USER, _MOUNTS_OF_STORAGE = 6, 4, 5
#: src/server/worker/stats: of the user container and of its sidecar.
_PORTS = (9090, 9091)
#: As whom pachd's own containers run.
_PACHYDERM = 1000


def worker_pod(name: PipelineName, spec: PipelineSpec) -> Json:
    """The PodSpec of a spout's worker, as JSON, before the podPatch.

    It has whatever any configuration of pachd gives it: all volumes, all variables, a securityContext and an
    imagePullSecret. So what does not apply to it applies to no server's, unless cluster or project defaults of that
    server add limits, tolerations or a scheduling to the spec. A new object at each call, without nulls.

    Args:
        name: the pipeline's name.
        spec: what it is made of.
    """
    mounted = [secret for secret in spec.transform.secrets if secret.mount_path]
    mounts = [
        *(pods.mount(secret.name, secret.mount_path) for secret in mounted),
        pods.mount("pach-bin", "/pach-bin"),
        pods.mount("pachyderm-worker", "/pfs"),
    ]
    user_id = int(spec.transform.user) if spec.transform.user.isdecimal() else None
    pod: Json = {
        "initContainers": [
            pods.container("init", image=pods.ANY, command=["/app/init"], mounts=mounts, resources=_init(spec))
            | {"securityContext": _restricted(_PACHYDERM)}
        ],
        "containers": [
            pods.container(
                "user",
                image=spec.transform.image,
                command=["/pach-bin/dumb-init", "--", "/pach-bin/worker"],
                mounts=[*mounts, *_server_mounts(_MOUNTS_OF_USER)],
                resources=_resources(spec.resource_requests, spec.resource_limits),
                env=_user_variables(name, spec),
            )
            | {
                "ports": [_port(0)],
                "securityContext": {"runAsUser": 0} if user_id is None else _restricted(user_id),
            },
            pods.container(
                "storage",
                image=pods.ANY,
                command=["/pachd", "--mode", "sidecar"],
                mounts=_server_mounts(_MOUNTS_OF_STORAGE),
                resources=_resources(spec.sidecar_resource_requests, spec.sidecar_resource_limits),
                env=_storage_variables(),
            )
            | {
                "ports": [_port(1)],
                "securityContext": _restricted(_PACHYDERM),
                "envFrom": [{"secretRef": {"name": "pachyderm-storage-secret"}}],
            },
        ],
        "serviceAccountName": pods.ANY,
        "automountServiceAccountToken": True,
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 0,
        "volumes": [
            *(pods.secret_volume(secret.name, secret.name) for secret in mounted),
            {"name": "pach-bin", "emptyDir": {}},
            {"name": "pachyderm-worker", "emptyDir": {}},
            *(_server_volume() for _ in range(_VOLUMES_OF_SERVER)),
        ],
        # The last one is the server's own, where it has one.
        "imagePullSecrets": [*({"name": secret} for secret in spec.transform.image_pull_secrets), {"name": pods.ANY}],
    }
    if user_id is not None:
        profile = {"seccompProfile": {"type": "RuntimeDefault"}, "runAsNonRoot": True}
        pod["securityContext"] = {"runAsUser": user_id, "runAsGroup": user_id, "fsGroup": user_id, **profile}
    if spec.tolerations:
        pod["tolerations"] = [_toleration(toleration) for toleration in spec.tolerations]
    if spec.scheduling_spec.node_selector:
        pod["nodeSelector"] = dict(spec.scheduling_spec.node_selector)
    if spec.scheduling_spec.priority_class_name:
        pod["priorityClassName"] = spec.scheduling_spec.priority_class_name
    return pod


def _init(spec: PipelineSpec) -> Json:
    # It gets no GPU, but every limit.
    return pods.resources(["cpu", "memory", "ephemeral-storage"], pods.resource_names(spec.resource_limits))


def _resources(requests: Resources, limits: Resources) -> Json:
    # What the spec does not request, the cluster defaults do.
    names = ["cpu", "memory", "ephemeral-storage", *pods.resource_names(requests)]
    return pods.resources(names, pods.resource_names(limits))


def _user_variables(name: PipelineName, spec: PipelineSpec) -> list[Json]:
    known = {"PPS_PROJECT_NAME": name.project, "PPS_PIPELINE_NAME": name.name}
    return [
        *pods.given_variables(spec.transform.env),
        *(pods.secret_variable(secret) for secret in spec.transform.secrets if secret.env_var),
        pods.variable("PACH_IN_WORKER", "true"),
        pods.field_variable("PPS_WORKER_IP", "status.podIP"),
        pods.variable("PPS_ETCD_PREFIX"),
        pods.field_variable("PPS_POD_NAME", "metadata.name"),
        pods.variable("PPS_WORKER_GRPC_PORT"),
        *(_server_variable(variable, known.get(variable, pods.ANY)) for variable in _COMMON),
        *(_server_variable() for _ in range(_OTHERS)),
    ]


def _storage_variables() -> list[Json]:
    return [
        pods.variable("PORT"),
        pods.field_variable("PACHD_POD_NAME", "metadata.name"),
        *(pods.variable(name) for name in ("GC_PERCENT", "PROMETHEUS_PORT")),
        *(_server_variable() for _ in range(len(_COMMON) + _OTHERS_OF_STORAGE)),
    ]


def _server_variable(name: str = pods.ANY, value: str = pods.ANY) -> Json:
    """A variable that has a value, or one from a Secret; which, the server decides."""
    return {"name": name, "value": value, "valueFrom": {"secretKeyRef": {"name": pods.ANY, "key": pods.ANY}}}


def _server_volume() -> Json:
    return {"name": pods.ANY, "hostPath": {"path": pods.ANY}, "emptyDir": {}, "secret": {"secretName": pods.ANY}}


def _server_mounts(most: int) -> list[Json]:
    return [pods.mount(pods.ANY, pods.ANY) for _ in range(most)]


def _port(container: int) -> Json:
    return {"name": pods.ANY, "containerPort": _PORTS[container]}


def _restricted(user: int) -> Json:
    return {
        "runAsUser": user,
        "runAsGroup": user,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["all"]},
    }


def _toleration(toleration: Toleration) -> Json:
    found = {
        "key": toleration.key,
        "operator": toleration.operator,
        "value": toleration.value,
        "effect": toleration.effect,
    }
    seconds = toleration.toleration_seconds
    present = {field: text for field, text in found.items() if text}
    return present if seconds is None else {**present, "tolerationSeconds": seconds}
