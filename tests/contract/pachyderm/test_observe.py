"""Observe one pipeline, or list them all: what is there, and whose it is."""

import dataclasses

import pytest

from spout_operator.core.errors import Stalled
from spout_operator.core.owner_annotations import CLUSTER as CLUSTER_ANNOTATION
from spout_operator.core.owner_annotations import SPOUT as SPOUT_ANNOTATION
from spout_operator.core.reasons import Reason
from tests.contract.pachyderm.harness import HEIR, OWNER, Side


def test_observing_a_pipeline_returns_its_workers(side: Side) -> None:
    # Of the real 2.12.2, the worker can be up already.
    assert side.observed(side.created()).workers in {(0, 1), (1, 1)}


def test_a_pipeline_that_is_not_a_spout_has_no_spec(side: Side) -> None:
    name = side.someones_reader(side.created())

    found = side.observed(name)

    assert (str(found.name), found.spec, found.owner) == (name, None, None)


def test_the_list_has_all_pipelines_without_their_workers(side: Side) -> None:
    spout = side.created()
    other = side.someones_reader(spout)

    listed = side.listed()

    assert set(listed) == {spout, other}
    assert [listed[name].workers for name in (spout, other)] == [None, None]
    assert dataclasses.replace(side.observed(spout), workers=None, state=listed[spout].state) == listed[spout]


@pytest.mark.parametrize(
    "annotations",
    [
        pytest.param({}, id="none"),
        pytest.param({"team": "ingest"}, id="somebody-elses"),
        pytest.param({SPOUT_ANNOTATION: "ingest/my-spout"}, id="no-cluster"),
        pytest.param({CLUSTER_ANNOTATION: "c"}, id="no-spout"),
        pytest.param({CLUSTER_ANNOTATION: "c", SPOUT_ANNOTATION: "my-spout"}, id="no-namespace"),
        pytest.param({CLUSTER_ANNOTATION: "", SPOUT_ANNOTATION: "ingest/my-spout"}, id="empty-cluster"),
    ],
)
def test_a_pipeline_with_incomplete_owner_annotations_has_no_owner(side: Side, annotations: dict[str, str]) -> None:
    name = side.someones_spout(annotations)

    found = side.observed(name)

    assert found.owner is None
    assert found.spec is not None


def test_an_update_by_somebody_else_takes_the_owner_away(side: Side) -> None:
    name = side.created()

    side.someones_update(name)

    found = side.observed(name)
    assert (found.version, found.owner) == (2, None)


def test_an_update_can_hand_a_pipeline_over(side: Side) -> None:
    name = side.created()

    side.port.update(name, side.spec, HEIR)

    assert side.observed(name).owner == HEIR


def test_a_pipeline_without_an_owner_is_taken_over_without_a_new_version_or_not_at_all(side: Side) -> None:
    name = side.someones_spout()
    before = side.observed(name)

    if side.port.server().capabilities.takes_over_without_restart:
        for _ in range(2):
            side.port.take_over(name, OWNER)
        owner = OWNER
    else:
        with pytest.raises(Stalled, match="without an update") as caught:
            side.port.take_over(name, OWNER)
        assert caught.value.reason is Reason.UNSUPPORTED_BY_SERVER
        owner = None

    after = side.observed(name)
    assert (after.owner, after.version, after.spec_commit) == (owner, before.version, before.spec_commit)
    assert side.listed()[name].owner == owner
    side.port.update(name, side.spec, OWNER)
    assert side.observed(name).owner == OWNER
