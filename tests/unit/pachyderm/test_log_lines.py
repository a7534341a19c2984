"""Whose a line of a worker's log is, and how much of it is read."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from spout_operator.core.activity import LONGEST_LINE
from spout_operator.pachyderm.log_lines import Line, LogMessages
from spout_operator.pachyderm.v1 import activity as one
from spout_operator.pachyderm.v1.sdk import pps_pb2
from spout_operator.pachyderm.v2 import activity as two
from spout_operator.pachyderm.v2.sdk import pps

WORKER, USER = "worker", "user"
AT = datetime(2026, 1, 1, 12, 0, 3, 250000, tzinfo=UTC)
Made = Callable[[str, str], bytes]


def from_1(text: str, by: str) -> bytes:
    """As the worker of Pachyderm 1.13 has it."""
    made = pps_pb2.LogMessage(pipeline_name="spout", master=by != USER, user=by == USER, message=text)
    made.ts.FromDatetime(AT)
    return bytes(made.SerializeToString())


def from_2(text: str, by: str) -> bytes:
    """As the worker of Pachyderm 2.12 has it: a line of the user code has `master`, too."""
    return bytes(pps.LogMessage(pipeline_name="spout", master=True, user=by == USER, message=text, ts=AT))


SERVERS = pytest.mark.parametrize(
    ("messages", "made"),
    [pytest.param(one.MESSAGES, from_1, id="1.13"), pytest.param(two.MESSAGES, from_2, id="2.12")],
)


@SERVERS
def test_only_lines_of_the_kind_that_is_asked_for_are_read(messages: LogMessages, made: Made) -> None:
    of_worker, of_user = made("says", WORKER), made("says", USER)
    worker, user = Line(at=AT, message="says"), Line(at=AT, message="says", is_of_user=True)

    assert [messages.of_worker(each)[1] for each in (of_worker, of_user)] == [worker, None]
    assert [messages.of_user(each)[1] for each in (of_worker, of_user)] == [None, user]
    assert [messages.of_both(each)[1] for each in (of_worker, of_user)] == [worker, user]
    assert messages.of_worker(of_user)[0] == len(of_user), "its size counts all the same"


@SERVERS
@pytest.mark.parametrize(
    ("text", "expected", "reason"),
    [
        ("", "", "an empty line"),
        ("x" * LONGEST_LINE, "x" * LONGEST_LINE, "the longest"),
        ("x" * (LONGEST_LINE + 1), "x" * (LONGEST_LINE - 1) + "…", "a longer one is cut off"),
        ("😀" * 40_000, "😀" * (LONGEST_LINE - 1) + "…", "also where a character has four bytes"),
    ],
)
def test_a_line_of_the_user_code_is_cut_off(
    messages: LogMessages, made: Made, text: str, expected: str, reason: str
) -> None:
    _, line = messages.of_user(made(text, USER))
    assert line is not None
    assert line.message == expected, reason


def test_a_line_of_the_user_code_that_is_no_utf_8_can_be_read() -> None:
    message = from_2("xx", USER).replace(b"xx", b"\xff\xfe")
    _, line = two.MESSAGES.of_user(message)
    assert line is not None
    assert line.message == "\ufffd\ufffd"
