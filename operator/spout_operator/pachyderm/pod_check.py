"""What the Pod of a worker makes of a spec: what pachd accepts and Kubernetes refuses, found without asking either."""

from collections.abc import Callable, Collection, Iterator

from spout_operator.core.model import PipelineSpec, Resources
from spout_operator.core.spec import pod_patch as rfc6902
from spout_operator.core.spec.mounts import normal_path
from spout_operator.pachyderm import pod_patch
from spout_operator.pachyderm.pods import Json


def limits(fields: str, *, requests: Resources, limits: Resources, defaults: Resources) -> Iterator[str]:
    """Limits below what Pachyderm requests by itself, each finding with its field.

    Args:
        fields: how the fields are named: `resource`, or `sidecarResource`.
        requests: what the spec requests.
        limits: what it limits.
        defaults: what Pachyderm requests where the spec says nothing.
    """
    for name in ("cpu", "memory", "disk"):
        limit, request, default = getattr(limits, name), getattr(requests, name), getattr(defaults, name)
        if limit is None or default is None or request is not None or limit.value >= default.value:
            continue
        yield (
            f"spec.{fields}Limits.{name}: {limit.text} is below the {default.text} that Pachyderm requests where "
            f"{fields}Requests.{name} says nothing; raise the limit, or set {fields}Requests.{name} too"
        )


def mounts(spec: PipelineSpec, *, volumes: Collection[str], paths: Collection[str]) -> Iterator[str]:
    """Secrets that take a name or a place of Pachyderm's own, each finding with its field.

    Args:
        spec: has the Secrets.
        volumes: the names of the volumes that Pachyderm makes.
        paths: where it mounts them in the container of the spout's code.
    """
    for index, secret in enumerate(spec.transform.secrets):
        if not secret.mount_path:
            continue
        where = f"spec.transform.secrets[{index}]"
        if secret.name in volumes:
            yield (
                f"{where}.name: Pachyderm names the volume after the Secret, and has a volume {secret.name!r} of its "
                "own; rename the Secret, or use key and envVar"
            )
        if normal_path(secret.mount_path) in paths:
            yield (
                f"{where}.mountPath: {secret.mount_path!r} is where Pachyderm mounts a volume of its own; "
                "mount elsewhere, such as at /etc/kafka"
            )


def patch(spec: PipelineSpec, worker_pod: Callable[[], Json]) -> Iterator[str]:
    """What is wrong with the podPatch: it does harm, or does not apply to the Pod that `worker_pod` makes."""
    if not spec.pod_patch:
        return
    harmful = list(rfc6902.findings(spec.pod_patch))
    if not harmful:
        try:
            pod_patch.apply(spec.pod_patch, worker_pod())
        except pod_patch.Inapplicable as error:
            harmful = [str(error)]
    yield from (f"spec.podPatch: {finding}" for finding in harmful)
