"""What is asked of a Spout again and again: read off its resource once, when it comes in."""

import dataclasses
import sys
from collections.abc import Mapping
from typing import Any

from spout_operator.core.model import PipelineName, SpoutKey
from spout_operator.core.resource import SpoutResource, condition_of
from spout_operator.core.spec.parsing import pipeline_name
from spout_operator.core.status.conditions import READY
from spout_operator.core.status.freshness import FRESH, MARKER_STALLED, OUTPUT_STALLED
from spout_operator.core.status.health import FALSE, STALLED, TRUE
from spout_operator.core.timestamps import read_time

_FRESH = {TRUE: True, FALSE: False}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """A Spout without its spec and its status. Times are in seconds since the epoch, None where there is none yet."""

    key: SpoutKey
    uid: str
    version: int
    """Resource versions of one kind are ordered (Kubernetes 1.35, KEP-5504), and have been in practice before."""
    generation: int
    created: str
    deleted: str | None
    """When its deletion was asked for."""
    finalizers: tuple[str, ...]
    pipeline_name: PipelineName
    suspended: bool
    ready: tuple[str, str]
    """Status and reason of the condition."""
    stalled: bool
    fresh: bool | None
    """None where nobody asks for it, or nobody knows."""
    marker_stalled: bool | None
    """None where the spout has no marker, as of `output_stalled`."""
    output_stalled: bool | None
    commits: int | None
    last_commit: float | None
    marker_moved: float | None

    @property
    def seniority(self) -> tuple[str, str]:
        """Of two Spouts the one with the lesser is older."""
        return self.created, self.uid

    def wants_reconcile(self, after: "Facts") -> bool:
        """Whether what came after this is more than the operator's own writes."""
        if (self.uid, self.generation, self.deleted) != (after.uid, after.generation, after.deleted):
            return True
        # One that was taken away may have been ours; one that was added is mostly our own doing.
        return not set(self.finalizers) <= set(after.finalizers)


def read(resource: SpoutResource) -> Facts:
    """The facts of a resource."""
    status = resource.status
    ready = condition_of(status, READY)
    commits = status.get("commits") or {}
    has_marker = bool((resource.spec.get("spout") or {}).get("marker"))
    return Facts(
        key=resource.key,
        uid=resource.uid,
        version=int(resource.resource_version),
        generation=resource.generation,
        created=resource.creation_timestamp,
        deleted=resource.deletion_timestamp,
        # Few words that are the same for all.
        finalizers=tuple(map(sys.intern, resource.finalizers)),
        pipeline_name=pipeline_name(resource),
        suspended=bool(resource.spec.get("suspend")),
        ready=(sys.intern(ready.get("status", "Unknown")), sys.intern(ready.get("reason", "Pending"))),
        stalled=_is_true(status, STALLED),
        fresh=_FRESH.get(condition_of(status, FRESH).get("status", "")),
        marker_stalled=_is_true(status, MARKER_STALLED) if has_marker else None,
        output_stalled=_is_true(status, OUTPUT_STALLED) if has_marker else None,
        commits=commits.get("total"),
        last_commit=_seconds((commits.get("last") or {}).get("finishedAt")),
        marker_moved=_seconds((status.get("marker") or {}).get("updatedAt")),
    )


def _is_true(status: Mapping[str, Any], kind: str) -> bool:
    return condition_of(status, kind).get("status") == TRUE


def _seconds(text: str | None) -> float | None:
    moment = read_time(text)
    return moment.timestamp() if moment is not None else None
