"""Which changes of a status are a line in the log, and how loud they are."""

import dataclasses
import logging
from collections.abc import Mapping
from typing import Any

import pytest

from spout_operator.controller.transitions import log_transitions
from tests.builders import a_key

#: From the type of a condition to its status and its reason.
Conditions = Mapping[str, tuple[str, str]]

RUNNING = {"Ready": ("True", "Running")}
STARTING = {"Ready": ("False", "Starting"), "Reconciling": ("True", "Starting")}
FAILING = {"Ready": ("False", "UserCodeFailing")}
OUTAGE = {"Ready": ("Unknown", "PachydermUnreachable"), "Reconciling": ("True", "PachydermUnreachable")}
IN_TIME = {**RUNNING, "Fresh": ("True", "CommitInTime")}
LATE = {**RUNNING, "Fresh": ("False", "CommitTooOld")}
STALLED = {**RUNNING, "MarkerStalled": ("True", "CommitsWithoutMarker")}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    reason: str
    before: Conditions
    after: Conditions
    says: str = ""
    level: int = logging.INFO


ROWS = [
    Row(reason="it is new", before={}, after=STARTING, says="Ready is False (Starting): said"),
    Row(reason="it runs", before=STARTING, after=RUNNING, says="Ready is True (Running), was False (Starting): said"),
    Row(reason="nothing has changed", before=LATE, after=LATE),
    Row(
        reason="it fails",
        before=RUNNING,
        after=FAILING,
        level=logging.WARNING,
        says="Ready is False (UserCodeFailing), was True (Running): said",
    ),
    Row(
        reason="its commits are late",
        before=IN_TIME,
        after=LATE,
        level=logging.WARNING,
        says="Fresh is False (CommitTooOld), was True (CommitInTime): said",
    ),
    Row(
        reason="they are in time again",
        before=LATE,
        after=IN_TIME,
        says="Fresh is True (CommitInTime), was False (CommitTooOld): said",
    ),
    Row(reason="the first commit is not due yet", before=RUNNING, after=IN_TIME),
    Row(
        reason="of an outage, Ready tells alone",
        before=IN_TIME,
        after={**OUTAGE, "Fresh": ("Unknown", "PachydermUnreachable")},
        says="Ready is Unknown (PachydermUnreachable), was True (Running): said",
    ),
    Row(
        reason="its marker stands still",
        before=RUNNING,
        after=STALLED,
        level=logging.WARNING,
        says="MarkerStalled is True (CommitsWithoutMarker): said",
    ),
    Row(
        reason="its marker moves again",
        before=STALLED,
        after=RUNNING,
        says="MarkerStalled is over, was True (CommitsWithoutMarker)",
    ),
]


def a_status(conditions: Conditions, *, generation: int = 1) -> dict[str, Any]:
    return {
        "observedGeneration": generation,
        "conditions": [
            {"type": kind, "status": status, "reason": reason, "message": "said", "observedGeneration": generation}
            for kind, (status, reason) in conditions.items()
        ],
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.reason)
def test_a_condition_that_moves_is_one_line(row: Row, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    log_transitions(a_key(), a_status(row.before), a_status(row.after))

    lines = [(record.levelno, record.getMessage()) for record in caplog.records]
    assert lines == ([(row.level, f"Spout {a_key()}: {row.says}")] if row.says else [])


@pytest.mark.parametrize(
    ("reason", "generation", "lines"),
    [("PolicyDenied", 1, 0), ("PolicyDenied", 2, 1), ("InvalidSpec", 2, 0)],
    ids=["the same attempt", "another attempt that is denied", "an edit that mends nothing"],
)
def test_a_denial_is_told_once_for_each_generation(
    reason: str, generation: int, lines: int, caplog: pytest.LogCaptureFixture
) -> None:
    refused = {"Ready": ("False", reason)}

    log_transitions(a_key(), a_status(refused), a_status(refused, generation=generation))

    assert len(caplog.messages) == lines


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [(RUNNING, FAILING, "UserCodeFailing"), (STALLED, RUNNING, "CommitsWithoutMarker")],
    ids=["one that turns", "one that is over"],
)
def test_a_line_has_the_spout_and_the_reason_in_fields_of_their_own(
    before: Conditions, after: Conditions, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A log collector filters by them."""
    caplog.set_level(logging.DEBUG)

    log_transitions(a_key(), a_status(before), a_status(after))

    (line,) = caplog.records
    fields = {name: value for name, value in vars(line).items() if "." in name}
    assert fields == {
        "orchestrator.type": "kubernetes",
        "orchestrator.namespace": a_key().namespace,
        "orchestrator.resource.type": "Spout",
        "orchestrator.resource.name": a_key().name,
        "event.action": "transition",
        "event.reason": reason,
    }
