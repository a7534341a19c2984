"""One Lease: who writes has to have seen the newest version, and what was written is read."""

import dataclasses
import datetime
from concurrent.futures import ThreadPoolExecutor

import pytest

from spout_operator.core.errors import Outdated, Retryable
from spout_operator.core.lease import Lease
from tests.contract.leases.harness import NOON, Side, a_lease

LATER = NOON + datetime.timedelta(seconds=2, microseconds=1)


def test_a_lease_that_is_not_there_is_none(side: Side) -> None:
    assert side.read() is None


def test_a_lease_without_a_version_is_made(side: Side) -> None:
    made = side.write(a_lease())

    assert made == a_lease(version=made.version)
    assert made.version
    assert side.read() == made


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"holder": "two", "transitions": 1}, id="another holder"),
        pytest.param({"renewed": LATER}, id="a renewal, to the microsecond"),
        pytest.param({"acquired": LATER, "renewed": LATER}, id="a new term"),
        pytest.param({"holder": "", "duration": 1.0}, id="nobody: it was released"),
    ],
)
def test_a_lease_of_the_newest_version_is_replaced(side: Side, fields: dict[str, object]) -> None:
    made = side.write(a_lease())

    written = side.write(a_lease(version=made.version, **fields))

    assert written == a_lease(version=written.version, **fields)
    assert written.version != made.version
    assert side.read() == written


def test_a_write_of_what_is_there_already_makes_no_new_version(side: Side) -> None:
    made = side.write(a_lease())

    assert side.write(made) == made
    assert side.read() == made


def test_a_lease_of_an_older_version_is_outdated_and_changes_nothing(side: Side) -> None:
    made = side.write(a_lease())
    newest = side.write(dataclasses.replace(made, holder="two"))

    with pytest.raises(Outdated):
        side.write(dataclasses.replace(made, holder="three"))

    assert side.read() == newest


def test_a_lease_that_somebody_else_made_first_is_outdated_and_changes_nothing(side: Side) -> None:
    made = side.write(a_lease())

    with pytest.raises(Outdated):
        side.write(a_lease(holder="two"))

    assert side.read() == made


def test_a_lease_that_was_deleted_meanwhile_is_made_anew_by_a_write_of_its_last_version(side: Side) -> None:
    made = side.write(a_lease())
    side.others.delete()
    assert side.read() is None

    anew = side.write(dataclasses.replace(made, renewed=LATER))

    assert anew == dataclasses.replace(made, renewed=LATER, version=anew.version)
    assert anew.version != made.version
    assert side.read() == anew


def test_a_lease_that_was_deleted_and_made_again_is_outdated_for_who_saw_the_old_one(side: Side) -> None:
    made = side.write(a_lease())
    side.others.delete()
    anew = side.write(a_lease(holder="two"))

    with pytest.raises(Outdated):
        side.write(dataclasses.replace(made, renewed=LATER))

    assert side.read() == anew


def test_an_empty_lease_belongs_to_nobody_and_can_be_taken(side: Side) -> None:
    side.others.make_empty()

    found = side.read()

    assert found is not None
    assert found == Lease(holder="", duration=0.0, acquired=None, renewed=None, transitions=0, version=found.version)
    assert side.write(a_lease(version=found.version)).holder == "one"


def test_exactly_one_of_several_writers_of_one_version_succeeds(side: Side) -> None:
    made = side.write(a_lease())

    def holder_after(name: str) -> str | None:
        try:
            return side.write(dataclasses.replace(made, holder=name)).holder
        except Outdated:
            return None

    with ThreadPoolExecutor(8) as pool:
        winners = [name for name in pool.map(holder_after, "abcdefgh") if name is not None]

    (winner,) = winners
    found = side.read()
    assert found is not None
    assert found.holder == winner


def test_a_call_that_gets_no_answer_is_retryable_and_not_outdated(side: Side) -> None:
    made = side.write(a_lease())
    side.others.cut_off()

    for call in (side.read, lambda: side.write(made)):
        with pytest.raises(Retryable) as caught:
            call()
        assert not isinstance(caught.value, Outdated)


def test_a_write_whose_answer_is_lost_is_retryable_and_may_be_made_all_the_same(side: Side) -> None:
    made = side.write(a_lease())
    side.others.lose_answer()

    with pytest.raises(Retryable):
        side.write(dataclasses.replace(made, renewed=LATER))

    found = side.read()
    assert found is not None
    assert found.renewed == LATER
