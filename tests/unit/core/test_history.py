"""The events of a worker's log, folded: what counts as one row of failures, and when it is over."""

import dataclasses
import datetime
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spout_operator.core.activity import Ended, Failed, OutputRefused, Started, WorkerEvent
from spout_operator.core.history import NOTHING_KNOWN
from tests.builders import NOON


def at(seconds: float) -> datetime.datetime:
    return NOON + datetime.timedelta(seconds=seconds)


def started(seconds: float) -> Started:
    return Started(at=at(seconds))


def failed(seconds: float) -> Failed:
    return Failed(at=at(seconds), exit_code=3)


def test_a_failure_that_is_read_again_with_its_next_try_is_no_second_one() -> None:
    again = dataclasses.replace(failed(1), retry_in=datetime.timedelta(seconds=17))
    trouble = NOTHING_KNOWN.after([started(0), failed(1)]).after([again]).trouble

    assert trouble is not None
    assert (trouble.times, trouble.newest) == (1, again)


def test_lines_of_a_failure_that_is_read_again_without_them_are_kept() -> None:
    first = dataclasses.replace(failed(1), last_lines=("no such topic",))
    again = dataclasses.replace(failed(1), retry_in=datetime.timedelta(seconds=17))
    trouble = NOTHING_KNOWN.after([started(0), first]).after([failed(1)]).after([again]).trouble

    assert trouble is not None
    assert (trouble.times, trouble.newest.last_lines) == (1, ("no such topic",))


def test_lines_do_not_make_the_same_failure_another_one_and_are_in_no_representation() -> None:
    with_lines = dataclasses.replace(failed(1), last_lines=("password",))

    assert with_lines == failed(1)
    assert "password" not in repr(NOTHING_KNOWN.after([with_lines]))


def ended(seconds: float) -> Ended:
    return Ended(at=at(seconds))


def refused(seconds: float) -> OutputRefused:
    return OutputRefused(at=at(seconds), error="the archive holds data and a marker")


@dataclass(frozen=True, kw_only=True)
class Row:
    reason: str
    events: list[WorkerEvent]
    times: int
    since: float
    recovery: float
    """Seconds."""


ROWS = [
    Row(reason="one failure", events=[started(0), failed(1)], times=1, since=1, recovery=60),
    Row(
        reason="it ends at once, again and again",
        events=[started(0), failed(1), started(10), failed(11), started(30), failed(31)],
        times=3,
        since=1,
        recovery=60,
    ),
    Row(
        reason="it dies every 30 seconds: the minute that it has to run is longer than that",
        events=[started(0), failed(30), started(31), failed(60), started(61), failed(90)],
        times=3,
        since=30,
        recovery=60,
    ),
    Row(
        reason="it dies every two minutes: after the second time it has to run for longer than that",
        events=[started(0), failed(120), started(121), failed(240), started(241), failed(360)],
        times=2,
        since=240,
        recovery=240,
    ),
    Row(
        reason="a failure after a long good time begins a new row, and ten minutes are the most that it has to run",
        events=[started(0), failed(1), started(2), failed(4000)],
        times=1,
        since=4000,
        recovery=600,
    ),
    Row(
        reason="it failed right when it had run for long enough, which begins a new row",
        events=[started(0), failed(1), started(2), failed(62)],
        times=1,
        since=62,
        recovery=122,
    ),
    Row(
        reason="it was started and failed again in one moment",
        events=[started(0), failed(1), started(2), failed(2)],
        times=2,
        since=1,
        recovery=60,
    ),
    Row(
        reason="failures without a start in between, as the command does not exist",
        events=[failed(0), failed(5), failed(15)],
        times=3,
        since=0,
        recovery=60,
    ),
    Row(
        reason="what the server refuses is told apart from what the code does",
        events=[started(0), failed(1), started(10), refused(11), started(20), refused(21)],
        times=2,
        since=11,
        recovery=60,
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.reason)
def test_failures_of_user_code_that_never_ran_for_long_are_one_row(row: Row) -> None:
    trouble = NOTHING_KNOWN.after(row.events).trouble

    assert trouble is not None
    found = (trouble.times, trouble.since, trouble.recovery.total_seconds())
    assert found == (row.times, at(row.since), row.recovery), row.reason


def test_a_start_after_the_end_takes_the_end_back() -> None:
    history = NOTHING_KNOWN.after([started(0), ended(5)])
    assert history.ended_at == at(5)
    assert history.after([started(9)]).ended_at is None


KINDS: list[Callable[[float], WorkerEvent]] = [started, failed, refused, ended]
events = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from(KINDS)),
    unique=True,
).map(lambda pairs: [make(seconds) for seconds, make in sorted(pairs, key=lambda pair: pair[0])])


@given(events, st.integers(0, 20), st.integers(0, 20))
def test_a_log_that_is_read_in_parts_that_overlap_tells_the_same(
    found: list[WorkerEvent], end: int, begin: int
) -> None:
    in_parts = NOTHING_KNOWN.after(found[:end]).after(found[min(begin, end) :])

    assert in_parts == NOTHING_KNOWN.after(found)


@pytest.mark.parametrize(
    ("again", "reason"),
    [
        ([failed(1)], "an older event"),
        ([started(0), failed(1), started(2)], "several of them"),
        ([ended(3)], "one of three of the newest moment"),
        ([failed(3), ended(3)], "two of them"),
    ],
)
def test_a_log_that_is_read_again_and_ends_before_what_is_known_changes_nothing(
    again: list[WorkerEvent], reason: str
) -> None:
    history = NOTHING_KNOWN.after([started(0), failed(1), started(2), failed(3), ended(3), started(3)])

    assert history.after(again) == history, reason
