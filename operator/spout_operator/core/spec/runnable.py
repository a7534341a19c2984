"""What no Kubernetes would run, although each field is right by itself."""

from collections import Counter
from collections.abc import Iterator

from spout_operator.core.model import PipelineSpec, Resources
from spout_operator.core.spec.mounts import normal_path

#: Belongs to Pachyderm in every version: its inputs and outputs.
_PFS = "/pfs"
_OPERATORS = ("Exists", "Equal")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def findings(spec: PipelineSpec) -> Iterator[str]:
    """What is wrong with a spec, each finding with its field.

    Pachyderm accepts all of it, and the pipeline ends in FAILURE or its worker never starts.
    """
    yield from _resources("resource", spec.resource_requests, spec.resource_limits)
    yield from _resources("sidecarResource", spec.sidecar_resource_requests, spec.sidecar_resource_limits)
    yield from _gpus(spec)
    yield from _mounts(spec)
    yield from _tolerations(spec)


def _resources(fields: str, requests: Resources, limits: Resources) -> Iterator[str]:
    for name in ("cpu", "memory", "disk"):
        request, limit = getattr(requests, name), getattr(limits, name)
        if request is not None and limit is not None and request.value > limit.value:
            yield (
                f"spec.{fields}Requests.{name}: {request.text} is above {fields}Limits.{name}, which is {limit.text}; "
                "lower the request, or raise the limit"
            )


def _gpus(spec: PipelineSpec) -> Iterator[str]:
    limited = spec.resource_limits.gpu
    if limited is not None and limited.type.startswith("requests."):
        yield (
            f"spec.resourceLimits.gpu.type: {limited.type!r} is the name of a quota, not of a resource that nodes "
            "have; remove 'requests.'"
        )
    gpu = spec.resource_requests.gpu
    if gpu is not None and gpu != limited:
        yield (
            "spec.resourceRequests.gpu: differs from resourceLimits.gpu, and Kubernetes does not overcommit GPUs; "
            "set the GPU in resourceLimits alone, or set the same GPU in both"
        )


def _mounts(spec: PipelineSpec) -> Iterator[str]:
    paths = [(index, secret) for index, secret in enumerate(spec.transform.secrets) if secret.mount_path]
    taken = Counter(normal_path(secret.mount_path) for _, secret in paths)
    for index, secret in paths:
        where = f"spec.transform.secrets[{index}].mountPath: {secret.mount_path!r}"
        path = normal_path(secret.mount_path)
        if not secret.mount_path.startswith("/"):
            yield f"{where} is not an absolute path; start it with '/', as in /etc/kafka"
        elif path == "/":
            yield f"{where} would hide the whole image; use a folder of its own, such as /etc/kafka"
        elif path == _PFS or path.startswith(f"{_PFS}/"):
            yield f"{where} is inside {_PFS}, which belongs to Pachyderm; use another path, such as /etc/kafka"
        elif taken[path] > 1:
            yield f"{where} is also the mountPath of another Secret; give each Secret its own folder"


def _tolerations(spec: PipelineSpec) -> Iterator[str]:
    """Kubernetes, pkg/apis/core/validation ValidateTolerations: it would refuse the Pod."""
    for index, toleration in enumerate(spec.tolerations):
        path = f"spec.tolerations[{index}]"
        if toleration.operator not in _OPERATORS:
            yield f"{path}.operator: found {toleration.operator!r}, expected one of {', '.join(_OPERATORS)}"
        if toleration.effect and toleration.effect not in _EFFECTS:
            yield f"{path}.effect: found {toleration.effect!r}, expected one of {', '.join(_EFFECTS)}"
        if not toleration.key and toleration.operator != "Exists":
            yield f"{path}.key: missing; a toleration without a key matches every taint, and needs operator: Exists"
        if toleration.value and toleration.operator == "Exists":
            yield f"{path}.value: operator Exists matches every value; remove value, or set operator to Equal"
        if toleration.toleration_seconds is not None and toleration.effect != "NoExecute":
            yield f"{path}.tolerationSeconds: only effect NoExecute has it; remove it, or set that effect"
