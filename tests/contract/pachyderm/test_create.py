"""Create a pipeline: once, with its owner and its spec, and never over what is there."""

import dataclasses

import pytest

from spout_operator.core.errors import Stalled
from spout_operator.core.model import PipelineSpec, PipelineState
from spout_operator.core.reasons import Reason
from tests.contract.pachyderm.harness import HEIR, OWNER, Side


def test_a_pipeline_that_was_not_created_is_none(side: Side) -> None:
    assert side.port.observe(side.new_name()) is None


def test_a_new_pipeline_is_at_version_one_and_runs(side: Side) -> None:
    found = side.observed(side.created())

    assert (found.version, found.stopped, found.reason) == (1, False, "")
    assert found.state in {PipelineState.STARTING, PipelineState.RUNNING}
    assert found.created_at is not None
    assert found.spec_commit


def test_a_new_pipeline_has_its_spec_and_its_owner(side: Side) -> None:
    found = side.observed(side.created())

    assert (found.spec, found.owner) == (side.spec, OWNER)


def test_a_new_pipeline_has_no_commit_of_its_spout(side: Side) -> None:
    side.assert_no_commits(side.created())


def test_creating_a_pipeline_returns_true(side: Side) -> None:
    assert side.port.create(side.new_name(), side.spec, OWNER)


def test_a_write_tells_the_version_that_it_made(side: Side) -> None:
    name = side.new_name()

    assert side.port.create(name, side.spec, OWNER) == side.observed(name).version == 1
    assert side.port.create(name, side.spec, OWNER) is None, "it is there already"
    assert side.port.update(name, side.changed, OWNER) == side.observed(name).version == 2


def test_creating_a_pipeline_that_is_there_leaves_it_as_it_is(side: Side) -> None:
    name, heads = side.with_heads()
    before = side.observed(name)

    made = side.port.create(name, side.changed, HEIR)

    assert not made
    # Its worker can come up meanwhile.
    after = dataclasses.replace(side.observed(name), state=before.state, workers=before.workers)
    assert after == before
    assert side.port.heads(name) == heads


def test_a_pipeline_of_another_kind_is_left_as_it_is(side: Side) -> None:
    name = side.someones_reader(side.created())

    assert side.port.create(name, side.spec, OWNER) is None

    assert side.observed(name).owner is None


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("", id="empty"),
        pytest.param("a.b", id="dot"),
        pytest.param("a b", id="space"),
        pytest.param("spöut", id="umlaut"),
        pytest.param("_spout", id="underscore-first"),
        pytest.param("-spout", id="dash-first"),
        pytest.param("a" * 64, id="too-long"),
    ],
)
def test_a_name_that_pachyderm_does_not_accept_is_stalled(side: Side, name: str) -> None:
    with pytest.raises(Stalled) as caught:
        side.port.create(name, side.spec, OWNER)

    assert caught.value.reason is Reason.PIPELINE_REJECTED
    assert caught.value.said
    assert side.listed() == {}


def _no_json(side: Side) -> PipelineSpec:
    return dataclasses.replace(side.spec, pod_patch="{")


def test_a_spec_that_pachyderm_does_not_accept_is_stalled_and_makes_no_pipeline(side: Side) -> None:
    name = side.new_name()

    with pytest.raises(Stalled) as caught:
        side.port.create(name, _no_json(side), OWNER)

    assert caught.value.reason is Reason.PIPELINE_REJECTED
    assert "malformed PodPatch" in caught.value.said
    assert side.port.observe(name) is None


def test_an_update_that_pachyderm_does_not_accept_changes_nothing(side: Side) -> None:
    name = side.created()

    with pytest.raises(Stalled) as caught:
        side.port.update(name, _no_json(side), OWNER)

    found = side.observed(name)
    assert caught.value.reason is Reason.PIPELINE_REJECTED
    assert "malformed PodPatch" in caught.value.said
    assert (found.version, found.spec) == (1, side.spec)


def test_an_existing_repo_is_not_taken_over_and_keeps_its_heads(side: Side) -> None:
    name = side.abandoned_repo()
    heads = side.port.heads(name)

    with pytest.raises(Stalled, match=f"pachctl delete repo {name}") as caught:
        side.port.create(name, side.spec, OWNER)

    assert caught.value.reason is Reason.REPO_EXISTS
    assert side.port.observe(name) is None
    assert heads.output is not None
    assert side.port.heads(name) == heads
