"""Redaction: the values of environment variables do not leave the operator."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spout_operator.core.redaction import redact


@dataclass(frozen=True)
class Row:
    """A text, the values that must not be in it, and the text that is shown."""

    text: str
    values: tuple[str, ...]
    shown: str
    reason: str


ROWS = [
    Row("login with hunter2 failed", ("hunter2",), "login with [redacted] failed", "struck out"),
    Row("hunter2, hunter2", ("hunter2",), "[redacted], [redacted]", "every time"),
    Row("hunter2hunter2", ("hunter2",), "[redacted][redacted]", "also without a gap"),
    Row(
        "hunter2-0451",
        ("hunter2", "hunter2-0451"),
        "[redacted]",
        "the longer one first: else its end would be left to read",
    ),
    Row("hunter2-0451", ("hunter2-0451", "hunter2"), "[redacted]", "in whatever order they come"),
    Row("port 9092 of kafka", ("9092", "kafka", ""), "port 9092 of kafka", "short values are everywhere in plain text"),
    Row("secret", ("secret",), "[redacted]", "six characters are long enough"),
    Row("abcde", ("abcde",), "abcde", "five are not"),
    Row("Hunter2", ("hunter2",), "Hunter2", "values are taken as they are"),
    Row("all well", (), "all well", "no values, nothing to do"),
    Row("a.c.e.", ("abcdef", "......"), "a.c.e.", "values are no patterns"),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.reason)
def test_values_are_struck_out(row: Row) -> None:
    assert redact(row.text, row.values) == row.shown, row.reason


# Letters that "[redacted]" does not consist of: else what stands in for a value could be one.
secrets = st.lists(st.text("XYZ09", min_size=6, max_size=10), max_size=4)


@given(st.lists(st.text("XYZ09 ", max_size=8) | st.integers(0, 3)), secrets)
def test_no_value_is_left(pieces: list[str | int], values: list[str]) -> None:
    text = "".join(piece if isinstance(piece, str) else "".join(values[piece : piece + 1]) for piece in pieces)

    shown = redact(text, values)

    assert not any(value in shown for value in values)


@given(st.text(max_size=40), st.lists(st.text(max_size=5)))
def test_short_values_leave_the_text_as_it_is(text: str, values: list[str]) -> None:
    assert redact(text, values) == text
