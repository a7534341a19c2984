"""A Spout resource as the API server has it: the one module that knows where its metadata is."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from spout_operator.core.model import SpoutKey

Body = Mapping[str, Any]
"""A resource as JSON, as the API server sends it."""

#: The whole manifest once more, as kubectl keeps it.
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class SpoutResource:
    """A Spout, of which nothing but the metadata is checked; `core.spec.parsing` reads its spec.

    Times are in the form of the API server. `spec` and `status` are not to be changed: others hold them too.
    """

    key: SpoutKey
    uid: str
    resource_version: str
    generation: int
    creation_timestamp: str
    deletion_timestamp: str | None
    finalizers: tuple[str, ...]
    annotations: Mapping[str, str]
    spec: Mapping[str, Any]
    status: Mapping[str, Any]

    @classmethod
    def from_body(cls, body: Body) -> "SpoutResource":
        """Read a resource; who wrote which field, and kubectl's copy of the manifest, are left out."""
        metadata = body["metadata"]
        annotations = metadata.get("annotations") or {}
        return cls(
            key=SpoutKey(namespace=metadata["namespace"], name=metadata["name"]),
            uid=metadata["uid"],
            resource_version=metadata["resourceVersion"],
            generation=metadata.get("generation", 0),
            creation_timestamp=metadata["creationTimestamp"],
            deletion_timestamp=metadata.get("deletionTimestamp"),
            finalizers=tuple(metadata.get("finalizers") or ()),
            annotations={name: value for name, value in annotations.items() if name != _LAST_APPLIED},
            spec=body.get("spec") or {},
            status=body.get("status") or {},
        )


def condition_of(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The condition of a type in a status; empty where there is none."""
    conditions = status.get("conditions") or ()
    return next((condition for condition in conditions if condition["type"] == kind), {})
