"""Durations in the spec: what Go reads as hours, minutes and seconds."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spout_operator.core.spec import duration

MINUTE, HOUR = 60, 3600


@pytest.mark.parametrize(
    ("text", "seconds", "reason"),
    [
        ("10m", 10 * MINUTE, "one unit"),
        ("1h30m", HOUR + 30 * MINUTE, "two units"),
        ("1h30m15s", HOUR + 30 * MINUTE + 15, "all of them"),
        ("90s", 90, "more seconds than a minute has"),
        ("48h", 48 * HOUR, "two days: Go has no unit for days"),
        ("0s", 0, "nothing"),
        ("30m1h", HOUR + 30 * MINUTE, "in any order, as Go takes it"),
        ("99999h", 99999 * HOUR, "the longest number"),
    ],
)
def test_a_duration_is_the_sum_of_its_parts(text: str, seconds: int, reason: str) -> None:
    assert duration.parse(text) == datetime.timedelta(seconds=seconds), reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "nothing is no duration"),
        ("10", "ten of what?"),
        ("2d", "Go has no days"),
        ("10 m", "no space"),
        ("10M", "capitals are other units elsewhere"),
        ("1.5h", "whole numbers only: 1h30m"),
        ("-10m", "the past"),
        ("500ms", "finer than the operator looks"),
        ("100000h", "too long a number"),
        ("1h1h1h1h", "more parts than there are units"),
        ("10m\n", "a line end hides at the end"),
        ("\u0661m", "a digit of another script"),
    ],
)
def test_anything_else_is_refused_with_an_example(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match="for example 10m or 1h30m"):
        duration.parse(text)
    assert reason


@given(st.integers(0, 99_999 * HOUR))
def test_a_duration_is_written_as_it_is_read(seconds: int) -> None:
    written = datetime.timedelta(seconds=seconds)

    assert duration.parse(duration.text(written)) == written


def test_a_duration_is_written_without_parts_that_are_zero() -> None:
    assert [duration.text(datetime.timedelta(seconds=seconds)) for seconds in (0, 90, 5400, 86400)] == [
        "0s",
        "1m30s",
        "1h30m",
        "24h",
    ]
