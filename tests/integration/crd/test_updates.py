"""Changes to an existing Spout that the API server accepts or refuses."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from kubernetes import client

from spout_testbed.harness.bodies import a_spout
from spout_testbed.harness.spouts import Spouts
from tests.integration.crd.refusals import Refusal, refusals

Changes = Mapping[str, object]


@dataclass(frozen=True)
class Row:
    """A change from one spec to another."""

    id: str
    reason: str
    before: Changes
    after: Changes


@dataclass(frozen=True)
class RefusedRow(Row):
    """A change that is refused at the field `at`, with the whole message `says`."""

    at: str
    says: str


ALLOWED = [
    Row("nothing", "applying the same file twice", {"spout.marker": "offset"}, {"spout.marker": "offset"}),
    Row("name-spelled-out", "the default, written down", {}, {"name": "my-spout"}),
    Row("name-left-out", "what is left is the default", {"name": "my-spout"}, {}),
    Row("project-spelled-out", "the default, written down", {}, {"project": "default"}),
    Row(
        "adoption-policy",
        "after a pipeline was taken over",
        {"adoptionPolicy": "IfUnowned"},
        {"adoptionPolicy": "Never"},
    ),
    Row("marker-added", "a spout may begin to keep its position", {}, {"spout.marker": "offset"}),
    Row(
        "rest-of-spout",
        "the marker stays as it is",
        {"spout.marker": "offset"},
        {"spout.marker": "offset", "spout.overwrite": True, "spout.service.internalPort": 8080},
    ),
    Row("image", "a new release", {}, {"transform.image": "myaccount/myimage:0.2"}),
    Row("suspend", "and a nonce", {}, {"suspend": True, "restartNonce": "2"}),
    Row("freshness", "no update of the pipeline", {}, {"freshness.maxCommitAge": "1h", "freshness.startupGrace": "5m"}),
    Row("deletion-policy", "before deleting", {"deletionPolicy": "Delete"}, {"deletionPolicy": "Orphan"}),
]

RENAMED = "restore the old name, or create another Spout"
LOST = (
    "because Pachyderm would keep the position under the old name, where the spout would not find it: restore the "
    "marker, or create a Spout with another name to start over"
)

REFUSED = [
    RefusedRow(
        "project-changed",
        "the pipeline would be left behind",
        {"project": "one"},
        {"project": "two"},
        "spec.project",
        "Forbidden: the pipeline of this Spout is in the project 'one', and Pachyderm cannot move it to 'two': restore "
        "the old project, or create another Spout",
    ),
    RefusedRow(
        "project-left-out",
        "the default is another project",
        {"project": "one"},
        {},
        "spec.project",
        "Forbidden: the pipeline of this Spout is in the project 'one', and Pachyderm cannot move it to 'default': "
        "restore the old project, or create another Spout",
    ),
    RefusedRow(
        "name-changed",
        "the pipeline would be left behind",
        {"name": "one"},
        {"name": "two"},
        "spec.name",
        f"Forbidden: the pipeline of this Spout is named 'one', and Pachyderm cannot rename it to 'two': {RENAMED}",
    ),
    RefusedRow(
        "name-set-later",
        "it was metadata.name until now",
        {},
        {"name": "two"},
        "spec.name",
        "Forbidden: the pipeline of this Spout is named 'my-spout', and Pachyderm cannot rename it to 'two': "
        f"{RENAMED}",
    ),
    RefusedRow(
        "name-removed",
        "it would fall back to metadata.name",
        {"name": "one"},
        {},
        "spec.name",
        "Forbidden: the pipeline of this Spout is named 'one', and Pachyderm cannot rename it to 'my-spout': "
        f"{RENAMED}",
    ),
    RefusedRow(
        "marker-changed",
        "measured: the marker branch keeps its head, under the old name",
        {"spout.marker": "offset"},
        {"spout.marker": "position"},
        "spec.spout.marker",
        f"Forbidden: the marker of this Spout is 'offset' and cannot be changed to 'position', {LOST}",
    ),
    RefusedRow(
        "marker-removed",
        "the spout would start over after each restart",
        {"spout.marker": "offset"},
        {},
        "spec.spout.marker",
        f"Forbidden: the marker of this Spout is 'offset' and cannot be removed, {LOST}",
    ),
]


@pytest.mark.parametrize("row", ALLOWED, ids=lambda row: row.id)
def test_the_api_server_accepts_the_update(spouts: Spouts, row: Row) -> None:
    spouts.create_whole(a_spout(row.before))
    after = a_spout(row.after)
    assert spouts.update(after)["spec"] == after["spec"], row.reason


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.id)
def test_the_api_server_refuses_the_update_with_its_field_and_a_message(spouts: Spouts, row: RefusedRow) -> None:
    spouts.create_whole(a_spout(row.before))
    with pytest.raises(client.ApiException) as refused:
        spouts.update(a_spout(row.after))
    assert refusals(refused.value) == [Refusal(row.at, row.says)], row.reason


def test_an_added_marker_cannot_be_removed_again(spouts: Spouts) -> None:
    spouts.create_whole(a_spout())
    spouts.update(a_spout({"spout.marker": "offset"}))
    with pytest.raises(client.ApiException, match="'offset' and cannot be removed"):
        spouts.update(a_spout())
