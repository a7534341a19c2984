"""How far a spout has come: its finished commits on the output branch, counted incrementally.

The last commit that was counted is in the status, so a restarted operator goes on from there.
"""

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from spout_operator.core.model import Commit
from spout_operator.core.timestamps import parse_time, print_time


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class CommitCount:
    """`total` finished commits of the spout itself, up to and including `last`, the newest of them."""

    total: int = 0
    last: Commit | None = None


NOTHING_COUNTED = CommitCount()


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Walk:
    """The way from a branch's head down to what was counted before, page by page.

    It ends at `count.last`; or at the first commit of all where that is not on the way (the pipeline was made anew, a
    commit was deleted): then the count starts again.
    """

    count: CommitCount
    """What was counted before."""
    head: str
    """Where it began."""
    at: str | None
    """How far down it is; None past the first commit of all."""
    finished: int = 0
    """Finished commits on the way so far."""
    newest: Commit | None = None
    """The newest of them."""
    oldest: Commit | None = None
    """The oldest of them so far."""
    is_open: bool = False
    """Whether a commit on the way is not finished."""
    left_open: tuple[str, ...] = ()
    """The automatic ones of these that nobody is finishing, oldest first."""

    @classmethod
    def begin(cls, count: CommitCount, head: str) -> "Walk":
        """From `head`, nothing read yet."""
        return cls(count=count, head=head, at=head)

    @property
    def since(self) -> str | None:
        """The commit that it leads to."""
        return self.count.last.id if self.count.last else None

    @property
    def next(self) -> str | None:
        """Where the next page begins; None where there is nothing more to read."""
        return None if self.at == self.since else self.at

    def read(self, page: Sequence[Commit]) -> "Walk":
        """Go on by a page: commits from `next` on, newest first; none where there are no more.

        An open commit is counted once it is finished. Of the spout's own, only the newest can be open; the server can
        put automatic ones on top of each other.
        """
        if not page:
            return dataclasses.replace(self, at=self.since)
        finished = [commit for commit in page if commit.finished_at is not None and not commit.is_automatic]
        return dataclasses.replace(
            self,
            at=page[-1].parent,
            finished=self.finished + len(finished),
            newest=self.newest or next(iter(finished), None),
            oldest=finished[-1] if finished else self.oldest,
            is_open=self.is_open or any(commit.finished_at is None for commit in page),
            left_open=(
                *(commit.id for commit in reversed(page) if commit.is_left_open),
                *self.left_open,
            ),
        )

    def result(self) -> CommitCount:
        """The count, once the walk is over."""
        base = self.count if self.at == self.since else NOTHING_COUNTED
        if self.newest is None:
            return base
        return CommitCount(total=base.total + self.finished, last=self.newest)

    @property
    def silence(self) -> datetime.timedelta | None:
        """The time between the last commit that was counted before and the first one after it, once the walk is over.

        By the server's clock alone. None where there is no new commit, or the count has started again.
        """
        last, oldest = self.count.last, self.oldest
        if self.at != self.since or last is None or oldest is None:
            return None
        if last.finished_at is None or oldest.finished_at is None:
            return None
        return oldest.finished_at - last.finished_at


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


def last_commit(status: Mapping[str, Any]) -> Commit | None:
    """The newest finished commit that a whole status tells of; None where there is none."""
    return from_status(status.get("commits")).last


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
