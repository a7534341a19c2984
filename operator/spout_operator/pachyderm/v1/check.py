"""What Pachyderm 1.13.4 accepts and then cannot run, or what even ends it; found without asking it."""

import functools
from collections.abc import Iterator

from spout_operator.core.model import PipelineSpec, Resources
from spout_operator.core.spec.quantity import Quantity
from spout_operator.pachyderm import pod_check
from spout_operator.pachyderm.v1.worker_pod import MOUNT_PATHS, VOLUMES, VOLUMES_OF_SOME_SERVERS, worker_pod

#: worker_rc.go, memDefaultQuantity: what pachd requests for a container for which nothing is requested.
DEFAULT_REQUESTS = Resources(memory=Quantity.parse("64M"))


def findings(pipeline: str, spec: PipelineSpec) -> Iterator[str]:
    """What is wrong with a spec, each finding with its field.

    Args:
        pipeline: the pipeline's name.
        spec: what it would be made of.
    """
    yield from pod_check.limits(
        "resource", requests=spec.resource_requests, limits=spec.resource_limits, defaults=DEFAULT_REQUESTS
    )
    yield from pod_check.mounts(spec, volumes=(*VOLUMES, *VOLUMES_OF_SOME_SERVERS), paths=MOUNT_PATHS)
    yield from pod_check.patch(spec, functools.partial(worker_pod, pipeline, spec))
