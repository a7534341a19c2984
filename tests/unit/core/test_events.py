"""When there is an Event, of what type and with which words: of a step, of a silence, and of two statuses."""

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Any

import pytest

from spout_operator.core import events
from spout_operator.core.decision import Action, Decision
from spout_operator.core.events import LONGEST_NOTE, Event, EventReason, EventType
from spout_operator.core.reasons import Reason
from spout_operator.core.redaction import Secrets
from tests.builders import a_name

HOUR = datetime.timedelta(hours=1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    action: Action
    reason: EventReason
    says: str
    decision_reason: Reason = Reason.UPDATING
    changed: tuple[str, ...] = ()
    message: str = ""


STEPS = [
    Step(action=Action.CREATE, reason=EventReason.CREATED, says="created the pipeline 'my-spout'"),
    Step(
        action=Action.UPDATE,
        changed=("transform.image", "description"),
        reason=EventReason.UPDATED,
        says="which restarts the spout: transform.image, description",
    ),
    Step(
        action=Action.UPDATE,
        changed=("restartNonce",),
        reason=EventReason.RESTARTED,
        says="spec.restartNonce has changed",
    ),
    Step(
        action=Action.UPDATE,
        changed=("description", "restartNonce"),
        reason=EventReason.UPDATED,
        says="description, restartNonce",
    ),
    Step(
        action=Action.UPDATE,
        decision_reason=Reason.ADOPTING,
        changed=("restartNonce",),
        reason=EventReason.ADOPTED,
        says="took over the pipeline 'my-spout', which had no owner, with an update",
    ),
    Step(
        action=Action.TAKE_OVER,
        decision_reason=Reason.ADOPTING,
        reason=EventReason.ADOPTED,
        says="took over the pipeline 'my-spout', which had no owner",
    ),
    Step(action=Action.STOP, reason=EventReason.SUSPENDED, says="spec.suspend is true"),
    Step(action=Action.START, reason=EventReason.RESUMED, says="spec.suspend is not true"),
    Step(action=Action.DELETE, reason=EventReason.DELETED, says="'my-spout' and its repo"),
    Step(action=Action.DELETE_KEEP_REPO, reason=EventReason.DELETED, says="and kept its repo"),
    Step(
        action=Action.RELEASE, message="the pipeline {stays}", reason=EventReason.RELEASED, says="the pipeline {stays}"
    ),
]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.action.value}: {step.reason}")
def test_a_step_that_was_carried_out_is_told(step: Step) -> None:
    decision = Decision(action=step.action, reason=step.decision_reason, message=step.message, changed=step.changed)

    event = events.of_step(decision, a_name())

    assert (event.type, event.reason) == (EventType.NORMAL, step.reason)
    assert step.says in event.note
    assert event.action


def test_every_step_but_the_one_that_does_nothing_is_told() -> None:
    assert {step.action for step in STEPS} == set(Action) - {Action.NONE}


@pytest.mark.parametrize(
    ("silence", "note"),
    [
        pytest.param(None, None, id="nothing is known of the time before"),
        pytest.param(datetime.timedelta(seconds=-5), None, id="the server's clock went back"),
        pytest.param(HOUR - datetime.timedelta(seconds=1), None, id="a pause"),
        pytest.param(HOUR, "a commit came after 1 h 0 min without one; 7 commits in total", id="an hour"),
        pytest.param(
            datetime.timedelta(days=2, minutes=12, seconds=59),
            "a commit came after 48 h 12 min without one; 7 commits in total",
            id="days",
        ),
    ],
)
def test_the_first_commit_after_an_hour_without_one_is_told(
    silence: datetime.timedelta | None, note: str | None
) -> None:
    event = events.of_silence(silence, 7)

    assert (event.note if event else None) == note
    assert event is None or (event.type, event.reason) == (EventType.NORMAL, EventReason.COMMITS_RESUMED)
    assert event is None or event.action == "Observe"


@pytest.mark.parametrize(
    ("silence", "note"),
    [
        pytest.param(9, None, id="in time"),
        pytest.param(10, "a commit came after 10 s without one; 7 commits in total", id="late"),
        pytest.param(3600, "a commit came after 1 h 0 min without one; 7 commits in total", id="very late"),
    ],
)
def test_the_first_commit_after_maxcommitage_is_told(silence: int, note: str | None) -> None:
    event = events.of_silence(datetime.timedelta(seconds=silence), 7, max_commit_age=datetime.timedelta(seconds=10))

    assert (event.note if event else None) == note


def test_a_spout_that_may_be_silent_for_days_tells_of_an_hour() -> None:
    assert events.of_silence(HOUR, 7, max_commit_age=datetime.timedelta(days=2)) is not None


def a_status(ready: str, reason: Reason, message: str = "said", *also: str, generation: int = 1) -> dict[str, Any]:
    """A status with the conditions Ready and `also`."""
    kinds = {"Ready": ready, **dict.fromkeys(also, "True")}
    conditions = [
        {"type": kind, "status": status, "reason": str(reason), "message": message} for kind, status in kinds.items()
    ]
    return {"observedGeneration": generation, "conditions": conditions}


def with_condition(status: Mapping[str, Any], kind: str, value: str, reason: Reason) -> dict[str, Any]:
    """The status with one condition more."""
    condition = {"type": kind, "status": value, "reason": str(reason), "message": "said"}
    return {**status, "conditions": [*status["conditions"], condition]}


RUNNING = a_status("True", Reason.RUNNING, "the spout is running")
STARTING = a_status("False", Reason.STARTING, "said", "Reconciling")
UNKNOWN = a_status("Unknown", Reason.USER_CODE_UNKNOWN)
FAILING = a_status("False", Reason.USER_CODE_FAILING, "failed once")
ENDED = a_status("False", Reason.USER_CODE_ENDED, "said", "Stalled")
REFUSED = a_status("False", Reason.OUTPUT_REFUSED)
FAILED = a_status("False", Reason.PIPELINE_FAILED, "said", "Stalled")
CRASHING = a_status("False", Reason.PIPELINE_CRASHING)
INVALID = a_status("False", Reason.INVALID_SPEC, "spec.spout.marker: found x", "Stalled")
BLOCKED = a_status("False", Reason.DELETION_BLOCKED, "said", "Stalled")
LATE = with_condition(RUNNING, "Fresh", "False", Reason.COMMIT_TOO_OLD)
IN_TIME = with_condition(RUNNING, "Fresh", "True", Reason.COMMIT_IN_TIME)
AHEAD = with_condition(RUNNING, "MarkerStalled", "True", Reason.COMMITS_WITHOUT_MARKER) | {"marker": {"commit": "m1"}}
BEHIND = with_condition(RUNNING, "OutputStalled", "True", Reason.MARKER_WITHOUT_COMMITS) | {
    "commits": {"total": 2, "last": {"id": "c2", "sizeBytes": 1}}
}
OUTAGE = a_status("Unknown", Reason.PACHYDERM_UNREACHABLE, "said", "Reconciling")
UNAUTHORIZED = a_status("False", Reason.UNAUTHORIZED, "said", "Stalled")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Transition:
    reason: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    told: EventReason | None
    type: EventType = EventType.WARNING
    says: str = "said"


TRANSITIONS = [
    Transition(
        reason="it came up",
        before=STARTING,
        after=RUNNING,
        told=EventReason.RUNNING,
        type=EventType.NORMAL,
        says="the spout is running",
    ),
    Transition(
        reason="it was there, and was adopted",
        before={},
        after=RUNNING,
        told=EventReason.RUNNING,
        type=EventType.NORMAL,
        says="the spout is running",
    ),
    Transition(
        reason="it was new, and nothing was known of it",
        before=UNKNOWN,
        after=RUNNING,
        told=EventReason.RUNNING,
        type=EventType.NORMAL,
        says="the spout is running",
    ),
    *(
        Transition(
            reason=f"it recovered from {what}", before=before, after=RUNNING, told=told, type=EventType.NORMAL, says=""
        )
        for what, before, told in (
            ("failures", FAILING, EventReason.USER_CODE_RECOVERED),
            ("a refusal", REFUSED, EventReason.USER_CODE_RECOVERED),
            ("a crash", CRASHING, EventReason.USER_CODE_RECOVERED),
        )
    ),
    *(
        Transition(reason=f"trouble: {told}", before=RUNNING, after=after, told=told)
        for after, told in (
            (ENDED, EventReason.USER_CODE_ENDED),
            (REFUSED, EventReason.OUTPUT_REFUSED),
            (FAILED, EventReason.PIPELINE_FAILED),
            (CRASHING, EventReason.PIPELINE_CRASHING),
            (BLOCKED, EventReason.DELETION_BLOCKED),
        )
    ),
    Transition(
        reason="new code fails", before=UNKNOWN, after=FAILING, told=EventReason.USER_CODE_FAILING, says="failed once"
    ),
    Transition(
        reason="it has failed once more",
        before=FAILING,
        after=a_status("False", Reason.USER_CODE_FAILING, "failed twice"),
        told=None,
    ),
    Transition(
        reason="it goes on failing after an edit that does not restart it",
        before=FAILING,
        after=a_status("False", Reason.USER_CODE_FAILING, "failed twice", generation=2),
        told=None,
    ),
    Transition(
        reason="a person has to act",
        before=RUNNING,
        after=INVALID,
        told=EventReason.STALLED,
        says="InvalidSpec: spec.spout.marker: found x",
    ),
    Transition(
        reason="an edit has mended one thing, and another is wrong",
        before=INVALID,
        after=a_status("False", Reason.INVALID_SPEC, "spec.name: found y", "Stalled", generation=2),
        told=EventReason.STALLED,
        says="InvalidSpec: spec.name: found y",
    ),
    Transition(
        reason="an edit has mended nothing",
        before=INVALID,
        after=INVALID | {"observedGeneration": 2},
        told=None,
    ),
    Transition(
        reason="the same thing is wrong, in other words, and nobody has edited the Spout",
        before=INVALID,
        after=a_status("False", Reason.INVALID_SPEC, "spec.name: found y", "Stalled"),
        told=None,
    ),
    Transition(reason="nothing has changed", before=RUNNING, after=RUNNING, told=None),
    Transition(reason="the first status", before={}, after=STARTING, told=None),
    Transition(reason="what the operator does tells of itself", before=RUNNING, after=STARTING, told=None),
    Transition(reason="every Spout is in an outage at once", before=RUNNING, after=OUTAGE, told=None),
    Transition(reason="a token is refused for every Spout", before=RUNNING, after=UNAUTHORIZED, told=None),
    Transition(reason="the outage is over", before=OUTAGE, after=RUNNING, told=None),
    Transition(reason="the token is right again", before=UNAUTHORIZED, after=RUNNING, told=None),
    Transition(reason="its commits are late", before=IN_TIME, after=LATE, told=EventReason.COMMIT_TOO_OLD),
    Transition(
        reason="an edit asks for commits that are late", before=RUNNING, after=LATE, told=EventReason.COMMIT_TOO_OLD
    ),
    Transition(reason="the end of a silence tells of the commit", before=LATE, after=IN_TIME, told=None),
    Transition(reason="the first commit is not due yet", before=RUNNING, after=IN_TIME, told=None),
    Transition(reason="its marker stands still", before=RUNNING, after=AHEAD, told=EventReason.COMMITS_WITHOUT_MARKER),
    Transition(
        reason="its marker moves again",
        before=AHEAD,
        after={**RUNNING, "marker": {"commit": "m2"}},
        told=EventReason.MARKER_RESUMED,
        type=EventType.NORMAL,
        says="the marker moves again",
    ),
    Transition(
        reason="spec.freshness does not ask any more",
        before=AHEAD,
        after=RUNNING | {"marker": AHEAD["marker"]},
        told=None,
    ),
    Transition(
        reason="it is suspended, and its marker is read again meanwhile",
        before=AHEAD,
        after=RUNNING | {"marker": {**AHEAD["marker"], "summary": "1041"}},
        told=None,
    ),
    Transition(
        reason="its marker moves, and commits go on without it for too long",
        before=AHEAD,
        after=AHEAD | {"marker": {"commit": "m2"}},
        told=None,
    ),
    Transition(reason="its pipeline is gone, and its marker with it", before=AHEAD, after=RUNNING, told=None),
    Transition(reason="the marker moves alone", before=RUNNING, after=BEHIND, told=EventReason.MARKER_WITHOUT_COMMITS),
    Transition(
        reason="data comes again",
        before=BEHIND,
        after={**RUNNING, "commits": {"total": 3, "last": {"id": "c3", "sizeBytes": 2}}},
        told=EventReason.OUTPUT_RESUMED,
        type=EventType.NORMAL,
        says="the spout commits data again",
    ),
    Transition(
        reason="a new worker begins anew, and an archive with the marker alone made a commit",
        before=BEHIND,
        after={**RUNNING, "commits": {"total": 3, "last": {"id": "c3", "sizeBytes": 1}}},
        told=None,
    ),
    Transition(
        reason="it is suspended, which the step has told",
        before=RUNNING,
        after=a_status("True", Reason.SUSPENDED),
        told=None,
    ),
]


@pytest.mark.parametrize("row", TRANSITIONS, ids=lambda row: row.reason)
def test_a_status_that_was_written_is_told_where_it_says_something_new(row: Transition) -> None:
    told = events.of_statuses(row.before, row.after)

    if row.told is None:
        assert not told
    else:
        (event,) = told
        assert (event.type, event.reason) == (row.type, row.told)
        assert row.says in event.note
        assert event.action


def test_whoever_reads_the_same_two_statuses_later_tells_nothing_of_the_second() -> None:
    for row in TRANSITIONS:
        assert not events.of_statuses(row.after, row.after), row.reason


def test_one_status_can_tell_of_readiness_and_of_late_commits() -> None:
    both = with_condition(FAILING, "Fresh", "False", Reason.COMMIT_TOO_OLD)

    told = [event.reason for event in events.of_statuses(IN_TIME, both)]

    assert told == [EventReason.USER_CODE_FAILING, EventReason.COMMIT_TOO_OLD]


def test_trouble_has_the_same_word_as_the_condition() -> None:
    words = set(map(str, Reason))
    troubles = [row.told for row in TRANSITIONS if row.told is not None and row.type is EventType.WARNING]

    assert {str(told) for told in troubles} - words == {"Stalled"}


def an_event(note: str) -> Event:
    return Event(type=EventType.NORMAL, reason=EventReason.RUNNING, action="Observe", note=note)


@pytest.mark.parametrize(
    ("note", "shown"),
    [
        pytest.param("short", "short", id="short"),
        pytest.param("ä" * 512, "ä" * 512, id="as long as may be"),
        pytest.param("ä" * 513, "ä" * 510 + "…", id="a character too long"),
        pytest.param("a" + "€" * 600, "a" + "€" * 340 + "…", id="it is cut at a character"),
        pytest.param("the key is swordfish", "the key is [redacted]", id="a secret"),
    ],
)
def test_a_note_is_without_secrets_and_no_longer_than_the_api_server_accepts(note: str, shown: str) -> None:
    found = events.shown(an_event(note), Secrets(["swordfish"])).note

    assert found == shown
    assert len(found.encode()) <= LONGEST_NOTE
