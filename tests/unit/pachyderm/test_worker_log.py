"""What is asked of a worker's log, what becomes of the answers, and what is said where there is none."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest

from spout_operator.core.activity import LONGEST_ERROR, Activity, Stop
from spout_operator.pachyderm import worker_log
from spout_operator.pachyderm.log_lines import Line, Sized
from spout_operator.pachyderm.worker_log import MOST_BYTES, MOST_LINES, Kind, Words, activity, duration, events
from tests.unit.pachyderm.worker_logs import Told, told

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DOING = "read the log of the worker of 'my-spout'"
LINE_BYTES = 100


def words(kind: Kind, pattern: str) -> Words:
    return Words(kind=kind, pattern=re.compile(pattern), source="worker.go")


TABLE = (
    words(Kind.STARTED, "start"),
    words(Kind.FAILED, "fail (?P<error>.*)"),
    words(Kind.RETRIED, "retry (?P<retry>.*) after (?P<error>.*)"),
    words(Kind.ENDED, "end"),
    words(Kind.REFUSED, "refuse (?P<error>.*)"),
)


def lines(*said: str) -> list[Line]:
    """What was said, one line each second from noon on: by the user code where it begins with `> `."""
    return [
        Line(
            at=NOON + timedelta(seconds=number),
            message=message.removeprefix("> "),
            is_of_user=message.startswith("> "),
        )
        for number, message in enumerate(said)
    ]


class FailedCall(grpc.RpcError):  # type: ignore[misc] # gRPC publishes no types
    """What gRPC raises."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__()
        self._code, self._details = code, details

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return self._details


class Log:
    """A worker's log, as pachd hands it out."""

    def __init__(
        self, *said: str, fails: FailedCall | None = None, hidden: Sequence[str] = (), line_bytes: int = LINE_BYTES
    ) -> None:
        self._lines = lines(*said, *hidden)
        self._hidden = len(hidden)
        """So many last lines come after one that ends what pachd reads."""
        self._fails = fails
        self._line_bytes = line_bytes
        self.asked: list[tuple[int, timedelta]] = []

    def ask(self, most: int, back: timedelta) -> Iterator[Sized]:
        self.asked.append((most, back))
        told = self._lines[: len(self._lines) - self._hidden] if most > self._hidden else self._lines[-most:]
        for line in told[-most:]:
            yield self._line_bytes, line
        if self._fails is not None:
            raise self._fails

    def activity(self, since: datetime | None = None, **options: Any) -> Activity:
        return activity(self.ask, TABLE, since=since, doing=DOING, **options)


@pytest.mark.parametrize(
    ("said", "expected", "reason"),
    [
        ([], [], "nothing was said"),
        (["start"], [("started",)], "it runs"),
        (["start", "what is that"], [("started",)], "an unknown line is no event"),
        (["fail exit status 3"], [("failed", 3, None)], "not tried again yet"),
        (["fail exit status 3", "retry 2s after exit status 3"], [("failed", 3, 2.0)], "two lines, one event"),
        (["retry 2s after exit status 3"], [("failed", 3, 2.0)], "the log begins between the two lines"),
        (
            ["fail exit status 3", "retry 2s after x", "retry 3s after y"],
            [("failed", 3, 2.0), ("failed", "y", 3.0)],
            "the second is another one",
        ),
        (["fail exit status 3", "retry soon after x"], [("failed", 3, None)], "no time that can be read"),
        (["fail exit status 3 or so"], [("failed", "exit status 3 or so", None)], "no exit code"),
        (["start", "end"], [("started",), ("ended",)], "it ended"),
        (["end", "end"], [("ended",)], "said twice"),
        (["start", "refuse it"], [("started",), ("refused", "it")], "the server did not take it"),
        (["refuse it", "retry 2s after it"], [("refused", "it")], "the worker goes on: the code did not fail"),
        (["start", "> end", "> fail it"], [("started",)], "the user code says it, not the worker"),
    ],
)
def test_lines_become_events(said: list[str], expected: list[Told], reason: str) -> None:
    assert told(events(lines(*said), TABLE)) == expected, reason


@pytest.mark.parametrize("said", ["fail {}", "retry 1s after {}", "refuse {}"])
def test_the_words_of_others_are_bounded(said: str) -> None:
    (event,) = events(lines(said.format("x" * 1000)), TABLE)
    (error,) = [value for value in told([event])[0] if isinstance(value, str) and "x" in value]
    assert len(error) == LONGEST_ERROR
    assert error.endswith("…")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("327.643166ms", 0.327643),
        ("70.5µs", 0.00007),
        ("1.358118878s", 1.358119),
        ("17s", 17.0),
        ("1m17.5s", 77.5),
        ("2h0m1s", 7201.0),
        ("458ns", 0.0),
        ("", None),
        ("soon", None),
        ("17", None),
        ("in 17s", None),
    ],
)
def test_durations_are_read_as_go_writes_them(text: str, seconds: float | None) -> None:
    found = duration(text)
    assert (found.total_seconds() if found is not None else None) == (
        pytest.approx(seconds, abs=1e-5) if seconds is not None else None
    )


def test_a_code_that_failed_is_known_from_one_request() -> None:
    log = Log("start", "fail exit status 3")
    assert told(log.activity().events) == [("started",), ("failed", 3, None)]
    assert [most for most, _ in log.asked] == [MOST_LINES]


def test_a_code_that_seems_to_run_is_looked_at_again_by_the_last_line() -> None:
    log = Log("start")
    assert told(log.activity().events) == [("started",)]
    assert [most for most, _ in log.asked] == [MOST_LINES, 1]


def test_what_was_written_between_two_requests_is_not_lost() -> None:
    log = Log("start", "fail exit status 3", "retry 2s after exit status 3")
    answers = [0, 1, MOST_LINES]

    def ask(most: int, back: timedelta) -> Iterator[Sized]:
        yield from log.ask(most, back) if answers.pop(0) else ()

    assert told(activity(ask, TABLE, since=None, doing=DOING).events) == [("started",), ("failed", 3, 2.0)]


def test_what_comes_after_a_line_that_pachd_cannot_read_is_found() -> None:
    log = Log("start", hidden=["retry 2s after exit status 3"])
    assert told(log.activity().events) == [("started",), ("failed", 3, 2.0)]


def test_the_request_goes_back_a_little_more_than_was_asked_for() -> None:
    log = Log("start")
    log.activity(since=datetime.now(UTC) - timedelta(hours=1))
    (_, back), *_ = log.asked
    assert timedelta(hours=1) < back < timedelta(hours=1, minutes=5)


def test_a_time_in_the_future_asks_for_the_least() -> None:
    log = Log("start")
    log.activity(since=datetime.now(UTC) + timedelta(hours=1))
    assert [back for _, back in log.asked] == [worker_log.CLOCK_SKEW] * 2


def test_what_was_before_is_left_out_and_what_was_just_then_is_not() -> None:
    log = Log("start", "fail exit status 3", "retry 2s after exit status 3", "start")
    assert told(log.activity(since=NOON + timedelta(seconds=1)).events) == [("failed", 3, 2.0), ("started",)]


def test_nothing_new_is_no_reason_to_know_nothing() -> None:
    assert Log("start").activity(since=NOON + timedelta(seconds=9)) == Activity(events=(), unknown=None)


@pytest.mark.parametrize(
    ("said", "new", "asked", "reason"),
    [
        (["start"], [], [1], "the last line was read before"),
        (["start", "> hello"], [], [1, MOST_LINES], "the user code has written since, and perhaps the worker too"),
        (["start", "fail x"], [("failed", "x", None)], [1, MOST_LINES], "the worker has said more"),
        (["start", "what is that"], [], [1, MOST_LINES], "what it has said is no event"),
        ([], [], [1, MOST_LINES], "there is no line that is so new"),
    ],
)
def test_of_a_worker_that_was_quiet_the_last_line_is_asked_for_first(
    said: list[str], new: list[Told], asked: list[int], reason: str
) -> None:
    log = Log(*said)
    found = log.activity(since=NOON)
    assert told([event for event in found.events if event.at > NOON]) == new, reason
    assert [most for most, _ in log.asked] == asked, reason


def test_of_a_worker_that_has_just_said_something_all_lines_are_asked_for_first() -> None:
    log = Log("start")
    log.activity(since=datetime.now(UTC) - worker_log.QUIET_FOR / 2)
    assert [most for most, _ in log.asked] == [MOST_LINES, 1]


def test_what_a_quiet_worker_says_after_a_line_that_pachd_cannot_read_is_found() -> None:
    log = Log("start", hidden=["fail x"])
    assert told(log.activity(since=NOON + timedelta(microseconds=1)).events) == [("failed", "x", None)]
    assert [most for most, _ in log.asked] == [1, MOST_LINES, MOST_LINES]


def test_a_whole_log_without_a_start_is_unknown() -> None:
    found = Log("what is that").activity()
    assert found.events == ()
    assert found.unknown is not None
    assert found.unknown.startswith(f"could not {DOING}: its log does not tell of the code's start")


@pytest.mark.parametrize(
    ("code", "details"),
    [
        (grpc.StatusCode.UNKNOWN, 'no pods belonging to the rc "pipeline-my-spout-v1" were found'),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded"),
        (grpc.StatusCode.UNIMPLEMENTED, "unknown method GetLogs"),
    ],
)
def test_a_log_that_is_not_to_be_had_is_unknown(code: grpc.StatusCode, details: str) -> None:
    found = Log(fails=FailedCall(code, details)).activity(since=NOON)
    assert found == Activity(events=(), unknown=f"could not {DOING}: {details}")


WAITS = 'container "user" in pod "pipeline-spout-v1-abcde" is waiting to start: CreateContainerConfigError'


@pytest.mark.parametrize(
    ("details", "waiting", "reason"),
    [
        (WAITS, WAITS, "as the API server says it"),
        (f"could not get logs: {WAITS}", WAITS, "with words of others before it"),
        ('no pods belonging to the rc "pipeline-my-spout-v1" were found', None, "there is no Pod"),
        ('container "user" in pod "pipeline-spout-v1-abcde" is terminated', None, "it has run"),
    ],
)
def test_a_container_that_has_not_started_is_told_in_the_words_of_the_kubelet(
    details: str, waiting: str | None, reason: str
) -> None:
    found = Log(fails=FailedCall(grpc.StatusCode.UNKNOWN, details)).activity()
    assert found.waiting == waiting, reason
    assert found.unknown == f"could not {DOING}: {details}"


def test_what_was_told_before_a_failure_is_kept() -> None:
    found = Log("start", fails=FailedCall(grpc.StatusCode.UNKNOWN, "gone")).activity()
    assert told(found.events) == [("started",)]
    assert found.unknown == f"could not {DOING}: gone"


def test_what_pachd_says_is_bounded() -> None:
    found = Log(fails=FailedCall(grpc.StatusCode.UNKNOWN, "x" * 1000)).activity()
    assert found.unknown is not None
    assert len(found.unknown) == LONGEST_ERROR


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAUTHENTICATED]
)
def test_a_server_that_does_not_answer_is_a_failure(code: grpc.StatusCode) -> None:
    with pytest.raises(grpc.RpcError):
        Log(fails=FailedCall(code, "")).activity()


def test_an_answer_that_is_too_long_is_not_read_to_its_end() -> None:
    found = Log("start", "fail exit status 3", "end", line_bytes=MOST_BYTES // 2).activity()
    assert told(found.events) == [("started",), ("failed", 3, None)]
    assert found.unknown is not None
    assert f"more than {MOST_BYTES} bytes" in found.unknown


def last_lines(found: Activity) -> list[tuple[str, ...]]:
    return [event.last_lines for event in found.events if isinstance(event, Stop)]


@pytest.mark.parametrize(
    ("said", "expected", "reason"),
    [
        (["start", "> a", "> b", "> c", "fail exit status 3"], [("b", "c")], "the last two that were asked for"),
        (["start", "> a", "end"], [("a",)], "it ended, and wrote one line"),
        (["start", "> a", "refuse it", "> b"], [("a",)], "what came before the refusal"),
        (["start", "fail x", "> a", "start", "> b"], [("a",)], "the last lines can come after the news of the end"),
        (["start", "end", "> a"], [("a",)], "the same"),
        (["start", "> a", "fail x", "retry 2.5s after x", "> b", "> c"], [("a", "b")], "c is of its next life"),
        (["start", "fail exit status 3"], [()], "it wrote nothing"),
        (["start", "> a", "fail x", "start", "fail x"], [(), ()], "lines of an earlier life say nothing of this one"),
        (["start", "> a", "fail x", "start", "> b", "fail x"], [(), ("b",)], "of the newest stop alone"),
        (["> a", "fail x", "start", "> b"], [("a",)], "the log begins after its start; it runs again"),
        (["> a", "retry 2s after x"], [("a",)], "the line of the failure itself is missing"),
    ],
)
def test_the_newest_stop_has_the_last_lines_of_the_user_code(
    said: list[str], expected: list[tuple[str, ...]], reason: str
) -> None:
    assert last_lines(Log(*said).activity(last_lines=2)) == expected, reason


def test_lines_that_nobody_asked_for_are_not_told() -> None:
    assert last_lines(Log("start", "> a", "fail exit status 3").activity()) == [()]


def test_lines_of_the_user_code_alone_are_no_reason_to_read_the_log_again() -> None:
    log = Log("start", hidden=["> a"])
    assert told(log.activity(last_lines=2).events) == [("started",)]
    assert [most for most, _ in log.asked] == [MOST_LINES, 1]


class Apart:
    """The log of a server that hands out the lines of the user code by themselves."""

    def __init__(self, *said: str, fails: FailedCall | None = None) -> None:
        self._worker = Log(*[each for each in said if not each.startswith("> ")])
        self.user = Log(*["> ", *[each for each in said if each.startswith("> ")]], fails=fails)

    def activity(self, since: datetime | None = None, *, last_lines: int = 2) -> Activity:
        return self._worker.activity(since=since, last_lines=last_lines, ask_user=self.user.ask)


def test_lines_that_the_server_hands_out_apart_take_one_more_request() -> None:
    log = Apart("start", "> a", "fail exit status 3")
    assert last_lines(log.activity()) == [("", "a")]
    assert [most for most, _ in log.user.asked] == [MOST_LINES]


@pytest.mark.parametrize(
    ("said", "since", "most", "reason"),
    [
        (["start", "> a"], None, 2, "the code runs"),
        (["start", "> a", "fail x", "start"], NOON + timedelta(seconds=1), 2, "the failure is known already"),
        (["start", "> a", "fail x"], None, 0, "nobody wants them"),
    ],
)
def test_no_request_is_made_for_lines_that_are_not_shown(
    said: list[str], since: datetime | None, most: int, reason: str
) -> None:
    log = Apart(*said)
    log.activity(since, last_lines=most)
    assert log.user.asked == [], reason


def test_a_failure_is_told_also_where_its_lines_are_not_to_be_had() -> None:
    found = Apart("start", "fail exit status 3", fails=FailedCall(grpc.StatusCode.UNKNOWN, "gone")).activity()
    assert told(found.events) == [("started",), ("failed", 3, None)]
    assert found.unknown == f"could not {DOING}: gone"
