"""Conditions, as the Kubernetes API conventions and kstatus want them.

Ready and Synced are always there. Reconciling and Stalled are there only while they are true, so
that tools that know kstatus (Flux, Argo CD, `kubectl wait`) read a Spout without being told how.
"""

import dataclasses
import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from spout_operator.core.decision import Action, Decision
from spout_operator.core.errors import Failure
from spout_operator.core.model import Pipeline, PipelineState
from spout_operator.core.reasons import Reason
from spout_operator.core.redaction import Secrets
from spout_operator.core.timestamps import print_time

READY = "Ready"
SYNCED = "Synced"
RECONCILING = "Reconciling"
STALLED = "Stalled"

TRUE = "True"
FALSE = "False"
UNKNOWN = "Unknown"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """One condition. Messages hold no times, counts or ids: a message that changes is a write.

    They can still hold what is not to be shown: `merge` takes that out.
    """

    type: str
    status: str
    reason: Reason
    message: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """What a pipeline's state means for its Spout."""

    ready: str
    reason: Reason
    message: str
    also: str | None = None


def pending() -> tuple[Condition, ...]:
    """Before the first reconcile of a Spout: it has conditions, so that no tool takes it for finished."""
    message = "the operator has seen the Spout and not acted yet"
    return tuple(
        Condition(type=kind, status=status, reason=Reason.PENDING, message=message)
        for kind, status in ((READY, UNKNOWN), (SYNCED, UNKNOWN), (RECONCILING, TRUE))
    )


def of_decision(decision: Decision, observed: Pipeline | None) -> tuple[Condition, ...]:
    """After a decision: a step is on its way, or nothing was left to do and the pipeline's health tells."""
    if decision.action is not Action.NONE or observed is None:
        return (
            Condition(type=READY, status=FALSE, reason=decision.reason, message=decision.message),
            Condition(type=SYNCED, status=FALSE, reason=decision.reason, message=decision.message),
            Condition(type=RECONCILING, status=TRUE, reason=decision.reason, message=decision.message),
        )
    health = _health(observed)
    conditions = [
        Condition(type=READY, status=health.ready, reason=health.reason, message=health.message),
        Condition(type=SYNCED, status=TRUE, reason=Reason.APPLIED, message=decision.message),
    ]
    if health.also is not None:
        conditions.append(Condition(type=health.also, status=TRUE, reason=health.reason, message=health.message))
    return tuple(conditions)


def of_failure(failure: Failure) -> tuple[Condition, ...]:
    """After a failure. Where Pachyderm did not answer, nothing is known: Unknown, not False."""
    status = UNKNOWN if failure.is_unreachable else FALSE
    also = STALLED if failure.is_stalled else RECONCILING
    message = failure.unredacted
    return (
        Condition(type=READY, status=status, reason=failure.reason, message=message),
        Condition(type=SYNCED, status=status, reason=failure.reason, message=message),
        Condition(type=also, status=TRUE, reason=failure.reason, message=message),
    )


def merge(
    previous: Iterable[Mapping[str, Any]],
    conditions: Sequence[Condition],
    *,
    secrets: Secrets,
    generation: int,
    now: datetime.datetime,
) -> list[dict[str, Any]]:
    """The conditions as they are written, without secrets; `lastTransitionTime` moves only when the status does."""
    before = {condition["type"]: condition for condition in previous}
    # Mostly there is one for all.
    shown = {message: secrets.shown(message) for message in {condition.message for condition in conditions}}
    merged = []
    for condition in conditions:
        old = before.get(condition.type, {})
        unmoved = old.get("status") == condition.status and "lastTransitionTime" in old
        merged.append(
            {
                "type": condition.type,
                "status": condition.status,
                "reason": str(condition.reason),
                "message": shown[condition.message],
                "observedGeneration": generation,
                "lastTransitionTime": old["lastTransitionTime"] if unmoved else print_time(now),
            }
        )
    return merged


def _health(pipeline: Pipeline) -> Health:
    said = f": {pipeline.reason}" if pipeline.reason else ""
    match pipeline.state:
        case PipelineState.FAILURE:
            message = f"the pipeline has failed{said}; it stays so until the Spout is changed (restartNonce will do)"
            return Health(ready=FALSE, reason=Reason.PIPELINE_FAILED, message=message, also=STALLED)
        case PipelineState.CRASHING:
            message = f"the workers crash or do not come up{said}; see the Pods of the pipeline"
            return Health(ready=FALSE, reason=Reason.PIPELINE_CRASHING, message=message)
        case PipelineState.RESTARTING:
            message = f"Pachyderm restarts the pipeline after an error{said}"
            return Health(ready=FALSE, reason=Reason.PIPELINE_RESTARTING, message=message, also=RECONCILING)
        case PipelineState.PAUSED if pipeline.stopped:
            return Health(ready=TRUE, reason=Reason.SUSPENDED, message="the pipeline is stopped, as spec.suspend asks")
    if pipeline.stopped:
        message = "the pipeline is being stopped, as spec.suspend asks"
        return Health(ready=FALSE, reason=Reason.STOPPING, message=message, also=RECONCILING)
    if pipeline.state not in {PipelineState.RUNNING, PipelineState.STANDBY}:
        return Health(ready=FALSE, reason=Reason.STARTING, message="the pipeline is starting", also=RECONCILING)
    if pipeline.workers is None or pipeline.workers[0] < pipeline.workers[1]:
        message = "the pipeline is up and its worker is not yet"
        return Health(ready=FALSE, reason=Reason.WORKERS_STARTING, message=message, also=RECONCILING)
    return Health(ready=TRUE, reason=Reason.RUNNING, message="the spout is running")
