"""The owner annotations of a pipeline, which both adapters write and read."""

from collections.abc import Mapping

from spout_operator.core.model import Owner, PipelineSpec, SpoutKey
from spout_operator.core.owner_annotations import CLUSTER, RESTART_NONCE, SPOUT


def owner_annotations(owner: Owner) -> dict[str, str]:
    """The annotations that name an owner."""
    return {SPOUT: str(owner.spout), CLUSTER: owner.cluster}


def annotations(spec: PipelineSpec, owner: Owner) -> dict[str, str]:
    """All annotations of a pipeline that the operator makes."""
    found = owner_annotations(owner)
    return {**found, RESTART_NONCE: spec.restart_nonce} if spec.restart_nonce else found


def owner_from(annotations: Mapping[str, str]) -> Owner | None:
    """The owner in a pipeline's annotations; None where they name none, or not the whole of one."""
    namespace, slash, name = annotations.get(SPOUT, "").partition("/")
    cluster = annotations.get(CLUSTER, "")
    if not (slash and namespace and name and cluster):
        return None
    return Owner(cluster=cluster, spout=SpoutKey(namespace=namespace, name=name))
