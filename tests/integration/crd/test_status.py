"""What the operator may write into the status, and that spec and status are written separately."""

import copy
from collections.abc import Mapping

import pytest
from kubernetes import client

from spout_testbed.harness.bodies import Body, a_spout
from spout_testbed.harness.spouts import Spouts
from tests.integration.crd.refusals import Refusal, refusals

NOON = "2026-01-31T12:00:00Z"
READY = {
    "type": "Ready",
    "status": "True",
    "reason": "Running",
    "message": "",
    "lastTransitionTime": NOON,
    "observedGeneration": 4,
}
STATUS: Body = {
    "observedGeneration": 4,
    "conditions": [READY],
    "pipeline": {
        "name": "my-spout",
        "version": 3,
        "specCommit": "0123456789abcdef0123456789abcdef",
        "state": "Running",
        "reason": "",
        "stopped": False,
        "workersRequested": 1,
        "workersAvailable": 1,
        "createdAt": NOON,
    },
    "commits": {
        "total": 1042,
        "last": {"id": "0123456789abcdef0123456789abcdef", "finishedAt": NOON, "sizeBytes": 5_000_000_000},
    },
    "marker": {
        "path": "offset",
        "summary": "1041",
        "value": "1041",
        "sizeBytes": 4,
        "sha256": "0123456789abcdef" * 4,
        "files": [{"path": "/offset/partition-0", "sizeBytes": 4, "value": "1041"}],
        "filesTotal": 1,
        "commit": "0123456789abcdef0123456789abcdef",
        "updatedAt": NOON,
    },
    "freshness": {"workerUpSince": NOON, "commitsAheadSince": NOON, "markerAheadSince": NOON},
    "pachyderm": {"address": "pachd.pachyderm:650", "version": "1.13.4"},
}


def with_status(status: Mapping[str, object]) -> Body:
    """A Spout with a status."""
    return {**a_spout(), "status": copy.deepcopy(dict(status))}


def test_the_api_server_keeps_every_field_of_a_full_status(spouts: Spouts) -> None:
    spouts.create_whole(a_spout())
    assert spouts.update_status(with_status(STATUS))["status"] == STATUS


def test_the_api_server_accepts_a_small_first_status(spouts: Spouts) -> None:
    unknown = {"observedGeneration": 1, "conditions": [{**READY, "status": "Unknown"}]}
    spouts.create_whole(a_spout())
    assert spouts.update_status(with_status(unknown))["status"] == unknown


def test_writing_the_status_leaves_the_spec_alone(spouts: Spouts) -> None:
    before = spouts.create_whole(a_spout())
    written = with_status(STATUS)
    written["spec"]["suspend"] = True
    after = spouts.update_status(written)
    assert after["spec"] == before["spec"]
    assert after["metadata"]["generation"] == before["metadata"]["generation"]


def test_writing_the_spec_leaves_the_status_alone(spouts: Spouts) -> None:
    spouts.create_whole(a_spout())
    spouts.update_status(with_status(STATUS))
    changed = {**a_spout({"suspend": True}), "status": {"observedGeneration": 9}}
    after = spouts.update(changed)
    assert after["status"] == STATUS
    assert after["metadata"]["generation"] == 2


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        pytest.param(
            {"marker": {"summary": "x" * 33}},
            Refusal("status.marker.summary", "Too long: may not be more than 32 bytes"),
            id="a-column-has-room-for-32",
        ),
        pytest.param(
            {"marker": {"value": "x" * 1025}},
            Refusal("status.marker.value", "Too long: may not be more than 1024 bytes"),
            id="larger-values-are-shown-by-digest",
        ),
        pytest.param(
            {"marker": {"files": [{"path": f"/offset/{n}"} for n in range(17)]}},
            Refusal("status.marker.files", "Too many: 17: must have at most 16 items"),
            id="a-folder-may-hold-any-number-of-files",
        ),
        pytest.param(
            {"conditions": [READY, READY]},
            Refusal("status.conditions[1]", 'Duplicate value: {"type":"Ready"}'),
            id="one-condition-of-each-type",
        ),
        pytest.param(
            {"conditions": [{**READY, "status": "Yes"}]},
            Refusal(
                "status.conditions[0].status",
                'Unsupported value: "Yes": supported values: "True", "False", "Unknown"',
            ),
            id="three-answers",
        ),
        pytest.param(
            {"conditions": [{key: READY[key] for key in READY if key != "reason"}]},
            Refusal("status.conditions[0].reason", "Required value"),
            id="conditions-give-their-reason",
        ),
    ],
)
def test_the_api_server_refuses_a_status_beyond_its_bounds(spouts: Spouts, status: Body, cause: Refusal) -> None:
    spouts.create_whole(a_spout())
    with pytest.raises(client.ApiException) as refused:
        spouts.update_status(with_status(status))
    assert refusals(refused.value) == [cause]
