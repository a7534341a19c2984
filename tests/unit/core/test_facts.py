"""What is read off a Spout once, for all who ask again and again."""

from typing import Any

import pytest

from spout_operator.core.facts import read
from tests.builders import NOON, Body, a_key, a_name, a_resource

STATUS: Body = {
    "conditions": [
        {"type": "Ready", "status": "True", "reason": "Running"},
        {"type": "Stalled", "status": "True", "reason": "PipelineFailed"},
        {"type": "Fresh", "status": "False", "reason": "CommitTooOld"},
        {"type": "OutputStalled", "status": "True", "reason": "MarkerWithoutCommits"},
    ],
    "commits": {"total": 7, "last": {"id": "c", "finishedAt": "2026-01-31T12:00:00Z"}},
    "marker": {"updatedAt": "2026-01-31T12:00:00Z"},
}


def test_a_spout_that_was_not_looked_at_yet() -> None:
    found = read(a_resource())

    assert (found.key, found.uid, found.version) == (a_key(), "uid-of-ingest-my-spout", 100)
    assert (found.pipeline_name, found.suspended, found.finalizers, found.deleted) == (a_name(), False, (), None)
    assert (found.generation, found.created) == (1, "2026-01-31T12:00:00Z")
    assert (found.ready, found.stalled) == (("Unknown", "Pending"), False)
    assert (found.commits, found.last_commit, found.marker_moved) == (None, None, None)
    assert (found.fresh, found.marker_stalled, found.output_stalled) == (None, False, False)


def test_a_spout_with_a_status() -> None:
    deleted = "2026-01-31T13:00:00Z"
    body = {"name": "other", "suspend": True}
    found = read(a_resource(body, status=STATUS, finalizers=["f"], generation=4, deletionTimestamp=deleted))

    assert (found.generation, found.deleted) == (4, deleted)

    assert (found.pipeline_name, found.suspended, found.finalizers) == (a_name("other"), True, ("f",))
    assert (found.ready, found.stalled) == (("True", "Running"), True)
    assert (found.commits, found.last_commit, found.marker_moved) == (7, NOON.timestamp(), NOON.timestamp())
    assert (found.fresh, found.marker_stalled, found.output_stalled) == (False, False, True)


def test_a_marker_that_stands_still() -> None:
    stands_still = {"type": "MarkerStalled", "status": "True", "reason": "CommitsWithoutMarker"}

    assert read(a_resource(status={"conditions": [stands_still]})).marker_stalled is True


@pytest.mark.parametrize(("status", "fresh"), [("True", True), ("False", False), ("Unknown", None)])
def test_of_what_nobody_knows_nothing_is_told(status: str, fresh: bool | None) -> None:
    condition = {"type": "Fresh", "status": status, "reason": "Suspended"}

    assert read(a_resource(status={"conditions": [condition]})).fresh is fresh


def test_a_spout_without_a_marker_has_none_that_could_stall() -> None:
    found = read(a_resource({"spout": {}}, status=STATUS))

    assert (found.marker_stalled, found.output_stalled) == (None, None)


@pytest.mark.parametrize(
    "status",
    [{}, {"conditions": None}, {"commits": None, "marker": None}, {"marker": {"updatedAt": "yesterday"}}],
    ids=str,
)
def test_a_status_that_somebody_else_wrote_is_no_defect(status: dict[str, Any]) -> None:
    found = read(a_resource(status=status))

    assert (found.ready, found.commits, found.marker_moved) == (("Unknown", "Pending"), None, None)


@pytest.mark.parametrize(
    ("before", "after", "wanted", "reason"),
    [
        ({}, {}, False, "nothing changed"),
        ({}, {"status": STATUS, "resourceVersion": "101"}, False, "a status is the operator's own"),
        ({}, {"generation": 2}, True, "the spec was edited"),
        ({}, {"uid": "another"}, True, "another Spout of that name"),
        ({}, {"deletionTimestamp": "2026-01-31T13:00:00Z"}, True, "it is being deleted"),
        ({}, {"finalizers": ["ours"]}, False, "one that was added is mostly the operator's own"),
        ({"finalizers": ["a", "ours"]}, {"finalizers": ["ours", "a"]}, False, "the order says nothing"),
        ({"finalizers": ["a", "ours"]}, {"finalizers": ["a"]}, True, "one that was taken away may be the operator's"),
        ({"finalizers": ["ours"]}, {"finalizers": ["a", "b"]}, True, "also where others have come"),
    ],
)
def test_a_spout_is_reconciled_after_more_than_the_operators_own_writes(
    before: dict[str, Any], after: dict[str, Any], wanted: bool, reason: str
) -> None:
    assert read(a_resource(**before)).wants_reconcile(read(a_resource(**after))) is wanted, reason
