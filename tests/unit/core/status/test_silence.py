"""For how long a spout made no commit before those that are new: by the server's clock, also after an outage."""

import dataclasses
import datetime
from collections.abc import Sequence

import pytest

from spout_operator.core.model import Commit
from spout_operator.core.status.commits import NOTHING_COUNTED, CommitCount, Walk
from tests.builders import NOON, a_commit

COUNTED = CommitCount(total=4, last=a_commit(id="c0", finished_at=NOON))


def at(minutes: int, commit: str, parent: str | None = "c0", *, is_automatic: bool = False) -> Commit:
    finished_at = NOON + datetime.timedelta(minutes=minutes)
    return a_commit(id=commit, parent=parent, finished_at=finished_at, is_automatic=is_automatic)


def opened(commit: str, parent: str) -> Commit:
    return a_commit(id=commit, parent=parent, finished_at=None)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    reason: str
    pages: Sequence[Sequence[Commit]]
    minutes: int | None
    count: CommitCount = COUNTED


ROWS = [
    Row(reason="one commit", pages=[[at(90, "c1")]], minutes=90),
    Row(
        reason="of several, the first ends the silence: they came after an hour and a half",
        pages=[[at(95, "c2", "c1"), at(90, "c1")]],
        minutes=90,
    ),
    Row(
        reason="they came all the time, and the operator did not look",
        pages=[[at(90, "c2", "c1"), at(1, "c1")]],
        minutes=1,
    ),
    Row(reason="over several pages", pages=[[at(95, "c2", "c1")], [at(90, "c1")]], minutes=90),
    Row(reason="one that is still open has not ended it", pages=[[opened("c2", "c1"), at(90, "c1")]], minutes=90),
    Row(
        reason="nor has one that the server made by itself",
        pages=[[at(90, "c2", "c1"), at(30, "c1", is_automatic=True)]],
        minutes=90,
    ),
    Row(reason="no new commit", pages=[], minutes=None),
    Row(reason="only an open one", pages=[[opened("c1", "c0")]], minutes=None),
    Row(reason="the first commits of all", pages=[[at(90, "c1", None)]], minutes=None, count=NOTHING_COUNTED),
    Row(reason="the count starts again", pages=[[at(90, "other", None)]], minutes=None),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.reason)
def test_the_silence_lasts_from_the_last_commit_that_was_counted_to_the_first_new_one(row: Row) -> None:
    walk = Walk.begin(row.count, row.pages[0][0].id if row.pages else "c0")
    for page in row.pages:
        walk = walk.read(page)

    expected = datetime.timedelta(minutes=row.minutes) if row.minutes is not None else None
    assert walk.silence == expected


def test_a_walk_that_goes_on_does_not_know_yet() -> None:
    assert Walk.begin(COUNTED, "c2").read([at(90, "c2", "c1")]).silence is None
