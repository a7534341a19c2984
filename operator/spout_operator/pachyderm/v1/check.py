"""What Pachyderm 1.13.4 accepts and then cannot run, or what even ends it; found without asking it."""

from collections.abc import Iterator

from spout_operator.core.model import PipelineSpec
from spout_operator.core.spec import pod_patch as rfc6902
from spout_operator.core.spec.mounts import normal_path
from spout_operator.core.spec.quantity import Quantity
from spout_operator.pachyderm.v1 import pod_patch
from spout_operator.pachyderm.v1.worker_pod import MOUNT_PATHS, VOLUMES, VOLUMES_OF_SOME_SERVERS, worker_pod

#: worker_rc.go, memDefaultQuantity: what pachd requests for a container for which nothing is requested.
DEFAULT_MEMORY_REQUEST = Quantity.parse("64M")


def findings(pipeline: str, spec: PipelineSpec) -> Iterator[str]:
    """What is wrong with a spec, each finding with its field.

    Args:
        pipeline: the pipeline's name.
        spec: what it would be made of.
    """
    yield from _memory(spec)
    yield from _mounts(spec)
    yield from _pod_patch(pipeline, spec)


def _memory(spec: PipelineSpec) -> Iterator[str]:
    limit, request = spec.resource_limits.memory, spec.resource_requests.memory
    if limit is not None and request is None and limit.value < DEFAULT_MEMORY_REQUEST.value:
        yield (
            f"spec.resourceLimits.memory: {limit.text} is below the {DEFAULT_MEMORY_REQUEST.text} that Pachyderm "
            "requests where resourceRequests.memory says nothing; raise the limit, or set resourceRequests.memory too"
        )


def _mounts(spec: PipelineSpec) -> Iterator[str]:
    for index, secret in enumerate(spec.transform.secrets):
        if not secret.mount_path:
            continue
        where = f"spec.transform.secrets[{index}]"
        if secret.name in (*VOLUMES, *VOLUMES_OF_SOME_SERVERS):
            yield (
                f"{where}.name: Pachyderm names the volume after the Secret, and has a volume {secret.name!r} of its "
                "own; rename the Secret, or use key and envVar"
            )
        if normal_path(secret.mount_path) in MOUNT_PATHS:
            yield (
                f"{where}.mountPath: {secret.mount_path!r} is where Pachyderm mounts a volume of its own; "
                "mount elsewhere, such as at /etc/kafka"
            )


def _pod_patch(pipeline: str, spec: PipelineSpec) -> Iterator[str]:
    if not spec.pod_patch:
        return
    harmful = list(rfc6902.findings(spec.pod_patch))
    if not harmful:
        try:
            pod_patch.apply(spec.pod_patch, worker_pod(pipeline, spec))
        except pod_patch.Inapplicable as error:
            harmful = [str(error)]
    yield from (f"spec.podPatch: {finding}" for finding in harmful)
