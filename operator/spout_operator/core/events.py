"""The Kubernetes Events of a Spout: the closed list of their reasons, and when there is one. Pure.

What the operator has done, a step tells. What became of the pipeline, two statuses tell: the one that the API server
had, and the one that was written after it. docs/reference/events.md explains every reason.
"""

import dataclasses
import datetime
import enum
from collections.abc import Mapping
from typing import Any

from spout_operator.core import user_lines
from spout_operator.core.decision import Action, Decision
from spout_operator.core.model import PipelineName
from spout_operator.core.reasons import Reason
from spout_operator.core.redaction import Secrets
from spout_operator.core.resource import condition_of
from spout_operator.core.status.conditions import READY
from spout_operator.core.status.freshness import LATE, MARKER_STALLED, OUTPUT_STALLED
from spout_operator.core.status.health import STALLED, TRUE

#: Bytes of a note in UTF-8 that the API server accepts (kube-apiserver 1.36, validation of events.k8s.io/v1).
LONGEST_NOTE = 1024
#: A spout that has made no commit for so long was silent; its next commit is worth an Event.
SILENCE = datetime.timedelta(hours=1)


class EventType(enum.StrEnum):
    """The types that Kubernetes knows."""

    NORMAL = "Normal"
    WARNING = "Warning"


class EventReason(enum.StrEnum):
    """Why there is an Event. Users alert on these words; a word never changes its meaning."""

    # The operator has done it.
    CREATED = "Created"
    ADOPTED = "Adopted"
    UPDATED = "Updated"
    RESTARTED = "Restarted"
    SUSPENDED = "Suspended"
    RESUMED = "Resumed"
    DELETED = "Deleted"
    RELEASED = "Released"

    # The spout is well.
    RUNNING = "Running"
    USER_CODE_RECOVERED = "UserCodeRecovered"
    COMMITS_RESUMED = "CommitsResumed"
    MARKER_RESUMED = "MarkerResumed"
    OUTPUT_RESUMED = "OutputResumed"

    # It is not. Where a condition has a reason of the same word, that makes the Event.
    USER_CODE_FAILING = "UserCodeFailing"
    USER_CODE_ENDED = "UserCodeEnded"
    OUTPUT_REFUSED = "OutputRefused"
    PIPELINE_FAILED = "PipelineFailed"
    PIPELINE_CRASHING = "PipelineCrashing"
    IMAGE_PULL_BACK_OFF = "ImagePullBackOff"
    UNSCHEDULABLE = "Unschedulable"
    CRASH_LOOP_BACK_OFF = "CrashLoopBackOff"
    CREATE_CONTAINER_CONFIG_ERROR = "CreateContainerConfigError"
    DELETION_BLOCKED = "DeletionBlocked"
    STALLED = "Stalled"
    COMMIT_TOO_OLD = "CommitTooOld"
    COMMITS_WITHOUT_MARKER = "CommitsWithoutMarker"
    MARKER_WITHOUT_COMMITS = "MarkerWithoutCommits"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """What is told of a Spout. `action` is what was done, or tried, in one word."""

    type: EventType
    reason: EventReason
    action: str
    note: str


#: Where only this field has changed, somebody wants the spout restarted.
RESTART_FIELD = "restartNonce"
_Done = tuple[EventReason, str, str]
#: The reason of a step, the action, and its note.
_STEPS: Mapping[Action, _Done] = {
    Action.CREATE: (EventReason.CREATED, "Create", "created the pipeline {name!r}"),
    Action.TAKE_OVER: (EventReason.ADOPTED, "Adopt", "took over the pipeline {name!r}, which had no owner"),
    Action.UPDATE: (EventReason.UPDATED, "Update", "updated the pipeline, which restarts the spout: {fields}"),
    Action.STOP: (EventReason.SUSPENDED, "Stop", "stopped the pipeline: spec.suspend is true"),
    Action.START: (EventReason.RESUMED, "Start", "started the pipeline: spec.suspend is not true"),
    Action.DELETE: (EventReason.DELETED, "Delete", "deleted the pipeline {name!r} and its repo"),
    Action.DELETE_KEEP_REPO: (EventReason.DELETED, "Delete", "deleted the pipeline {name!r} and kept its repo"),
    Action.RELEASE: (EventReason.RELEASED, "Release", "{message}"),
}
_ADOPTED_BY_UPDATE: _Done = (
    EventReason.ADOPTED,
    "Adopt",
    "took over the pipeline {name!r}, which had no owner, with an update, which restarts the spout: {fields}",
)
_RESTARTED: _Done = (EventReason.RESTARTED, "Restart", "restarted the spout: spec.restartNonce has changed")
#: What the operator does while it finds out something.
_OBSERVE = "Observe"
#: Trouble of the pipeline or its user code, which the Ready condition tells of under the same word.
_TROUBLE = frozenset(
    {
        Reason.USER_CODE_FAILING,
        Reason.USER_CODE_ENDED,
        Reason.OUTPUT_REFUSED,
        Reason.PIPELINE_FAILED,
        Reason.PIPELINE_CRASHING,
        Reason.IMAGE_PULL_BACK_OFF,
        Reason.UNSCHEDULABLE,
        Reason.CRASH_LOOP_BACK_OFF,
        Reason.CREATE_CONTAINER_CONFIG_ERROR,
    }
)
#: They concern the operator or its Pachyderm, and so every Spout at once: an Event for each would be a flood.
#: The log, a metric and an alert tell of them.
_OF_ALL_SPOUTS = frozenset(
    {
        Reason.PACHYDERM_UNREACHABLE,
        Reason.PACHYDERM_ERROR,
        Reason.INTERNAL_ERROR,
        Reason.UNAUTHORIZED,
        Reason.UNSUPPORTED_PACHYDERM,
    }
)


def of_step(decision: Decision, name: PipelineName) -> Event:
    """The Event of a step that was carried out.

    Args:
        decision: the step, which is none of those that do nothing.
        name: of the pipeline.
    """
    reason, action, note = _STEPS[decision.action]
    if decision.action is Action.UPDATE and decision.reason is Reason.ADOPTING:
        reason, action, note = _ADOPTED_BY_UPDATE
    elif decision.changed == (RESTART_FIELD,):
        reason, action, note = _RESTARTED
    note = note.format(name=name, fields=", ".join(decision.changed), message=decision.message)
    return Event(type=EventType.NORMAL, reason=reason, action=action, note=note)


def of_silence(
    silence: datetime.timedelta | None, total: int, *, max_commit_age: datetime.timedelta | None = None
) -> Event | None:
    """The Event of the first commit after a silence; None where there was none worth telling.

    Args:
        silence: between the newest commit that was known and the first one after it; None where that is not known.
        total: how many commits there are by now.
        max_commit_age: a silence that is longer than this was told of, so its end is too.
    """
    if silence is None or silence < min(SILENCE, max_commit_age or SILENCE):
        return None
    minutes = silence // datetime.timedelta(minutes=1)
    took = f"{minutes // 60} h {minutes % 60} min" if minutes else f"{silence.seconds} s"
    note = f"a commit came after {took} without one; {total} commits in total"
    return Event(type=EventType.NORMAL, reason=EventReason.COMMITS_RESUMED, action=_OBSERVE, note=note)


def of_statuses(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Event, ...]:
    """The Events of a status that was written, seen from the status before it; none where it tells nothing new.

    Both are on the API server, so whoever takes over compares with what was told already.
    """
    found = (_of_ready(before, after), *(_of_freshness(kind, before, after) for kind in LATE))
    return tuple(event for event in found if event is not None)


def _of_ready(before: Mapping[str, Any], after: Mapping[str, Any]) -> Event | None:
    ready, message = condition_of(after, READY), _message(after)
    old, new = _reason(before), _reason(after)
    if new in _OF_ALL_SPOUTS or (old == new and not _is_stalled_anew(before, after)):
        return None
    if new in _TROUBLE or new == Reason.DELETION_BLOCKED:
        return _found(EventType.WARNING, EventReason(new), message)
    if _is_stalled(after):
        return _found(EventType.WARNING, EventReason.STALLED, f"{new}: {message}")
    if (ready.get("status"), new) == (TRUE, Reason.RUNNING) and old not in _OF_ALL_SPOUTS:
        reason = EventReason.USER_CODE_RECOVERED if old in _TROUBLE else EventReason.RUNNING
        return _found(EventType.NORMAL, reason, message)
    return None


def _of_freshness(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Event | None:
    """The Event of a condition beside Ready. What ends CommitTooOld is a commit, of which `of_silence` tells."""
    trouble = LATE[kind]
    was, found = (condition_of(status, kind) for status in (before, after))
    if found.get("reason") == trouble != was.get("reason"):
        return _found(EventType.WARNING, EventReason(trouble), str(found["message"]))
    if was.get("reason") != trouble or found.get("reason") == trouble:
        return None
    # A new worker, a suspension or an edit of spec.freshness ends the condition too, and that resumes nothing.
    if kind == MARKER_STALLED and _moved(before, after, "marker", "commit"):
        return _found(EventType.NORMAL, EventReason.MARKER_RESUMED, "the marker moves again")
    if kind == OUTPUT_STALLED and _moved(before, after, "commits", "last", "sizeBytes"):
        return _found(EventType.NORMAL, EventReason.OUTPUT_RESUMED, "the spout commits data again")
    return None


def shown(event: Event, secrets: Secrets) -> Event:
    """The Event as it is written: its note without secrets, and no longer than the API server accepts."""
    note = secrets.shown(event.note)
    if len(note.encode()) > LONGEST_NOTE:
        end = "…"
        note = note.encode()[: LONGEST_NOTE - len(end.encode())].decode(errors="ignore") + end
    return dataclasses.replace(event, note=note)


def _moved(before: Mapping[str, Any], after: Mapping[str, Any], *path: str) -> bool:
    """Whether a field has another value now."""
    was, found = before, after
    for name in path[:-1]:
        was, found = was.get(name) or {}, found.get(name) or {}
    return found.get(path[-1]) not in (None, was.get(path[-1]))


def _is_stalled_anew(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether an edit has left the Spout stalled for the same reason, and something else is wrong now."""
    is_edited = before.get("observedGeneration") != after.get("observedGeneration")
    is_told_apart = _reason(after) not in _TROUBLE
    return _is_stalled(after) and is_told_apart and is_edited and _message(before) != _message(after)


def _is_stalled(status: Mapping[str, Any]) -> bool:
    return condition_of(status, STALLED).get("status") == TRUE


def _reason(status: Mapping[str, Any]) -> str:
    return str(condition_of(status, READY).get("reason", ""))


def _message(status: Mapping[str, Any]) -> str:
    # More people read Events than the Spout, and other tools keep them.
    return user_lines.without(str(condition_of(status, READY).get("message", "")))


def _found(kind: EventType, reason: EventReason, note: str) -> Event:
    return Event(type=kind, reason=reason, action=_OBSERVE, note=note)
