"""A Spout resource, as it is read from what the API server sends."""

from typing import Any

import pytest

from spout_operator.core.resource import SpoutResource, condition_of
from tests.builders import a_key

METADATA: dict[str, Any] = {
    "namespace": "ingest",
    "name": "my-spout",
    "uid": "u1",
    "resourceVersion": "100",
    "generation": 3,
    "creationTimestamp": "2026-01-31T12:00:00Z",
    "deletionTimestamp": "2026-01-31T13:00:00Z",
    "finalizers": ["a", "b"],
    "annotations": {"team": "ingest", "kubectl.kubernetes.io/last-applied-configuration": "{}"},
    "managedFields": [{"manager": "kubectl"}],
}


def test_every_field_is_read() -> None:
    body = {"metadata": METADATA, "spec": {"suspend": True}, "status": {"observedGeneration": 3}}

    assert SpoutResource.from_body(body) == SpoutResource(
        key=a_key(),
        uid="u1",
        resource_version="100",
        generation=3,
        creation_timestamp="2026-01-31T12:00:00Z",
        deletion_timestamp="2026-01-31T13:00:00Z",
        finalizers=("a", "b"),
        annotations={"team": "ingest"},
        spec={"suspend": True},
        status={"observedGeneration": 3},
    )


@pytest.mark.parametrize("absent", [{}, {"spec": None, "status": None}], ids=["absent", "null"])
def test_what_is_not_there_is_empty(absent: dict[str, Any]) -> None:
    required = ("namespace", "name", "uid", "resourceVersion", "creationTimestamp")
    found = SpoutResource.from_body({"metadata": {name: METADATA[name] for name in required}, **absent})

    assert (found.generation, found.deletion_timestamp, found.finalizers) == (0, None, ())
    assert (found.annotations, found.spec, found.status) == ({}, {}, {})


def test_null_is_absent_in_the_metadata_too() -> None:
    found = SpoutResource.from_body({"metadata": {**METADATA, "finalizers": None, "annotations": None}})

    assert (found.finalizers, found.annotations) == ((), {})


READY = {"type": "Ready", "status": "True"}


@pytest.mark.parametrize(
    ("status", "found", "reason"),
    [
        ({"conditions": [{"type": "Synced", "status": "False"}, READY]}, READY, "the one of that type"),
        ({"conditions": [{"type": "Synced", "status": "False"}]}, {}, "none of that type"),
        ({"conditions": None}, {}, "null"),
        ({}, {}, "no conditions"),
    ],
)
def test_a_condition_is_found_by_its_type(status: dict[str, Any], found: dict[str, Any], reason: str) -> None:
    assert condition_of(status, "Ready") == found, reason
