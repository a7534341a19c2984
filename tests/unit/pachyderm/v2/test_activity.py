"""The log of a worker of Pachyderm 2.12.2 tells what happened to the user code."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from spout_operator.core.activity import WorkerEvent
from spout_operator.pachyderm.log_lines import Line
from spout_operator.pachyderm.v2.activity import MESSAGES, TABLE
from spout_operator.pachyderm.v2.sdk import pps
from spout_operator.pachyderm.worker_log import events
from tests.unit.pachyderm.worker_logs import Told, read_log, told

FOLDER = Path(__file__).parent / "worker_logs"
NO_PROGRAM = "fork/exec /no/such/program: no such file or directory"


def message(found: dict[str, Any]) -> bytes:
    """A LogMessage as pachd sends it."""
    made = pps.LogMessage(
        project_name=found["projectName"],
        pipeline_name=found["pipelineName"],
        master=found.get("master", False),
        user=found.get("user", False),
        # What is finer than a microsecond is no part of a datetime.
        ts=datetime.fromisoformat(f"{found['ts'][:26]}+00:00"),
        message=found.get("message", ""),
    )
    return bytes(made)


def lines_in(log: str) -> list[Line | None]:
    return [MESSAGES.of_worker(message(found))[1] for found in read_log(FOLDER, log)]


def events_in(log: str) -> list[WorkerEvent]:
    return events([each for each in lines_in(log) if each is not None], TABLE)


@pytest.mark.parametrize(
    ("log", "expected", "reason"),
    [
        (
            "no_such_program",
            [("started",), ("failed", NO_PROGRAM, 10.142579), ("started",), ("failed", NO_PROGRAM, 15.432144)],
            "the words of the system say what to change",
        ),
        (
            "exit_3",
            [("started",), ("failed", 3, 5.31634), ("started",), ("failed", 3, 17.240465)],
            "the exit code is enough",
        ),
        (
            "killed",
            [
                ("started",),
                ("failed", "signal: killed", 5.131164),
                ("started",),
                ("failed", "signal: killed", 20.599324),
            ],
            "a signal is no exit code",
        ),
        ("exit_0", [("started",), ("ended",)], "it is never started again"),
        (
            "sdk_error",
            [("started",), ("failed", 1, 6.868711), ("started",), ("failed", 1, 18.490491)],
            "what the SDK said is in lines of the user code",
        ),
    ],
)
def test_each_case_is_told_in_facts(log: str, expected: list[Told], reason: str) -> None:
    assert told(events_in(log)) == expected, reason


def test_lines_of_the_user_code_are_not_looked_at() -> None:
    """On 2.12.2 they say that they are of the master, too."""
    found = read_log(FOLDER, "sdk_error")
    of_user = [each for each in found if each.get("user")]
    assert of_user
    assert all(each["master"] for each in of_user)
    assert lines_in("sdk_error").count(None) == len(of_user)
    assert MESSAGES.of_worker(message({**of_user[0], "message": "finished running user code after 1s"}))[1] is None


def test_an_event_has_the_time_of_its_line() -> None:
    assert events_in("exit_0")[0].at == datetime(2026, 11, 27, 7, 46, 21, 398907, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "expected", "reason"),
    [
        ("started spout spawner process", [], "the code does not run yet"),
        (
            "note: about to kill unexpectedly-remaining subprocess of the user code: pid=11",
            [],
            "says nothing of its end",
        ),
        ("something that nobody has read yet", [], "unknown"),
        ("finished spout spawner process", [("ended",)], "the last line of a log says it alone"),
        (
            "errored running user code after 1m1.5s: signal: killed because context canceled",
            [("failed", "signal: killed because context canceled", None)],
            "the worker ended it",
        ),
        (
            "master: error running the master process, retrying in 9.5s: locking master lock: context canceled\nstack",
            [("failed", "locking master lock: context canceled", 9.5)],
            "the code waits for the worker",
        ),
    ],
)
def test_a_line_by_itself(said: str, expected: list[Told], reason: str) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert told(events([Line(at=at, message=said)], TABLE)) == expected, reason
