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
                "lower the request, or raise the limit"
            )
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
