"""What the conditions of freshness have to remember from one look to the next: the section `status.freshness`.

It is in the status, so a restarted operator goes on from there. It changes only with what it is about: the worker, the
commits, the marker.
"""

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Any

from spout_operator.core.model import Commit, Pipeline, Spout
from spout_operator.core.status.commits import last_commit
from spout_operator.core.status.health import is_up
from spout_operator.core.timestamps import print_time, read_time

Status = Mapping[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """The section `status.freshness`."""

    worker_up_since: datetime.datetime | None = None
    """When this worker was first seen up; None where it is not, or where nobody asks for it."""
    commits_ahead_since: datetime.datetime | None = None
    """When the first commit with data was finished of those after which the marker has not moved."""
    marker_ahead_since: datetime.datetime | None = None
    """When the marker moved for the first time after the newest commit with data."""


def to_status(memory: Memory) -> dict[str, str]:
    """The section; empty where there is nothing to remember."""
    moments = {
        "workerUpSince": print_time(memory.worker_up_since),
        "commitsAheadSince": print_time(memory.commits_ahead_since),
        "markerAheadSince": print_time(memory.marker_ahead_since),
    }
    return {name: moment for name, moment in moments.items() if moment is not None}


def from_status(status: Status) -> Memory:
    """The memory that a status holds."""
    found = status.get("freshness") or {}
    return Memory(
        worker_up_since=read_time(found.get("workerUpSince")),
        commits_ahead_since=read_time(found.get("commitsAheadSince")),
        marker_ahead_since=read_time(found.get("markerAheadSince")),
    )


def remember(
    spout: Spout, pipeline: Pipeline, before: Status, after: Status, last: Commit | None, *, now: datetime.datetime
) -> Memory:
    """What is to be remembered after a look.

    Args:
        spout: what is asked for.
        pipeline: as it was observed.
        before: the status before the look.
        after: the section `marker` as it is now.
        last: the newest finished commit, as the status has it now.
        now: the time.
    """
    if not is_up(pipeline):
        return Memory()
    known, options = from_status(before), spout.spec.spout
    shown = before.get("pipeline") or {}
    # A stop and a start make another spec commit, so what went on while the operator was away shows.
    is_same_worker = (shown.get("version"), shown.get("specCommit")) == (pipeline.version, pipeline.spec_commit)
    up_since = known.worker_up_since if is_same_worker else None
    memory = Memory(
        worker_up_since=(up_since or now.replace(microsecond=0)) if spout.freshness.max_commit_age else None,
        commits_ahead_since=known.commits_ahead_since if options.marker and is_same_worker else None,
        marker_ahead_since=known.marker_ahead_since if options.marker and is_same_worker else None,
    )
    # Of what was there before the first look, nobody knows which came first.
    if not options.marker or not before.get("commits"):
        return memory
    return _follow(memory, before, after, last, overwrites=options.overwrite)


def _follow(memory: Memory, before: Status, after: Status, last: Commit | None, *, overwrites: bool) -> Memory:
    # An archive with only the marker can make a commit too: it leaves the size as it is.
    has_data = last is not None and last.size != _size(before)
    commit = (after.get("marker") or {}).get("commit")
    has_moved = commit is not None and commit != (before.get("marker") or {}).get("commit")
    if has_data and has_moved:
        return dataclasses.replace(memory, commits_ahead_since=None, marker_ahead_since=None)
    if last is not None and has_data:
        since = memory.commits_ahead_since or last.finished_at
        return dataclasses.replace(memory, commits_ahead_since=since, marker_ahead_since=None)
    if has_moved:
        # Where files are overwritten, the size does not tell whether data came.
        since = None if overwrites else memory.marker_ahead_since or marker_moved(after)
        return dataclasses.replace(memory, commits_ahead_since=None, marker_ahead_since=since)
    return memory


def marker_moved(status: Status) -> datetime.datetime | None:
    """When the marker moved; None where it never has, or that is not known."""
    return read_time((status.get("marker") or {}).get("updatedAt"))


def _size(status: Status) -> int:
    last = last_commit(status)
    return last.size if last is not None else 0
