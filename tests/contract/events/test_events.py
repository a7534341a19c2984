"""What is written is what a person finds; what happens again within minutes makes a series."""

import dataclasses
from typing import Any

import pytest

from spout_operator.core.errors import EventRefused, Retryable
from spout_operator.core.events import LONGEST_NOTE, EventReason, EventType
from tests.builders import NOON
from tests.contract.events.harness import UID, Side, after, an_event

OTHER_UID = UID.replace("1", "2")


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="a normal one"),
        pytest.param({"type": EventType.WARNING, "reason": EventReason.STALLED}, id="a warning"),
        pytest.param({"note": "ä" * (LONGEST_NOTE // 2)}, id="the longest note"),
        pytest.param({"note": 'line 1\n`line` "2" \\ %s {}'}, id="any characters"),
    ],
)
def test_an_event_is_found_as_it_was_written(side: Side, fields: dict[str, Any]) -> None:
    side.write(an_event(**fields), after(microseconds=5))

    (found,) = side.others.look()
    assert found.event == an_event(**fields)
    assert (found.key.namespace, found.key.name, found.uid) == (side.namespace, "my-spout", UID)
    assert (found.first, found.last, found.count) == (after(microseconds=5), after(microseconds=5), 1)


def test_a_spout_that_is_gone_and_one_with_the_longest_name_can_be_told_of(side: Side) -> None:
    name = "a" * 253

    side.write(an_event(), name=name)

    (found,) = side.others.look()
    assert found.key.name == name


def test_the_same_event_again_within_minutes_makes_a_series(side: Side) -> None:
    for minutes in (0, 5, 10):
        side.write(an_event(), after(minutes=minutes))

    (found,) = side.others.look()
    assert (found.first, found.last, found.count) == (NOON, after(minutes=10), 3)


def test_the_same_event_after_longer_is_a_new_one(side: Side) -> None:
    side.write(an_event())
    side.write(an_event(), after(minutes=7))

    assert side.found() == [(an_event(), 1), (an_event(), 1)]


@pytest.mark.parametrize(
    ("fields", "uid"),
    [
        pytest.param({"note": "another note"}, UID, id="note"),
        pytest.param({"reason": EventReason.USER_CODE_RECOVERED}, UID, id="reason"),
        pytest.param({}, OTHER_UID, id="Spout of the same name"),
    ],
)
def test_one_that_differs_in_anything_is_another_event(side: Side, fields: dict[str, Any], uid: str) -> None:
    side.write(an_event())
    side.write(an_event(**fields), after(seconds=1), uid=uid)

    assert side.found() == [(an_event(), 1), (an_event(**fields), 1)]


def test_a_call_that_is_repeated_writes_nothing_more(side: Side) -> None:
    for at in (NOON, NOON, after(minutes=1), after(minutes=1)):
        side.write(an_event(), at)

    assert side.found() == [(an_event(), 2)]


def test_an_event_that_was_deleted_meanwhile_is_written_anew(side: Side) -> None:
    side.write(an_event())
    side.others.delete_all()
    side.write(an_event(), after(minutes=1))

    assert side.found() == [(an_event(), 1)]


def test_an_operator_without_the_right_is_refused_and_need_not_try_again(side: Side) -> None:
    refused = dataclasses.replace(side, port=side.others.refuse())

    with pytest.raises(EventRefused, match="403"):
        refused.write(an_event())

    assert side.found() == []


def test_a_server_that_cannot_be_reached_may_be_tried_again(side: Side) -> None:
    side.others.cut_off()

    with pytest.raises(Retryable):
        side.write(an_event())

    assert side.found() == []
