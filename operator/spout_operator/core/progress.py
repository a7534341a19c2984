"""How far a spout has come: finished commits on its output branch, counted incrementally.

The last commit that was counted is in the status, so a restarted operator goes on from there.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from spout_operator.core.model import Commit
from spout_operator.core.timestamps import parse_time, print_time


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class CommitCount:
    """`total` finished commits up to and including `last`, the newest of them."""

    total: int = 0
    last: Commit | None = None


NOTHING_COUNTED = CommitCount()


def advance(count: CommitCount, commits: Sequence[Commit]) -> CommitCount:
    """Count on.

    Args:
        count: what was counted before.
        commits: the ancestry of the branch's head, newest first, down to but without `count.last`;
            or down to the first commit of all where `count.last` is not part of it (the pipeline
            was made anew, a commit was deleted): then the count starts again.

    Only a branch's newest commit can be open (Pachyderm 1.13.4 refuses a child of an open one), and
    it is counted once it is finished.
    """
    goes_on = not commits or (count.last is not None and commits[-1].parent == count.last.id)
    base = count if goes_on else NOTHING_COUNTED
    finished = [commit for commit in commits if commit.finished_at is not None]
    if not finished:
        return base
    return CommitCount(total=base.total + len(finished), last=finished[0])


def to_status(count: CommitCount) -> dict[str, Any]:
    """The `status.commits` of a count."""
    if count.last is None:
        return {"total": count.total}
    return {
        "total": count.total,
        "last": {
            "id": count.last.id,
            "finishedAt": print_time(count.last.finished_at),
            "sizeBytes": count.last.size,
        },
    }


def from_status(found: Mapping[str, Any] | None) -> CommitCount:
    """The count that a status holds; nothing counted where there is none or it cannot be read."""
    try:
        last = (found or {})["last"]
        return CommitCount(
            total=int((found or {})["total"]),
            last=Commit(
                id=str(last["id"]),
                parent=None,
                finished_at=parse_time(last["finishedAt"]),
                size=int(last["sizeBytes"]),
            ),
        )
    except (KeyError, TypeError, ValueError):
        return NOTHING_COUNTED
