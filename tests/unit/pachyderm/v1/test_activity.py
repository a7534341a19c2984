"""The log of a worker of Pachyderm 1.13.4 tells what happened to the user code."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from spout_operator.core.activity import WorkerEvent
from spout_operator.pachyderm.log_lines import Line
from spout_operator.pachyderm.v1.activity import MESSAGES, TABLE
from spout_operator.pachyderm.v1.sdk import pps_pb2
from spout_operator.pachyderm.worker_log import events
from tests.unit.pachyderm.worker_logs import Told, read_log, told

FOLDER = Path(__file__).parent / "worker_logs"
NO_PROGRAM = "fork/exec /no/such/program: no such file or directory"
REFUSED = "all requests in a put files call must have the same commit ID; expected '{}', got 'marker'"

NO_STORAGE = (
    'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing dial tcp '
    '127.0.0.1:30653: connect: connection refused"'
)
CLOSED = (
    "transport is closing\ngithub.com/pachyderm/pachyderm/src/client/pkg/grpcutil.ScrubGRPC\n\t"
    "github.com/pachyderm/pachyderm@v1.13.4/src/client/pkg/grpcutil/error.go:16"
)
OPEN_PARENT = "parent commit my-spout@87aee9924e9348188ba89e0671af36e7 has not been finished"


def message(found: dict[str, Any]) -> bytes:
    """A LogMessage as pachd sends it."""
    made = pps_pb2.LogMessage(
        pipeline_name=found["pipeline_name"],
        job_id=found.get("job_id", ""),
        master=found.get("master", False),
        user=found.get("user", False),
        message=found["message"],
    )
    made.ts.seconds, made.ts.nanos = found["ts"]["seconds"], found["ts"]["nanos"]
    return bytes(made.SerializeToString())


def events_in(log: str) -> list[WorkerEvent]:
    read = [MESSAGES.of_worker(message(found))[1] for found in read_log(FOLDER, log)]
    return events([each for each in read if each is not None], TABLE)


@pytest.mark.parametrize(
    ("log", "expected", "reason"),
    [
        (
            "no_such_program",
            [("started",), ("failed", NO_PROGRAM, 0.736266), ("started",), ("failed", NO_PROGRAM, 0.911757)],
            "the words of the system say what to change",
        ),
        (
            "exit_3",
            [("started",), ("failed", 3, 0.462553), ("started",), ("failed", 3, 0.5531)],
            "the exit code is enough",
        ),
        ("killed", [("started",), ("failed", "signal: killed", 0.294075)], "a signal is no exit code"),
        ("exit_0", [("started",), ("ended",)], "it is never started again"),
        (
            "refused_archives",
            [
                ("started",),
                ("refused", REFUSED.format("dab720675db441f7a547f3b814ac73f0")),
                ("refused", REFUSED.format("34ae16d2d6a64586ae1e71226f8be5eb")),
                ("refused", REFUSED.format("2dfb466585ca4432bd04aa6cd99e078f")),
            ],
            "the code itself runs on",
        ),
        (
            "no_archive",
            [("started",), ("refused", "archive/tar: invalid tar header"), ("started",)],
            "the worker ends the code, and what the code wrote is the reason",
        ),
    ],
)
def test_each_case_is_told_in_facts(log: str, expected: list[Told], reason: str) -> None:
    assert told(events_in(log)) == expected, reason


def test_an_event_has_the_time_of_its_line() -> None:
    assert events_in("exit_0")[0].at == datetime(2026, 11, 27, 7, 44, 22, 462759, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "expected", "reason"),
    [
        ("started spout spawner process", [], "the code does not run yet"),
        ("starting to download data", [], "as before"),
        ("something that nobody has read yet", [], "unknown"),
        ("beginning to run user code that is something else", [], "only the whole line counts"),
        (
            "errored spout spawner process: unexpected EOF",
            [("refused", "unexpected EOF")],
            "an archive that ends in its middle",
        ),
        (f"error in withSpoutCommit: {NO_STORAGE}, retrying in: 527.256719ms", [], "the storage starts again"),
        (f"error in withSpoutCommit: {NO_STORAGE}, retrying in: 9.354414251s", [], "it takes a while"),
        (
            f"error in withSpoutCommit: {NO_STORAGE}, retrying in: 11.062297403s",
            [("refused", NO_STORAGE)],
            "it does not come back",
        ),
        (
            f"error in withSpoutCommit: {NO_STORAGE}, retrying in: 1m0.5s",
            [("refused", NO_STORAGE)],
            "for longer",
        ),
        (f"error in withSpoutCommit: {CLOSED}, retrying in: 1.580393371s", [], "it has just ended"),
        (f"error in withSpoutCommit: {CLOSED}, retrying in: 500ms", [], "the same, and no pause of minutes"),
        (
            f"error in withSpoutCommit: rpc error: code = Unknown desc = {OPEN_PARENT}, retrying in: 7.452803538s",
            [("refused", f"rpc error: code = Unknown desc = {OPEN_PARENT}")],
            "it ended in the middle of a commit, which stays open",
        ),
        ("errored spout spawner process: context canceled", [], "the next line says when the worker goes on"),
        ("errored running user code after 1.5s: context canceled", [], "the worker ended it"),
        (
            "master: error running the master process, retrying in 1m2s: context canceled",
            [("failed", "context canceled", 62.0)],
            "the worker lost its lock",
        ),
        (
            "errored running user code after 1.5s: invalid pipeline transform, no command specified",
            [("failed", "invalid pipeline transform, no command specified", None)],
            "not tried again yet",
        ),
    ],
)
def test_a_line_by_itself(said: str, expected: list[Told], reason: str) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert told(events([Line(at=at, message=said)], TABLE)) == expected, reason


def test_a_line_of_the_user_code_is_not_looked_at() -> None:
    forged = {"pipeline_name": "spout", "user": True, "ts": {"seconds": 1, "nanos": 0}}
    assert MESSAGES.of_worker(message({**forged, "message": "finished running user code after 1s"}))[1] is None
