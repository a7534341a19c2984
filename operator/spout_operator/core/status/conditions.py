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
from spout_operator.core.reasons import Reason
from spout_operator.core.redaction import Secrets
from spout_operator.core.resource import condition_of
from spout_operator.core.status.health import FALSE, RECONCILING, STALLED, TRUE, UNKNOWN, Health
from spout_operator.core.timestamps import print_time

READY = "Ready"
SYNCED = "Synced"

_TROUBLE_OF_USER_CODE = frozenset({Reason.USER_CODE_FAILING, Reason.USER_CODE_ENDED, Reason.OUTPUT_REFUSED})


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """One condition. A message that changes is a write, so it holds nothing that changes by itself.

    Messages can still hold what is not to be shown: `merge` takes that out.
    """

    type: str
    status: str
    reason: Reason
    message: str


def pending() -> tuple[Condition, ...]:
    """Before the first reconcile of a Spout: it has conditions, so that no tool takes it for finished."""
    message = "the operator has seen the Spout and not acted yet"
    return tuple(
        Condition(type=kind, status=status, reason=Reason.PENDING, message=message)
        for kind, status in ((READY, UNKNOWN), (SYNCED, UNKNOWN), (RECONCILING, TRUE))
    )


def of_decision(decision: Decision, health: Health | None) -> tuple[Condition, ...]:
    """After a decision: a step is on its way (`health` is None), or nothing was left to do and the health tells.

    A decision that waits for a person is told instead of the health: the pipeline may run, but not as asked.
    """
    if decision.is_stalled:
        return _not_as_asked(STALLED, FALSE, decision.reason, decision.message)
    if decision.action is not Action.NONE or health is None:
        return _not_as_asked(RECONCILING, FALSE, decision.reason, decision.message)
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
    return _not_as_asked(also, status, failure.reason, failure.unredacted)


def _not_as_asked(also: str, status: str, reason: Reason, message: str) -> tuple[Condition, ...]:
    return (
        Condition(type=READY, status=status, reason=reason, message=message),
        Condition(type=SYNCED, status=status, reason=reason, message=message),
        Condition(type=also, status=TRUE, reason=reason, message=message),
    )


def trouble_of_user_code(status: Mapping[str, Any]) -> Health | None:
    """The trouble with the user code that a status tells of; None where it tells of none."""
    ready = condition_of(status, READY)
    if ready.get("reason") not in _TROUBLE_OF_USER_CODE:
        return None
    also = STALLED if condition_of(status, STALLED).get("status") == TRUE else None
    return Health(ready=ready["status"], reason=Reason(ready["reason"]), message=ready["message"], also=also)


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
