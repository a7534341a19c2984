"""The last lines of the user code at the end of a message: clean, redacted, bounded, and easy to take off again."""

from dataclasses import dataclass

import pytest

from spout_operator.core import user_lines
from spout_operator.core.activity import LONGEST_LINE
from spout_operator.core.redaction import LONGEST_SHOWN, REDACTED, Secrets

FACTS = "the user code has failed once"
HEADING = "; the last lines of the user code: "


@dataclass(frozen=True, kw_only=True)
class Row:
    reason: str
    lines: tuple[str, ...]
    secrets: tuple[str, ...] = ()
    shown: str


ROWS = [
    Row(reason="one line", lines=("no such topic",), shown="no such topic"),
    Row(reason="the oldest first", lines=("Traceback", "ValueError: x"), shown="Traceback | ValueError: x"),
    Row(reason="indentation is folded", lines=("  File 'a.py',\tline 3",), shown="File 'a.py', line 3"),
    Row(reason="a line without letters tells nothing", lines=("", "  ", "end"), shown="end"),
    Row(reason="colours are of a terminal", lines=("\x1b[31mERROR\x1b[0m: no",), shown="ERROR: no"),
    Row(reason="a title of a terminal", lines=("\x1b]0;title\x07done",), shown="done"),
    Row(reason="a line that was written over", lines=("10 %\r20 %\x00\x08",), shown="10 % 20 %"),
    Row(reason="letters that turn the direction round", lines=("abc\u202edef\u2028g",), shown="abc def g"),
    Row(reason="a secret", lines=("login with hunter22",), secrets=("hunter22",), shown=f"login with {REDACTED}"),
    Row(
        reason="a secret of several short lines, which are none by themselves",
        lines=("key:", "ab12", "cd34", "."),
        secrets=("ab12\ncd34\n",),
        shown=f"key: | {REDACTED} | .",
    ),
    Row(
        reason="one line of a secret of many",
        lines=("MIIEowIBAAKCAQEA",),
        secrets=("-----BEGIN-----\nMIIEowIBAAKCAQEA\n-----END-----",),
        shown=REDACTED,
    ),
    Row(
        reason="a secret with a colour in its middle",
        lines=("pass\x1b[1mword\x1b[0m1",),
        secrets=("password1",),
        shown=REDACTED,
    ),
    Row(
        reason="a secret that is cut off with its line",
        lines=("password1…", "end"),
        secrets=("password1234",),
        shown=f"{REDACTED}… | end",
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.reason)
def test_a_message_ends_with_the_lines(row: Row) -> None:
    found = user_lines.add_to(FACTS, row.lines, Secrets(row.secrets))

    assert found == FACTS + HEADING + row.shown, row.reason
    assert user_lines.without(found) == FACTS


@pytest.mark.parametrize("lines", [(), ("",), ("\x1b[0m", "\t")])
def test_a_message_without_lines_stays_as_it_is(lines: tuple[str, ...]) -> None:
    assert user_lines.add_to(FACTS, lines, Secrets([])) == FACTS
    assert user_lines.without(FACTS) == FACTS


def test_of_more_lines_than_have_room_the_newest_are_shown_whole() -> None:
    lines = [f"line {number} {'x' * 100}" for number in range(20)]
    found = user_lines.add_to(FACTS, lines, Secrets([]))

    assert len(found) <= user_lines.LONGEST_MESSAGE < LONGEST_SHOWN, "nothing else cuts it off"
    assert found.endswith(" | ".join(lines[-8:]))
    assert "line 11 " not in found


@pytest.mark.parametrize(
    ("facts", "shown", "reason"),
    [
        ("f" * 700, "l" * LONGEST_LINE, "the longest line has room beside facts of any length"),
        ("f" * 990, "", "facts that leave no room are whole"),
    ],
)
def test_the_facts_come_first(facts: str, shown: str, reason: str) -> None:
    found = user_lines.add_to(facts, ["l" * LONGEST_LINE], Secrets([]))
    assert found == facts + (HEADING + shown if shown else ""), reason


@pytest.mark.parametrize(
    ("room", "shown", "reason"),
    [
        (3, "new", "one line fills it"),
        (2, "", "no line fits"),
        (9, "old | new", "both lines fill it, with what is between them"),
        (8, "new", "what is between them does not fit"),
    ],
)
def test_the_room_is_used_to_the_last_letter(room: int, shown: str, reason: str) -> None:
    facts = "f" * (user_lines.LONGEST_MESSAGE - len(HEADING) - room)

    found = user_lines.add_to(facts, ["old", "new"], Secrets([]))
    assert found == facts + (HEADING + shown if shown else ""), reason


def test_room_is_counted_after_secrets_were_taken_out() -> None:
    """`REDACTED` is longer than the shortest secret, and the newest line must not be cut off for it."""
    found = user_lines.add_to(FACTS, ["secret " * 20] * 10, Secrets(["secret"]))

    assert len(found) <= user_lines.LONGEST_MESSAGE
    assert found.endswith(" ".join([REDACTED] * 20))


def test_the_heading_in_a_line_takes_nothing_but_lines_off() -> None:
    found = user_lines.add_to(FACTS, [f"a{HEADING}b"], Secrets([]))
    assert user_lines.without(found) == FACTS
