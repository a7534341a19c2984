"""When the heads of a spout are read again."""

import datetime
from typing import Any

import pytest

from spout_operator.core.model import Heads
from spout_operator.core.read_schedule import least_stride, quiet_since, stride
from tests.builders import NOON

#: Ticks of the default bound: 300 s at a tick of 10 s.
MOST = 30


@pytest.mark.parametrize(
    ("quiet", "least", "expected", "reason"),
    [
        (0, 0, 1, "it has just moved"),
        (7, 0, 1, "it is busy"),
        (7, 8, 1, "a busy one is read at each tick however many there are"),
        (8, 0, 2, "a quarter of the pause"),
        (15, 0, 2, "powers of two, so that reads stay spread"),
        (16, 0, 4, "a quarter of the pause"),
        (8, 6, 8, "many quiet ones are read more rarely"),
        (8, 8, 8, "and not more rarely than they have to be"),
        (119, 0, 16, "a quarter of the pause, not yet the bound"),
        (128, 0, MOST, "never more rarely than the bound"),
        (10**9, 0, MOST, "also after years"),
        (8, 1000, MOST, "nor for being many"),
    ],
)
def test_the_longer_it_is_quiet_the_more_rarely_it_is_read(
    quiet: float, least: float, expected: int, reason: str
) -> None:
    assert stride(quiet, least=least, most=MOST) == expected, reason


def test_a_thousand_quiet_ones_are_read_a_thousand_times_a_minute_at_most() -> None:
    ticks = stride(8, least=least_stride(1000, poll=10), most=MOST)

    assert 1000 * 6 / ticks <= 1000


@pytest.mark.parametrize(("watched", "poll", "expected"), [(1000, 10, 6), (1000, 5, 12), (5000, 10, 30), (0, 10, 0)])
def test_the_least_stride_shares_a_thousand_reads_a_minute(watched: int, poll: float, expected: float) -> None:
    assert least_stride(watched, poll=poll) == expected


SHOWN: dict[str, Any] = {
    "pipeline": {"createdAt": "2026-01-31T10:00:00Z"},
    "commits": {"total": 1, "last": {"id": "c1", "finishedAt": "2026-01-31T12:00:00Z", "sizeBytes": 1}},
    "marker": {"path": "offset", "commit": "m1", "updatedAt": "2026-01-31T11:00:00Z"},
}


@pytest.mark.parametrize(
    ("heads", "shown", "expected", "reason"),
    [
        (Heads(output="c1", marker="m1"), SHOWN, NOON, "the newest of the moments"),
        (
            Heads(output="c1", marker="m1"),
            {**SHOWN, "marker": {**SHOWN["marker"], "updatedAt": "2026-01-31T12:30:00Z"}},
            NOON + datetime.timedelta(minutes=30),
            "the marker moved last",
        ),
        (Heads(), {"commits": {"total": 0}}, None, "no moment is shown"),
        (Heads(output="c2", marker="m1"), SHOWN, None, "a commit that is not shown yet"),
        (Heads(output="c1", marker="m2"), SHOWN, None, "a marker that is not shown yet"),
        (Heads(), {}, None, "nothing is shown at all"),
        (
            Heads(),
            {"pipeline": SHOWN["pipeline"], "commits": {"total": 0}},
            NOON - datetime.timedelta(hours=2),
            "it has never committed",
        ),
        (Heads(), {"pipeline": {"createdAt": "yesterday"}}, None, "somebody else wrote it"),
        (
            Heads(output="c1", marker="m1"),
            {**SHOWN, "pipeline": {"createdAt": "yesterday"}},
            None,
            "somebody else wrote one of them, and it may be the newest",
        ),
    ],
)
def test_a_status_tells_since_when_a_spout_is_quiet(
    heads: Heads, shown: dict[str, Any], expected: datetime.datetime | None, reason: str
) -> None:
    assert quiet_since(heads, shown) == expected, reason
