"""Whether the commits of a spout are in time, and whether its commits and its marker move together.

Conditions beside Ready, which does not depend on them.
"""

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Any

from spout_operator.core.freshness import Freshness
from spout_operator.core.model import Commit, Pipeline, Spout
from spout_operator.core.reasons import Reason
from spout_operator.core.resource import condition_of
from spout_operator.core.spec import duration
from spout_operator.core.status.commits import last_commit
from spout_operator.core.status.conditions import Condition
from spout_operator.core.status.freshness_memory import Memory, from_status
from spout_operator.core.status.health import FALSE, TRUE, UNKNOWN, is_up
from spout_operator.core.timestamps import print_time

FRESH = "Fresh"
#: Of status True, or absent. kstatus knows the type `Stalled` only, so tools take no notice of these.
MARKER_STALLED, OUTPUT_STALLED = "MarkerStalled", "OutputStalled"
#: Of each of these conditions, the reason that says that something is late.
LATE: Mapping[str, Reason] = {
    FRESH: Reason.COMMIT_TOO_OLD,
    MARKER_STALLED: Reason.COMMITS_WITHOUT_MARKER,
    OUTPUT_STALLED: Reason.MARKER_WITHOUT_COMMITS,
}

Status = Mapping[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What the conditions are about, as a status has it."""

    memory: Memory
    last: Commit | None
    """The newest finished commit."""
    marker_moved: datetime.datetime | None
    """When the marker moved; None where it never has, or that is not known."""


def judge(
    spout: Spout, pipeline: Pipeline, seen: Seen, ready: Condition, *, now: datetime.datetime
) -> tuple[Condition, ...]:
    """The conditions after a whole look.

    Args:
        spout: what is asked for.
        pipeline: as it was observed.
        seen: what was found out.
        ready: the condition Ready; it says why nothing is known where the worker is not up.
        now: the time.
    """
    asked = spout.freshness
    found = [_marker_stalled(asked, seen), _output_stalled(asked, seen)]
    if asked.max_commit_age is not None:
        found.insert(0, _fresh(asked.max_commit_age, asked, seen, now) if is_up(pipeline) else _unknown(ready))
    return tuple(condition for condition in found if condition is not None)


def keep(previous: Status, *, ready: Condition | None) -> tuple[Condition, ...]:
    """The conditions where there was no whole look: what was found before still holds, as far as anybody knows.

    Args:
        previous: the status before.
        ready: the condition Ready of a look that ended early, after which nobody knows whether a commit is too old;
            None where commits are being counted, and the next look tells.
    """
    shown = [condition_of(previous, kind) for kind in (FRESH, MARKER_STALLED, OUTPUT_STALLED)]
    return tuple(
        _unknown(ready) if ready is not None and condition["type"] == FRESH else _as_shown(condition)
        for condition in shown
        if condition.get("reason") in Reason.__members__.values()
    )


def due_in(asked: Freshness, status: Status, *, now: datetime.datetime) -> float | None:
    """Seconds until the newest commit of a status is too old; None where that is so already, or does not count."""
    if asked.max_commit_age is None or condition_of(status, FRESH).get("status") != TRUE:
        return None
    up_since = from_status(status).worker_up_since or now
    overdue_at = _overdue_at(asked.max_commit_age, asked, up_since, last_commit(status))
    return max(0.0, (overdue_at - now).total_seconds())


def may_be_overdue(asked: Freshness, status: Status, *, now: datetime.datetime) -> bool:
    """Whether the newest commit can be too old by now, and the status does not say so."""
    fresh = condition_of(status, FRESH).get("status")
    if asked.max_commit_age is None or fresh == FALSE:
        return False
    return fresh != TRUE or due_in(asked, status, now=now) == 0


def _fresh(max_age: datetime.timedelta, asked: Freshness, seen: Seen, now: datetime.datetime) -> Condition:
    up_since = seen.memory.worker_up_since
    overdue_at = _overdue_at(max_age, asked, up_since or now, seen.last)
    age = f"spec.freshness.maxCommitAge is {duration.text(max_age)}"
    commit = seen.last.finished_at if seen.last is not None else None
    has_committed = commit is not None and (up_since is None or commit >= up_since)
    if now < overdue_at:
        waits = f"the worker came up at {print_time(up_since)}, and a commit is due by {print_time(overdue_at)}; {age}"
        message = f"the newest commit is not too old; {age}" if has_committed else waits
        return Condition(type=FRESH, status=TRUE, reason=Reason.COMMIT_IN_TIME, message=message)
    since = print_time(commit) if has_committed else f"the worker came up at {print_time(up_since)}"
    message = f"no commit since {since}; {age}. See the log of the worker, and whether the source has new data"
    return Condition(type=FRESH, status=FALSE, reason=Reason.COMMIT_TOO_OLD, message=message)


def _overdue_at(
    max_age: datetime.timedelta, asked: Freshness, up_since: datetime.datetime, last: Commit | None
) -> datetime.datetime:
    """When the newest commit is too old: counted from it, or from the start of the worker where that came later."""
    begins = [up_since + asked.startup_grace]
    if last is not None and last.finished_at is not None:
        begins.append(last.finished_at)
    return max(begins) + max_age


def _marker_stalled(asked: Freshness, seen: Seen) -> Condition | None:
    last, ahead, moved = seen.last, seen.memory.commits_ahead_since, seen.marker_moved
    if not _is_longer(ahead, last.finished_at if last is not None else None, asked.marker_stalled_after):
        return None
    message = (
        f"the spout has committed data since {print_time(ahead)}, for longer than "
        f"{duration.text(asked.marker_stalled_after)} (spec.freshness.markerStalledAfter), and its marker "
        f"{f'has not moved since {print_time(moved)}' if moved else 'has never been written'}: a restart would repeat "
        "these commits. See whether the code writes the marker, in an archive of its own"
    )
    return Condition(type=MARKER_STALLED, status=TRUE, reason=Reason.COMMITS_WITHOUT_MARKER, message=message)


def _output_stalled(asked: Freshness, seen: Seen) -> Condition | None:
    ahead = seen.memory.marker_ahead_since
    if not _is_longer(ahead, seen.marker_moved, asked.output_stalled_after):
        return None
    message = (
        f"the marker has moved on since {print_time(ahead)}, for longer than "
        f"{duration.text(asked.output_stalled_after)} (spec.freshness.outputStalledAfter), and the spout has committed "
        "no data: what it has read since is not in Pachyderm. See whether the code writes its data to /pfs/out"
    )
    return Condition(type=OUTPUT_STALLED, status=TRUE, reason=Reason.MARKER_WITHOUT_COMMITS, message=message)


def _is_longer(begin: datetime.datetime | None, end: datetime.datetime | None, after: datetime.timedelta) -> bool:
    return begin is not None and end is not None and after > duration.ZERO and end - begin >= after


def _unknown(ready: Condition) -> Condition:
    return Condition(type=FRESH, status=UNKNOWN, reason=ready.reason, message=ready.message)


def _as_shown(condition: Mapping[str, Any]) -> Condition:
    return Condition(
        type=condition["type"],
        status=condition["status"],
        reason=Reason(condition["reason"]),
        message=condition["message"],
    )
