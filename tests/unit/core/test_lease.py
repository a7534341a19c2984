"""Who may write what into the Lease."""

import dataclasses
import datetime

import pytest

from spout_operator.core.lease import DURATION, RENEW_DEADLINE, RETRY_PERIOD, Lease, claim, released

THEN = datetime.datetime(2026, 11, 22, 22, 0, tzinfo=datetime.UTC)
NOW = THEN + datetime.timedelta(seconds=40)
OURS, THEIRS = "replica-1", "replica-2"
HELD = Lease(holder=THEIRS, duration=DURATION, acquired=THEN, renewed=THEN, transitions=3, version="7")


@dataclasses.dataclass(frozen=True)
class Case:
    """A Lease as it is found, and what this replica may make of it."""

    reason: str
    found: Lease | None
    unchanged_for: float
    wanted: Lease | None


def ours(**changed: object) -> Lease:
    held = Lease(holder=OURS, duration=DURATION, acquired=NOW, renewed=NOW, transitions=4, version="7")
    return dataclasses.replace(held, **changed)  # type: ignore[arg-type] # a builder takes what the record takes


CASES = [
    Case("there is none: it is made", None, 0, ours(transitions=0, version="")),
    Case("another one holds it", HELD, 0, None),
    Case("another one holds it to the last moment", HELD, DURATION - 0.1, None),
    Case("another one's has run out by this replica's own clock", HELD, DURATION, ours()),
    Case(
        "a clock that is behind or ahead decides nothing",
        dataclasses.replace(HELD, renewed=NOW - datetime.timedelta(days=1)),
        1,
        None,
    ),
    Case("it was released: no need to wait", dataclasses.replace(HELD, holder="", duration=1), 0, ours()),
    Case("somebody made an empty one", Lease(holder="", duration=0, acquired=None, renewed=None, transitions=0), 0,
         ours(transitions=1, version="")),
    Case(
        "this replica holds it: it is renewed, and it has not changed hands",
        ours(acquired=THEN, renewed=THEN),
        1,
        ours(acquired=THEN, renewed=NOW),
    ),
    Case(
        "this replica held it by an older release, whose Lease was shorter",
        ours(duration=3.0, renewed=THEN),
        1,
        ours(),
    ),
    Case("this replica's own has run out and nobody took it", ours(renewed=THEN), 100, ours()),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.reason)
def test_a_lease_is_claimed_only_where_nobody_can_hold_it(case: Case) -> None:
    assert claim(OURS, case.found, unchanged_for=case.unchanged_for, now=NOW) == case.wanted


def test_a_released_lease_is_nobodys_and_runs_out_soon() -> None:
    later = NOW + datetime.timedelta(seconds=5)

    assert released(ours(), now=later) == ours(holder="", duration=1, renewed=later)


def test_the_holder_stops_before_anybody_else_may_begin_and_can_try_more_than_once() -> None:
    assert RETRY_PERIOD * 2 < RENEW_DEADLINE < DURATION
