"""Ready means that the user code runs: the verdict on a worker that is up."""

import datetime
from dataclasses import dataclass, field

import pytest

from spout_operator.core.activity import Ended, Failed, OutputRefused, Started, WorkerEvent
from spout_operator.core.history import NOTHING_KNOWN
from spout_operator.core.model import Pipeline, PipelineState
from spout_operator.core.reasons import Reason
from spout_operator.core.status import health
from spout_operator.core.status.health import FALSE, RECONCILING, STALLED, TRUE, UNKNOWN, Health
from tests.builders import NOON, a_pipeline


def at(seconds: float) -> datetime.datetime:
    return NOON + datetime.timedelta(seconds=seconds)


def dies(*moments: float) -> list[WorkerEvent]:
    """It is started again one second after each failure."""
    return [event for moment in moments for event in (Failed(at=at(moment), exit_code=3), Started(at=at(moment + 1)))]


@dataclass(frozen=True, kw_only=True)
class Row:
    reason: str
    events: list[WorkerEvent] = field(default_factory=list)
    now: float
    committed: float | None = None
    unknown: str | None = None
    ready: str
    shows: Reason
    also: str | None = None
    says: str = ""


ROWS = [
    Row(
        reason="nothing was logged yet",
        now=1,
        ready=UNKNOWN,
        shows=Reason.USER_CODE_UNKNOWN,
        says="nothing is known of the user code yet",
    ),
    Row(
        reason="the log cannot be had: that is no proof of health",
        now=3600,
        unknown="the server hands out no logs",
        ready=UNKNOWN,
        shows=Reason.USER_CODE_UNKNOWN,
        says="the server hands out no logs",
    ),
    Row(
        reason="a commit proves life, whatever is known of the log",
        now=3600,
        committed=3000,
        unknown="the server hands out no logs",
        ready=TRUE,
        shows=Reason.RUNNING,
    ),
    Row(
        reason="it was started a moment ago, and may end at once",
        events=[Started(at=at(0))],
        now=4,
        ready=UNKNOWN,
        shows=Reason.USER_CODE_UNKNOWN,
        also=RECONCILING,
        says="just been started",
    ),
    Row(reason="it runs", events=[Started(at=at(0))], now=5, ready=TRUE, shows=Reason.RUNNING),
    Row(
        reason="the command does not exist",
        events=[Failed(at=at(0), error="fork/exec /no/such/program: no such file or directory")],
        now=1,
        ready=FALSE,
        shows=Reason.USER_CODE_FAILING,
        says="failed once since 2026-01-31T12:00:00Z, the last time with fork/exec /no/such/program: no such file or",
    ),
    Row(
        reason="it ends with exit code 3 at once",
        events=[*dies(1, 10), Failed(at=at(20), exit_code=3, retry_in=datetime.timedelta(seconds=17))],
        now=21,
        ready=FALSE,
        shows=Reason.USER_CODE_FAILING,
        says="failed 3 times since 2026-01-31T12:00:01Z, the last time with exit code 3; Pachyderm starts it again at "
        "2026-01-31T12:00:37Z",
    ),
    Row(
        reason="it was started again, and has not run for a minute yet",
        events=dies(30),
        now=90,
        ready=FALSE,
        shows=Reason.USER_CODE_FAILING,
    ),
    Row(reason="it has run for a minute since", events=dies(30), now=91, ready=TRUE, shows=Reason.RUNNING),
    Row(
        reason="it has committed since",
        events=dies(30),
        now=40,
        committed=35,
        ready=TRUE,
        shows=Reason.RUNNING,
    ),
    Row(
        reason="the commit came before it failed",
        events=dies(30),
        now=40,
        committed=29,
        ready=FALSE,
        shows=Reason.USER_CODE_FAILING,
    ),
    Row(
        reason="it was started, and failed in the same moment: it does not run",
        events=[Started(at=at(0)), Failed(at=at(0), exit_code=3)],
        now=3600,
        ready=FALSE,
        shows=Reason.USER_CODE_FAILING,
    ),
    Row(
        reason="the commit came in the moment in which it failed",
        events=dies(30),
        now=40,
        committed=30,
        ready=FALSE,
        shows=Reason.USER_CODE_FAILING,
    ),
    Row(
        reason="it dies every two minutes: in between it is not ready",
        events=dies(120, 240, 360),
        now=470,
        ready=FALSE,
        shows=Reason.USER_CODE_FAILING,
    ),
    Row(
        reason="it has ended",
        events=[Started(at=at(0)), Ended(at=at(2))],
        now=3600,
        ready=FALSE,
        shows=Reason.USER_CODE_ENDED,
        also=STALLED,
        says="restartNonce",
    ),
    Row(
        reason="it has committed, and then ended",
        events=[Started(at=at(0)), Ended(at=at(20))],
        committed=19,
        now=30,
        ready=FALSE,
        shows=Reason.USER_CODE_ENDED,
        also=STALLED,
    ),
    Row(
        reason="the server refuses what it writes",
        events=[Started(at=at(0)), OutputRefused(at=at(2), error="tar: invalid header")],
        now=3,
        ready=FALSE,
        shows=Reason.OUTPUT_REFUSED,
        says="Pachyderm has refused what the user code wrote, once since 2026-01-31T12:00:02Z; the last time: tar: inv",
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.reason)
def test_a_worker_that_is_up_is_ready_when_its_user_code_runs(row: Row) -> None:
    found = health.of_user_code(
        NOTHING_KNOWN.after(row.events),
        committed_at=at(row.committed) if row.committed is not None else None,
        unknown=row.unknown,
        now=at(row.now),
    )

    assert (found.ready, found.reason, found.also) == (row.ready, row.shows, row.also), row.reason
    assert row.says in found.message


def test_the_message_of_a_failure_does_not_change_by_itself() -> None:
    history = NOTHING_KNOWN.after(dies(30, 60))
    found = {
        health.of_user_code(history, committed_at=None, unknown=None, now=at(now)).message for now in range(61, 120)
    }
    assert len(found) == 1, "a message that changes is a write"


LINES = ("no such topic",)


@pytest.mark.parametrize(
    ("events", "expected", "reason"),
    [
        ([Failed(at=at(1), exit_code=3, last_lines=LINES)], LINES, "it fails"),
        ([Started(at=at(0)), Ended(at=at(1), last_lines=LINES)], LINES, "it has ended"),
        ([OutputRefused(at=at(1), error="no archive", last_lines=LINES)], LINES, "its output is refused"),
        ([Failed(at=at(1), exit_code=3, last_lines=LINES), Failed(at=at(2), exit_code=3)], (), "of the newest alone"),
        ([Failed(at=at(-99), exit_code=3, last_lines=LINES), Started(at=at(-98))], (), "it has overcome that"),
        ([Ended(at=at(-99), last_lines=LINES), Started(at=at(-98))], (), "it was started again"),
    ],
)
def test_user_code_that_does_not_run_has_its_last_lines(
    events: list[WorkerEvent], expected: tuple[str, ...], reason: str
) -> None:
    found = health.of_user_code(NOTHING_KNOWN.after(events), committed_at=None, unknown=None, now=at(3))
    assert found.last_lines == expected, reason
    assert LINES[0] not in found.message, "it was not redacted yet"


def test_a_pipeline_that_is_up_and_whose_log_was_not_read_is_not_ready() -> None:
    assert health.of_pipeline(a_pipeline(workers=(1, 1)), None).ready == UNKNOWN


STARTED = Started(at=at(0))


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([STARTED], "the spout is running"),
        (
            [STARTED, Failed(at=at(1))],
            (
                "the user code has failed once since 2026-01-31T12:00:01Z, the last time with an unknown error; "
                "see the log of its worker"
            ),
        ),
        (
            [STARTED, Failed(at=at(1), exit_code=3), Failed(at=at(2), exit_code=4)],
            (
                "the user code has failed 2 times since 2026-01-31T12:00:01Z, the last time with exit code 4; "
                "see the log of its worker"
            ),
        ),
        (
            [STARTED, OutputRefused(at=at(1), error="tar: invalid header")],
            (
                "Pachyderm has refused what the user code wrote, once since 2026-01-31T12:00:01Z; "
                "the last time: tar: invalid header"
            ),
        ),
        (
            [STARTED, OutputRefused(at=at(1), error="two commits", advice="write the marker in an archive of its own")],
            (
                "Pachyderm has refused what the user code wrote, once since 2026-01-31T12:00:01Z; "
                "the last time: two commits; write the marker in an archive of its own"
            ),
        ),
    ],
    ids=["it runs", "failed without a word", "failed twice", "refused", "refused, and it is known what to do"],
)
def test_a_message_says_what_the_user_code_did_when_and_what_to_do(events: list[WorkerEvent], message: str) -> None:
    found = health.of_user_code(NOTHING_KNOWN.after(events), committed_at=None, unknown=None, now=at(30))

    assert found.message == message


@pytest.mark.parametrize(
    ("pipeline", "expected", "reason"),
    [
        (a_pipeline(workers=(1, 1)), True, "it runs, and its worker is there"),
        (a_pipeline(workers=(1, 1), state=PipelineState.STANDBY), True, "its worker is there and has nothing to do"),
        (a_pipeline(workers=(0, 1)), False, "its worker is not there yet"),
        (a_pipeline(workers=None), False, "nothing is known of its worker"),
        (a_pipeline(workers=(1, 1), state=PipelineState.STARTING), False, "it is starting"),
        (a_pipeline(workers=(1, 1), stopped=True), False, "it is being stopped"),
    ],
)
def test_a_pipeline_is_up_once_its_worker_is(pipeline: Pipeline, expected: bool, reason: str) -> None:
    assert health.is_up(pipeline) is expected, reason


@pytest.mark.parametrize(
    ("pipeline", "expected", "reason"),
    [
        (a_pipeline(workers=(0, 1)), True, "its worker is not there yet"),
        (a_pipeline(workers=None), True, "nothing is known of its worker"),
        (a_pipeline(workers=(1, 1)), False, "it is up"),
        (a_pipeline(workers=(0, 1), state=PipelineState.STARTING), False, "Pachyderm has not made its worker yet"),
        (a_pipeline(workers=(0, 0), stopped=True), False, "it is to have no worker"),
    ],
)
def test_a_worker_is_coming_up_where_its_pipeline_is_up_and_it_is_not(
    pipeline: Pipeline, expected: bool, reason: str
) -> None:
    assert health.is_coming_up(pipeline) is expected, reason


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            "ContainerCreating",
            Health(
                ready=FALSE,
                reason=Reason.WORKERS_STARTING,
                message="the pipeline is up and its worker is not yet: ContainerCreating",
                also=RECONCILING,
            ),
        ),
        (
            "ImagePullBackOff",
            Health(
                ready=FALSE,
                reason=Reason.IMAGE_PULL_BACK_OFF,
                message="the worker's Pod does not come up: ImagePullBackOff; see the Pods of the pipeline",
            ),
        ),
        (
            "CreateContainerConfigError",
            Health(
                ready=FALSE,
                reason=Reason.CREATE_CONTAINER_CONFIG_ERROR,
                message="the worker's Pod does not come up: CreateContainerConfigError; see whether each Secret of "
                "spec.transform.secrets is in Pachyderm's namespace, and has its key",
            ),
        ),
    ],
)
def test_what_a_container_waits_for_is_told_with_what_to_do(words: str, expected: Health) -> None:
    assert health.of_waiting_worker(words) == expected


def test_a_worker_that_has_just_come_up_is_told_so() -> None:
    found = health.of_pipeline(a_pipeline(workers=(1, 1)), None)

    assert found == Health(
        ready=UNKNOWN, reason=Reason.USER_CODE_UNKNOWN, message="the worker is up; its log was not read yet"
    )
