"""Conditions: what a Spout tells people, `kubectl wait` and GitOps tools."""

import datetime
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spout_operator.core.activity import Ended, Failed, OutputRefused, Started
from spout_operator.core.decision import Action, Decision
from spout_operator.core.errors import Failure, Retryable, SpoutError, Stalled, Unreachable
from spout_operator.core.history import NOTHING_KNOWN
from spout_operator.core.model import PipelineState
from spout_operator.core.reasons import Reason
from spout_operator.core.redaction import Secrets
from spout_operator.core.status import conditions, health
from spout_operator.core.status.conditions import READY, SYNCED, Condition
from spout_operator.core.status.health import FALSE, RECONCILING, STALLED, TRUE, UNKNOWN
from tests.builders import NOON, a_pipeline

RUNS = health.Health(ready=TRUE, reason=Reason.RUNNING, message="the spout is running")
LATER = NOON + datetime.timedelta(hours=1)
NOTHING_LEFT = Decision(action=Action.NONE, reason=Reason.APPLIED, message="the pipeline is as the Spout asks")


def by_type(found: Sequence[Condition]) -> Mapping[str, Condition]:
    assert len({condition.type for condition in found}) == len(found), "each type once"
    return {condition.type: condition for condition in found}


def a_condition(**fields: Any) -> Condition:
    return Condition(**{"type": READY, "status": TRUE, "reason": Reason.RUNNING, "message": "it runs", **fields})


@dataclass(frozen=True, kw_only=True)
class Health:
    """A pipeline that is as asked for, and what its state means for the Spout."""

    reason: str
    state: PipelineState
    stopped: bool = False
    workers: Sequence[tuple[int, int] | None]
    ready: str
    shows: Reason
    also: str | None
    says: str


ANY = (None, (0, 1), (1, 1))
UP = ((1, 1),)
# None where pachd could not ask them.
COMING = (None, (0, 1))
HEALTH = [
    Health(
        reason="it runs and its worker answers",
        state=PipelineState.RUNNING,
        workers=UP,
        ready=TRUE,
        shows=Reason.RUNNING,
        also=None,
        says="the spout is running",
    ),
    Health(
        reason="Pachyderm says RUNNING before the worker is up",
        state=PipelineState.RUNNING,
        workers=COMING,
        ready=FALSE,
        shows=Reason.WORKERS_STARTING,
        also=RECONCILING,
        says="the pipeline is up and its worker is not yet",
    ),
    Health(
        reason="standby is a way to be up",
        state=PipelineState.STANDBY,
        workers=UP,
        ready=TRUE,
        shows=Reason.RUNNING,
        also=None,
        says="the spout is running",
    ),
    Health(
        reason="a worker is asked for and on its way",
        state=PipelineState.STANDBY,
        workers=COMING,
        ready=FALSE,
        shows=Reason.WORKERS_STARTING,
        also=RECONCILING,
        says="the pipeline is up and its worker is not yet",
    ),
    Health(
        reason="it comes up",
        state=PipelineState.STARTING,
        workers=ANY,
        ready=FALSE,
        shows=Reason.STARTING,
        also=RECONCILING,
        says="the pipeline is starting",
    ),
    Health(
        reason="it was paused and is not stopped any more: it comes up",
        state=PipelineState.PAUSED,
        workers=ANY,
        ready=FALSE,
        shows=Reason.STARTING,
        also=RECONCILING,
        says="the pipeline is starting",
    ),
    Health(
        reason="a state of a newer Pachyderm is not taken for health",
        state=PipelineState.UNKNOWN,
        workers=ANY,
        ready=FALSE,
        shows=Reason.STARTING,
        also=RECONCILING,
        says="the pipeline is starting",
    ),
    Health(
        reason="Pachyderm tries again by itself",
        state=PipelineState.RESTARTING,
        workers=ANY,
        ready=FALSE,
        shows=Reason.PIPELINE_RESTARTING,
        also=RECONCILING,
        says="Pachyderm restarts the pipeline after an error",
    ),
    Health(
        reason="crash loops may end by themselves, so not Stalled, and nobody works on it, so not Reconciling",
        state=PipelineState.CRASHING,
        workers=ANY,
        ready=FALSE,
        shows=Reason.PIPELINE_CRASHING,
        also=None,
        says="the workers crash or do not come up; see the Pods of the pipeline",
    ),
    Health(
        reason="a failed pipeline stays failed until somebody changes it",
        state=PipelineState.FAILURE,
        workers=ANY,
        ready=FALSE,
        shows=Reason.PIPELINE_FAILED,
        also=STALLED,
        says="the pipeline has failed; it stays so until the Spout is changed (restartNonce will do)",
    ),
    Health(
        reason="suspended, as asked for: that is ready",
        state=PipelineState.PAUSED,
        stopped=True,
        workers=ANY,
        ready=TRUE,
        shows=Reason.SUSPENDED,
        also=None,
        says="the pipeline is stopped, as spec.suspend asks",
    ),
    *(
        Health(
            reason="suspended, and still coming down",
            state=state,
            stopped=True,
            workers=ANY,
            ready=FALSE,
            shows=Reason.STOPPING,
            also=RECONCILING,
            says="the pipeline is being stopped, as spec.suspend asks",
        )
        for state in (PipelineState.RUNNING, PipelineState.STANDBY, PipelineState.STARTING, PipelineState.UNKNOWN)
    ),
    Health(
        reason="trouble is told also while it is being stopped",
        state=PipelineState.RESTARTING,
        stopped=True,
        workers=ANY,
        ready=FALSE,
        shows=Reason.PIPELINE_RESTARTING,
        also=RECONCILING,
        says="Pachyderm restarts the pipeline after an error",
    ),
    Health(
        reason="trouble is told also while it is being stopped",
        state=PipelineState.CRASHING,
        stopped=True,
        workers=ANY,
        ready=FALSE,
        shows=Reason.PIPELINE_CRASHING,
        also=None,
        says="the workers crash or do not come up; see the Pods of the pipeline",
    ),
    Health(
        reason="failed is failed, suspended or not",
        state=PipelineState.FAILURE,
        stopped=True,
        workers=ANY,
        ready=FALSE,
        shows=Reason.PIPELINE_FAILED,
        also=STALLED,
        says="the pipeline has failed; it stays so until the Spout is changed (restartNonce will do)",
    ),
]
CASES = [
    pytest.param(row, workers, id=f"{row.state}-stopped={row.stopped}-{workers}")
    for row in HEALTH
    for workers in row.workers
]


@pytest.mark.parametrize(("row", "workers"), CASES)
def test_the_health_of_the_pipeline_is_the_readiness_of_the_spout(row: Health, workers: tuple[int, int] | None) -> None:
    pipeline = a_pipeline(state=row.state, stopped=row.stopped, workers=workers)

    found = by_type(conditions.of_decision(NOTHING_LEFT, health.of_pipeline(pipeline, RUNS)))

    shown = {READY: row.ready, **({row.also: TRUE} if row.also else {})}
    assert found == {
        SYNCED: a_condition(type=SYNCED, reason=Reason.APPLIED, message=NOTHING_LEFT.message),
        **{
            kind: a_condition(type=kind, status=status, reason=row.shows, message=row.says)
            for kind, status in shown.items()
        },
    }, row.reason


def test_no_state_is_forgotten_above() -> None:
    covered = [(row.state, row.stopped, workers) for row in HEALTH for workers in row.workers]

    assert sorted(covered, key=repr) == sorted(itertools.product(PipelineState, (True, False), ANY), key=repr)


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (PipelineState.FAILURE, "the pipeline has failed: no such image; it stays so"),
        (PipelineState.CRASHING, "the workers crash or do not come up: no such image; see the Pods"),
        (PipelineState.RESTARTING, "Pachyderm restarts the pipeline after an error: no such image"),
    ],
)
def test_the_message_passes_on_the_reason_that_pachyderm_gives(state: PipelineState, says: str) -> None:
    pipeline = a_pipeline(state=state, reason="no such image")

    assert health.of_pipeline(pipeline, RUNS).message.startswith(says)


STEP = Decision(action=Action.UPDATE, reason=Reason.UPDATING, message="updating the pipeline: transform.image")
reasons = st.sampled_from(Reason)
errors = st.one_of(
    st.builds(Stalled, reasons, st.just("found this; do that")),
    st.builds(Retryable, reasons, st.just("found this; do that")),
    st.builds(Unreachable, st.just("no answer; see whether pachd runs")),
)
pipelines = st.builds(
    a_pipeline, state=st.sampled_from(PipelineState), stopped=st.booleans(), workers=st.sampled_from(ANY)
)
moments = st.integers(0, 3000).map(lambda seconds: NOON + datetime.timedelta(seconds=seconds))
events = st.one_of(
    st.builds(Started, at=moments),
    st.builds(Failed, at=moments, exit_code=st.one_of(st.none(), st.integers(1, 255))),
    st.builds(Ended, at=moments),
    st.builds(OutputRefused, at=moments, error=st.just("the archive is too long")),
)
user_codes = st.builds(
    health.of_user_code,
    st.lists(events).map(NOTHING_KNOWN.after),
    committed_at=st.one_of(st.none(), moments),
    unknown=st.sampled_from([None, "no worker"]),
    now=moments,
)
healths = st.builds(health.of_pipeline, pipelines, st.one_of(st.none(), user_codes))
anything = st.one_of(
    st.just(conditions.pending()),
    st.builds(conditions.of_failure, errors.map(Failure.of)),
    st.builds(conditions.of_decision, st.sampled_from([STEP, NOTHING_LEFT]), healths),
    st.just(conditions.of_decision(STEP, None)),
)


@given(anything)
def test_kstatus_can_read_every_set_of_conditions(found: tuple[Condition, ...]) -> None:
    named = by_type(found)

    assert {READY, SYNCED} <= named.keys(), "Ready and Synced are always there"
    abnormal = named.keys() - {READY, SYNCED}
    assert abnormal <= {RECONCILING, STALLED}
    assert len(abnormal) <= 1, "nobody works on what only a person can mend"
    assert all(named[kind].status == TRUE for kind in abnormal), "there only while true"
    if named[READY].status == TRUE:
        assert not abnormal, "what is ready is settled"
        assert named[SYNCED].status == TRUE, "what is ready is as asked for"
    assert all(condition.message for condition in found)


def test_a_new_spout_is_not_taken_for_finished() -> None:
    found = by_type(conditions.pending())

    assert {kind: condition.status for kind, condition in found.items()} == {
        READY: UNKNOWN,
        SYNCED: UNKNOWN,
        RECONCILING: TRUE,
    }
    assert {condition.reason for condition in found.values()} == {Reason.PENDING}


@pytest.mark.parametrize("observed", [None, a_pipeline()], ids=["no pipeline", "a pipeline"])
def test_while_a_step_takes_effect_the_spout_is_reconciling(observed: Any) -> None:
    found = by_type(conditions.of_decision(STEP, observed))

    assert {kind: condition.status for kind, condition in found.items()} == {
        READY: FALSE,
        SYNCED: FALSE,
        RECONCILING: TRUE,
    }
    assert {(condition.reason, condition.message) for condition in found.values()} == {(STEP.reason, STEP.message)}


@dataclass(frozen=True)
class FailureCase:
    """An error and the statuses that it shows."""

    error: SpoutError
    statuses: Mapping[str, str]
    reason: str


FAILURES = [
    FailureCase(
        Stalled(Reason.REPO_EXISTS, "m", said="what the server said"),
        {READY: FALSE, SYNCED: FALSE, STALLED: TRUE},
        "a person has to act, and nobody else is at it",
    ),
    FailureCase(
        Retryable(Reason.PACHYDERM_ERROR, "m", said="what the server said"),
        {READY: FALSE, SYNCED: FALSE, RECONCILING: TRUE},
        "it is tried again",
    ),
    FailureCase(
        Unreachable("m", said="what the server said"),
        {READY: UNKNOWN, SYNCED: UNKNOWN, RECONCILING: TRUE},
        "who does not answer has not said no: the spout may well run",
    ),
]


@pytest.mark.parametrize("row", FAILURES, ids=lambda row: row.reason)
def test_errors_are_shown(row: FailureCase) -> None:
    found = by_type(conditions.of_failure(Failure.of(row.error)))

    assert {kind: condition.status for kind, condition in found.items()} == row.statuses, row.reason
    assert {condition.reason for condition in found.values()} == {row.error.reason}
    assert {condition.message for condition in found.values()} == {"m (what the server said)"}


def merged(
    previous: Sequence[Mapping[str, Any]], *found: Condition, now: datetime.datetime = LATER
) -> list[dict[str, Any]]:
    return conditions.merge(previous, found, secrets=Secrets(["hunter2"]), generation=4, now=now)


SHOWN = {
    "type": "Ready",
    "status": "True",
    "reason": "Running",
    "message": "it runs",
    "observedGeneration": 3,
    "lastTransitionTime": "2026-01-31T12:00:00Z",
}


def test_a_condition_is_written_as_kubernetes_wants_it() -> None:
    assert merged([], a_condition(), now=NOON) == [{**SHOWN, "observedGeneration": 4}]


@dataclass(frozen=True)
class Transition:
    """A condition that was shown, the one that is shown next, and whether its time moves."""

    before: Mapping[str, Any] | None
    after: Condition
    moves: bool
    reason: str


TRANSITIONS = [
    Transition(None, a_condition(), moves=True, reason="it is new"),
    Transition(SHOWN, a_condition(), moves=False, reason="nothing changed"),
    Transition(SHOWN, a_condition(message="it runs well"), moves=False, reason="only the message changed"),
    Transition(SHOWN, a_condition(reason=Reason.SUSPENDED), moves=False, reason="only the reason changed"),
    Transition(SHOWN, a_condition(status=FALSE), moves=True, reason="the status changed"),
    Transition(SHOWN, a_condition(status=UNKNOWN), moves=True, reason="Unknown is a status of its own"),
    Transition(SHOWN, a_condition(type=SYNCED), moves=True, reason="the time of another condition is not taken over"),
    Transition(
        {"type": "Ready", "status": "True"},
        a_condition(),
        moves=True,
        reason="somebody took the time away: it is required",
    ),
]


@pytest.mark.parametrize("row", TRANSITIONS, ids=lambda row: row.reason)
def test_the_transition_time_moves_only_with_the_status(row: Transition) -> None:
    [written] = merged([row.before] if row.before else [], row.after)

    moved = written["lastTransitionTime"] == "2026-01-31T13:00:00Z"
    assert moved is row.moves, row.reason
    assert moved or written["lastTransitionTime"] == SHOWN["lastTransitionTime"]
    assert (written["reason"], written["message"]) == (row.after.reason, row.after.message), "what is new is shown"


def test_every_condition_tells_which_generation_it_is_about() -> None:
    found = merged([SHOWN], *conditions.pending())

    assert [condition["observedGeneration"] for condition in found] == [4, 4, 4]


def test_a_condition_that_is_over_is_taken_away() -> None:
    stalled = {**SHOWN, "type": "Stalled"}

    assert [condition["type"] for condition in merged([SHOWN, stalled], a_condition())] == ["Ready"]


@given(anything, anything)
def test_merging_the_same_again_changes_nothing(before: tuple[Condition, ...], after: tuple[Condition, ...]) -> None:
    once = merged(merged([], *before, now=NOON), *after, now=LATER)

    assert merged(once, *after, now=LATER + datetime.timedelta(days=1)) == once


@pytest.mark.parametrize(
    ("length", "shown", "reason"),
    [(1024, "m" * 1024, "what fits is whole"), (1025, "m" * 1023 + "…", "what does not is cut, visibly")],
)
def test_messages_are_bounded(length: int, shown: str, reason: str) -> None:
    [written] = merged([], a_condition(message="m" * length))

    assert written["message"] == shown, reason


def test_a_written_message_holds_no_secret() -> None:
    [written] = merged([], a_condition(message="cannot\n use hunter2"))

    assert written["message"] == "cannot use [redacted]"


def test_a_written_reason_is_a_plain_string() -> None:
    [written] = merged([], a_condition())

    assert type(written["reason"]) is str


@given(user_codes)
def test_trouble_of_the_user_code_is_read_back_from_a_status(user_code: health.Health) -> None:
    status = {"conditions": merged([], *conditions.of_decision(NOTHING_LEFT, user_code))}

    is_trouble = user_code.reason in {Reason.USER_CODE_FAILING, Reason.USER_CODE_ENDED, Reason.OUTPUT_REFUSED}
    assert conditions.trouble_of_user_code(status) == (user_code if is_trouble else None)


def test_a_status_without_conditions_tells_of_no_trouble() -> None:
    assert conditions.trouble_of_user_code({}) is None


def test_a_decision_that_waits_for_a_person_is_told_instead_of_the_health() -> None:
    decision = Decision(action=Action.NONE, reason=Reason.POLICY_DENIED, message="no rule allows it", is_stalled=True)

    found = by_type(conditions.of_decision(decision, RUNS))

    assert {kind: condition.status for kind, condition in found.items()} == {READY: FALSE, SYNCED: FALSE, STALLED: TRUE}
    assert {(condition.reason, condition.message) for condition in found.values()} == {
        (Reason.POLICY_DENIED, "no rule allows it")
    }
