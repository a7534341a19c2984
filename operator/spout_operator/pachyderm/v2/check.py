"""What Pachyderm 2 accepts and then cannot run, or what even ends it; found without asking it."""

import functools
from collections.abc import Iterator

from spout_operator.core.model import PipelineName, PipelineSpec, Resources
from spout_operator.core.spec.quantity import Quantity, cores
from spout_operator.pachyderm import pod_check
from spout_operator.pachyderm.v2.worker_pod import MOUNT_PATHS, VOLUMES, VOLUMES_OF_SOME_SERVERS, worker_pod

#: src/internal/clusterstate/v2.8.0/defaults.go: what the cluster defaults of a new server request, for the container of
#: the spout's code and for its sidecar alike.
DEFAULT_REQUESTS = Resources(cpu=cores("1"), memory=Quantity.parse("256Mi"), disk=Quantity.parse("1Gi"))


def findings(name: PipelineName, spec: PipelineSpec) -> Iterator[str]:
    """What is wrong with a spec, each finding with its field.

    Args:
        name: the pipeline's name.
        spec: what it would be made of.
    """
    yield from pod_check.limits(
        "resource", requests=spec.resource_requests, limits=spec.resource_limits, defaults=DEFAULT_REQUESTS
    )
    yield from pod_check.limits(
        "sidecarResource",
        requests=spec.sidecar_resource_requests,
        limits=spec.sidecar_resource_limits,
        defaults=DEFAULT_REQUESTS,
    )
    yield from pod_check.mounts(spec, volumes=(*VOLUMES, *VOLUMES_OF_SOME_SERVERS), paths=MOUNT_PATHS)
    yield from pod_check.patch(spec, functools.partial(worker_pod, name, spec))
