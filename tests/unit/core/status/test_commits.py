"""Progress: finished commits, counted once each, however the looks at the branch fall."""

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spout_operator.core.model import Commit
from spout_operator.core.status.commits import NOTHING_COUNTED, CommitCount, Walk, from_status, to_status
from tests.builders import NOON, a_commit


def history(length: int, *, branch: str = "c", open_tip: bool = False) -> list[Commit]:
    """Commits `c1` (without a parent) to `c<length>`, oldest first, a second apart."""
    return [
        a_commit(
            id=f"{branch}{number}",
            parent=f"{branch}{number - 1}" if number > 1 else None,
            finished_at=None if open_tip and number == length else NOON + datetime.timedelta(seconds=number),
            size=number,
        )
        for number in range(1, length + 1)
    ]


def ancestry(commits: Sequence[Commit], *, since: str | None) -> list[Commit]:
    """As Pachyderm lists them: newest first, down to but without `since`, or to the first commit of all."""
    known = [commit.id for commit in commits]
    return list(reversed(commits[known.index(since) + 1 if since in known else 0 :]))


def walked(count: CommitCount, listed: Sequence[Commit], *, page: int = 100) -> CommitCount:
    """What is counted once all that Pachyderm lists was read, so many commits at a time."""
    walk = Walk.begin(count, listed[0].id if listed else "head")
    while walk.next is not None:
        listed, read = listed[page:], listed[:page]
        walk = walk.read(read)
    return walk.result()


def look(count: CommitCount, commits: Sequence[Commit], *, page: int = 100) -> CommitCount:
    """One look at a branch that holds `commits`."""
    return walked(count, ancestry(commits, since=count.last.id if count.last else None), page=page)


C = history(5)


@dataclass(frozen=True, kw_only=True)
class Case:
    """What was counted before, what Pachyderm lists, and what is counted then."""

    reason: str
    before: CommitCount
    listed: Sequence[Commit]
    total: int
    last: Commit | None


CASES = [
    Case(reason="nothing was written yet", before=NOTHING_COUNTED, listed=[], total=0, last=None),
    Case(reason="the first commit has no parent", before=NOTHING_COUNTED, listed=[C[0]], total=1, last=C[0]),
    Case(
        reason="the first look counts the whole ancestry, and the newest is the last",
        before=NOTHING_COUNTED,
        listed=[C[2], C[1], C[0]],
        total=3,
        last=C[2],
    ),
    Case(reason="nothing new", before=CommitCount(total=3, last=C[2]), listed=[], total=3, last=C[2]),
    Case(
        reason="what is new is counted on",
        before=CommitCount(total=3, last=C[2]),
        listed=[C[4], C[3]],
        total=5,
        last=C[4],
    ),
    Case(
        reason="what was counted need not be the whole branch: commits may have been counted in an earlier life",
        before=CommitCount(total=1000, last=C[2]),
        listed=[C[3]],
        total=1001,
        last=C[3],
    ),
    Case(
        reason="an open commit is not counted yet",
        before=NOTHING_COUNTED,
        listed=[a_commit(finished_at=None)],
        total=0,
        last=None,
    ),
    Case(
        reason="an open tip does not hide the finished ones below",
        before=CommitCount(total=1, last=C[0]),
        listed=[a_commit(id="open", parent="c2", finished_at=None), C[1]],
        total=2,
        last=C[1],
    ),
    Case(
        reason="an open tip alone changes nothing",
        before=CommitCount(total=1, last=C[0]),
        listed=[a_commit(id="open", parent="c1", finished_at=None)],
        total=1,
        last=C[0],
    ),
    Case(
        reason="the last counted commit was deleted: the list goes down to the first, the count starts again",
        before=CommitCount(total=3, last=a_commit(id="deleted", parent="c2")),
        listed=[C[1], C[0]],
        total=2,
        last=C[1],
    ),
    Case(
        reason="the pipeline was made anew: its commits are counted from one",
        before=CommitCount(total=1042, last=a_commit(id="of-the-old-pipeline")),
        listed=[C[0]],
        total=1,
        last=C[0],
    ),
    Case(
        reason="the pipeline was made anew and its first commit is open",
        before=CommitCount(total=1042, last=a_commit(id="of-the-old-pipeline")),
        listed=[a_commit(id="open", finished_at=None)],
        total=0,
        last=None,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.reason)
def test_counting(case: Case) -> None:
    assert walked(case.before, case.listed) == CommitCount(total=case.total, last=case.last), case.reason


def test_an_open_tip_is_counted_once_it_is_finished() -> None:
    count = look(NOTHING_COUNTED, history(3, open_tip=True))
    assert count.total == 2

    assert look(count, history(3)).total == 3


looks = st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=8)


@given(looks, st.booleans(), st.integers(1, 4))
def test_counting_in_slices_and_pages_equals_counting_at_once(
    steps: list[tuple[int, bool]], restarts: bool, page: int
) -> None:
    count, length = NOTHING_COUNTED, 0
    for more, open_tip in steps:
        length += more
        # The tip can only be open while it is new.
        count = look(count, history(length, open_tip=open_tip and more > 0), page=page)
        if restarts:
            count = from_status(to_status(count))

    at_once = look(count, history(length))

    assert at_once.total == length
    assert to_status(at_once) == to_status(look(NOTHING_COUNTED, history(length)))


@given(st.integers(1, 8), st.integers(1, 8), st.integers(0, 8))
def test_after_a_deletion_the_count_is_that_of_what_is_left(before: int, kept: int, added: int) -> None:
    first = history(before)
    kept = min(kept, before)
    tip = first[kept - 1]
    later = [
        a_commit(id=f"d{number}", parent=f"d{number - 1}" if number else tip.id, size=number) for number in range(added)
    ]

    count = look(look(NOTHING_COUNTED, first), [*first[:kept], *later], page=3)

    assert count.total == kept + added


def test_a_count_is_shown_with_its_last_commit() -> None:
    assert to_status(CommitCount(total=1042, last=a_commit(id="c1042", size=7))) == {
        "total": 1042,
        "last": {"id": "c1042", "finishedAt": "2026-01-31T12:00:00Z", "sizeBytes": 7},
    }


def test_a_count_of_no_commits_is_zero() -> None:
    assert to_status(NOTHING_COUNTED) == {"total": 0}


moments = st.datetimes(datetime.datetime(2015, 1, 1), datetime.datetime(2100, 1, 1)).map(  # noqa: DTZ001 - zone below
    lambda moment: moment.replace(microsecond=0, tzinfo=datetime.UTC)
)


@given(st.integers(1), st.text("0123456789abcdef", min_size=1), moments, st.integers(0))
def test_a_restarted_operator_goes_on_from_the_status(
    total: int, commit: str, moment: datetime.datetime, size: int
) -> None:
    count = CommitCount(total=total, last=a_commit(id=commit, finished_at=moment, size=size))

    assert from_status(to_status(count)) == count


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (None, "there is no status yet"),
        ({}, "nothing in it"),
        ({"total": 5}, "without the last commit there is nothing to go on from"),
        ({"total": 5, "last": None}, "no last commit"),
        ({"total": "many", "last": {"id": "c", "finishedAt": "2026-01-31T12:00:00Z", "sizeBytes": 1}}, "no number"),
        ({"total": 5, "last": {"id": "c", "finishedAt": "yesterday", "sizeBytes": 1}}, "no time"),
        ({"total": 5, "last": {"id": "c", "finishedAt": None, "sizeBytes": 1}}, "no time"),
        ({"total": 5, "last": {"finishedAt": "2026-01-31T12:00:00Z", "sizeBytes": 1}}, "no id"),
        ({"total": 5, "last": "c5"}, "another shape"),
        ([], "another shape"),
    ],
)
def test_an_unreadable_count_begins_anew(found: Mapping[str, Any] | None, reason: str) -> None:
    assert from_status(found) == NOTHING_COUNTED, reason


def test_a_commit_that_the_server_made_by_itself_is_neither_counted_nor_shown() -> None:
    automatic = [dataclasses.replace(commit, is_automatic=number % 2 == 0) for number, commit in enumerate(C)]

    found = look(NOTHING_COUNTED, automatic)

    assert found == CommitCount(total=2, last=automatic[3])


@pytest.mark.parametrize("page", [1, 2, 100])
def test_only_automatic_commits_since_the_last_look_change_nothing(page: int) -> None:
    before = CommitCount(total=2, last=C[1])
    automatic = [*C[:2], *(dataclasses.replace(commit, is_automatic=True) for commit in C[2:])]

    assert look(before, automatic, page=page) == before


def test_a_walk_knows_where_it_began_while_it_goes_down() -> None:
    walk = Walk.begin(NOTHING_COUNTED, "c5").read([C[4], C[3]])

    assert (walk.head, walk.next) == ("c5", "c3")


@pytest.mark.parametrize(
    ("listed", "is_open"),
    [
        pytest.param(history(2), False, id="finished"),
        pytest.param(history(2, open_tip=True), True, id="the-newest-is-open"),
        pytest.param([dataclasses.replace(C[0], is_automatic=True)], False, id="a-finished-automatic-one"),
        pytest.param([], False, id="none"),
    ],
)
def test_a_walk_tells_whether_a_commit_is_open(listed: list[Commit], is_open: bool) -> None:
    assert Walk.begin(NOTHING_COUNTED, "head").read(ancestry(listed, since=None)).is_open is is_open


def test_an_automatic_commit_that_is_being_finished_is_open_and_not_left_open() -> None:
    finishing = dataclasses.replace(C[0], is_automatic=True, finished_at=None, is_finishing=True)

    walk = Walk.begin(NOTHING_COUNTED, "head").read([finishing])

    assert (walk.is_open, walk.left_open) == (True, ()), "pachd finishes it by itself"


def test_automatic_commits_that_were_left_open_are_told_oldest_first() -> None:
    opened = [dataclasses.replace(commit, is_automatic=True, finished_at=None) for commit in C[2:4]]
    listed = ancestry([*C[:2], *opened, dataclasses.replace(C[4], finished_at=None)], since=None)

    walk = Walk.begin(NOTHING_COUNTED, "head").read(listed[:2]).read(listed[2:])

    assert walk.left_open == ("c3", "c4"), "the spout's own open commit is the spout's to finish"
