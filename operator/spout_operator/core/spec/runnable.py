"""What no Kubernetes would run, although each field is right by itself."""

from collections import Counter
from collections.abc import Iterator

from spout_operator.core.model import PipelineSpec
from spout_operator.core.spec.mounts import normal_path

#: Belongs to Pachyderm in every version: its inputs and outputs.
_PFS = "/pfs"


def findings(spec: PipelineSpec) -> Iterator[str]:
    """What is wrong with a spec, each finding with its field.

    Pachyderm accepts all of it, and the pipeline ends in FAILURE or its worker never starts.
    """
    yield from _resources(spec)
    yield from _mounts(spec)


def _resources(spec: PipelineSpec) -> Iterator[str]:
    for name in ("cpu", "memory", "disk"):
        request, limit = getattr(spec.resource_requests, name), getattr(spec.resource_limits, name)
        if request is not None and limit is not None and request.value > limit.value:
            yield (
                f"spec.resourceRequests.{name}: {request.text} is above resourceLimits.{name}, which is {limit.text}; "
                "request at most as much as the limit"
            )
    limited = spec.resource_limits.gpu
    if limited is not None and limited.type.startswith("requests."):
        yield (
            f"spec.resourceLimits.gpu.type: {limited.type!r} is not a resource that nodes offer, but one that quotas "
            "count; leave out 'requests.'"
        )
    gpu = spec.resource_requests.gpu
    if gpu is not None and gpu != limited:
        yield (
            "spec.resourceRequests.gpu: is not the same as resourceLimits.gpu, and Kubernetes never overcommits a GPU; "
            "write the GPU in resourceLimits, which is enough, or the same in both"
        )


def _mounts(spec: PipelineSpec) -> Iterator[str]:
    paths = [(index, secret) for index, secret in enumerate(spec.transform.secrets) if secret.mount_path]
    taken = Counter(normal_path(secret.mount_path) for _, secret in paths)
    for index, secret in paths:
        where = f"spec.transform.secrets[{index}].mountPath: {secret.mount_path!r}"
        path = normal_path(secret.mount_path)
        if not secret.mount_path.startswith("/"):
            yield f"{where} is no absolute path; begin it with '/', as in /etc/kafka"
        elif path == "/":
            yield f"{where} would hide the whole image; mount into a folder of its own, such as /etc/kafka"
        elif path == _PFS or path.startswith(f"{_PFS}/"):
            yield f"{where} is inside of {_PFS}, which belongs to Pachyderm; mount elsewhere, such as at /etc/kafka"
        elif taken[path] > 1:
            yield f"{where} is the mountPath of another Secret too; give each a folder of its own"
