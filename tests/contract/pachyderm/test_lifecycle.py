"""The life of a pipeline: create, observe, update, stop, start, delete."""

import dataclasses

import pytest

from spout_operator.core.errors import Retryable
from spout_operator.core.model import Heads, Owner, PipelineState, SpoutKey
from spout_operator.core.owner_annotations import CLUSTER as CLUSTER_ANNOTATION
from spout_operator.core.owner_annotations import SPOUT as SPOUT_ANNOTATION
from spout_operator.core.reasons import Reason
from spout_operator.core.status import marker as markers
from spout_operator.pachyderm.v1.branches import MARKER_BRANCH
from spout_operator.pachyderm.v1.sdk import pps_pb2
from spout_testbed.waiting import eventually
from tests.contract.pachyderm.harness import OWNER, SPEC, Side

CHANGED = dataclasses.replace(SPEC, description="changed")
SPOUT = pps_pb2.Spout()


def heads_after_commits(side: Side, name: str) -> Heads:
    return Heads(output=side.spout.commit(name), marker=side.spout.marker(name, {"offset": b"1"}))


def test_a_pipeline_that_was_not_created_is_none(side: Side) -> None:
    assert side.port.observe(side.new_name()) is None


def test_a_new_pipeline_is_at_version_one_and_runs(side: Side) -> None:
    found = side.observed(side.created())

    assert (found.version, found.stopped, found.reason) == (1, False, "")
    assert found.state in {PipelineState.STARTING, PipelineState.RUNNING}
    assert found.created_at is not None
    assert found.spec_commit


def test_observing_a_pipeline_returns_its_workers(side: Side) -> None:
    available, requested = side.observed(side.created()).workers or (None, None)

    assert (available, requested) == (0, 1)


def test_a_created_pipeline_has_its_owner(side: Side) -> None:
    assert side.observed(side.created()).owner == OWNER


def test_an_update_can_hand_a_pipeline_over(side: Side) -> None:
    name = side.created()
    heir = Owner(cluster="another", spout=SpoutKey(namespace="other", name="heir"))

    side.port.update(name, SPEC, heir)

    assert side.observed(name).owner == heir


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
    name = side.someones_pipeline(spout=SPOUT, metadata=pps_pb2.Metadata(annotations=annotations))

    found = side.observed(name)

    assert found.owner is None
    assert found.spec is not None


def test_a_pipeline_that_is_not_a_spout_has_no_spec(side: Side) -> None:
    name = side.someones_pipeline(reads=side.created())

    found = side.observed(name)

    assert (str(found.name), found.spec, found.owner) == (name, None, None)


def test_the_list_has_all_pipelines_without_their_workers(side: Side) -> None:
    spout = side.created()
    other = side.someones_pipeline(reads=spout)

    listed = side.port.list()

    assert set(listed) == {spout, other}
    assert [listed[name].workers for name in (spout, other)] == [None, None]
    assert dataclasses.replace(side.observed(spout), workers=None, state=listed[spout].state) == listed[spout]


def test_creating_a_pipeline_returns_true(side: Side) -> None:
    assert side.port.create(side.new_name(), SPEC, OWNER)


def test_a_write_tells_the_version_that_it_made(side: Side) -> None:
    name = side.new_name()

    assert side.port.create(name, SPEC, OWNER) == side.observed(name).version
    assert side.port.create(name, SPEC, OWNER) is None, "it is there already"
    assert side.port.update(name, CHANGED, OWNER) == side.observed(name).version == 2


def test_creating_a_pipeline_that_is_there_leaves_it_as_it_is(side: Side) -> None:
    name = side.created()
    heads = heads_after_commits(side, name)
    before = side.observed(name)

    made = side.port.create(name, CHANGED, dataclasses.replace(OWNER, cluster="another"))

    assert not made
    assert dataclasses.replace(side.observed(name), state=before.state) == before
    assert side.port.heads(name) == heads


def test_an_update_makes_a_new_version_and_keeps_both_heads(side: Side) -> None:
    name = side.created()
    heads = heads_after_commits(side, name)
    before = side.observed(name)

    side.port.update(name, CHANGED, OWNER)

    after = side.observed(name)
    assert after.version == before.version + 1
    assert after.spec_commit != before.spec_commit
    assert after.spec == CHANGED
    assert side.port.heads(name) == heads


@pytest.mark.parametrize("parallelism", [pps_pb2.ParallelismSpec(constant=1), None], ids=["told", "not-told"])
def test_a_pipeline_that_somebody_handed_over_can_be_updated(
    side: Side, parallelism: pps_pb2.ParallelismSpec | None
) -> None:
    # pachd 1.13.4 crashes on an update that does not tell a parallelism, where the pipeline has one.
    annotations = pps_pb2.Metadata(annotations={CLUSTER_ANNOTATION: OWNER.cluster, SPOUT_ANNOTATION: str(OWNER.spout)})
    name = side.someones_pipeline(spout=SPOUT, metadata=annotations, parallelism_spec=parallelism)
    assert side.observed(name).owner == OWNER

    side.port.update(name, SPEC, OWNER)

    found = side.observed(name)
    assert (found.version, found.spec, found.owner) == (2, SPEC, OWNER)


def test_another_client_can_update_a_pipeline_that_the_operator_created(side: Side) -> None:
    # pachd would crash here if the operator had created the pipeline with a parallelism.
    name = side.created()

    side.client.create_pipeline(name, pps_pb2.Transform(image="theirs"), spout=pps_pb2.Spout(), update=True)

    assert side.observed(name).version == 2


def test_an_update_with_nothing_new_makes_a_new_version_too(side: Side) -> None:
    # Why the operator never updates without a difference.
    name = side.created()

    side.port.update(name, SPEC, OWNER)

    assert side.observed(name).version == 2


def test_removing_the_marker_and_adding_it_again_keeps_its_head(side: Side) -> None:
    name = side.created()
    heads = heads_after_commits(side, name)

    side.port.update(name, dataclasses.replace(SPEC, spout=dataclasses.replace(SPEC.spout, marker="")), OWNER)
    assert side.port.heads(name) == heads
    side.port.update(name, SPEC, OWNER)

    assert side.port.heads(name) == heads


def test_updating_a_deleted_pipeline_creates_none(side: Side) -> None:
    # pachd would create it again and detach the heads of the kept repo, and with them the position in the stream.
    name = side.abandoned_repo()
    heads = side.port.heads(name)

    with pytest.raises(Retryable) as caught:
        side.port.update(name, CHANGED, OWNER)

    assert caught.value.reason is Reason.PACHYDERM_ERROR
    assert side.port.observe(name) is None
    assert side.port.heads(name) == heads


def test_a_stopped_pipeline_pauses_and_keeps_both_heads(side: Side) -> None:
    name = side.created()
    heads = heads_after_commits(side, name)

    side.port.stop(name)

    assert side.observed(name).stopped
    eventually(lambda: side.observed(name).state is PipelineState.PAUSED, what="Paused", seconds=20)
    assert side.port.heads(name) == heads


def test_a_pipeline_that_is_updated_while_stopped_stays_stopped(side: Side) -> None:
    name = side.created()
    heads = heads_after_commits(side, name)
    side.port.stop(name)

    side.port.update(name, CHANGED, OWNER)

    found = side.observed(name)
    assert (found.stopped, found.version, found.spec) == (True, 2, CHANGED)
    assert side.port.heads(name) == heads


def test_a_started_pipeline_runs_again_with_the_same_version_and_heads(side: Side) -> None:
    name = side.created()
    heads = heads_after_commits(side, name)
    side.port.stop(name)

    side.port.start(name)

    found = side.observed(name)
    assert (found.stopped, found.version, found.spec) == (False, 1, SPEC)
    assert side.port.heads(name) == heads


def test_a_spout_goes_on_where_it_was_after_stop_and_start(side: Side) -> None:
    name = side.created()
    first = side.spout.commit(name)
    side.port.stop(name)
    side.port.start(name)

    second = side.spout.commit(name)

    assert [commit.id for commit in side.port.commits(name, second, since=None, most=100)] == [second, first]


def test_stopping_or_starting_a_pipeline_twice_has_the_effect_of_once(side: Side) -> None:
    name = side.created()
    heads = heads_after_commits(side, name)

    side.port.stop(name)
    side.port.stop(name)
    assert side.observed(name).stopped
    side.port.start(name)
    side.port.start(name)

    found = side.observed(name)
    assert (found.stopped, found.version) == (False, 1)
    assert side.port.heads(name) == heads


@pytest.mark.parametrize("action", ["start", "stop"])
def test_starting_or_stopping_a_missing_pipeline_is_retryable(side: Side, action: str) -> None:
    name = side.new_name()

    with pytest.raises(Retryable, match=f"could not {action} the pipeline '{name}'") as caught:
        getattr(side.port, action)(name)

    assert caught.value.reason is Reason.PACHYDERM_ERROR
    assert "not found" in caught.value.said


def test_a_deleted_pipeline_is_gone_with_its_repo(side: Side) -> None:
    name = side.created()
    heads_after_commits(side, name)

    side.port.delete(name, keep_repo=False)

    assert side.port.observe(name) is None
    assert side.port.heads(name) == Heads()
    side.port.create(name, SPEC, OWNER)
    assert side.port.heads(name) == Heads()


@pytest.mark.parametrize("keep_repo", [False, True])
def test_deleting_a_missing_pipeline_succeeds(side: Side, keep_repo: bool) -> None:
    name = side.new_name()

    side.port.delete(name, keep_repo=keep_repo)
    side.port.delete(name, keep_repo=keep_repo)

    assert side.port.observe(name) is None


def test_a_kept_repo_has_all_commits_and_the_marker(side: Side) -> None:
    name = side.created()
    ids = [side.spout.commit(name), side.spout.commit(name)]
    marker = side.spout.marker(name, {"offset": b"2"})

    side.port.delete(name, keep_repo=True)

    assert side.port.observe(name) is None
    assert side.port.heads(name) == Heads(output=ids[1], marker=marker)
    assert [commit.id for commit in side.port.commits(name, ids[1], since=None, most=100)] == ids[::-1]
    kept = side.port.marker(name, "offset", marker, limits=markers.LIMITS)
    assert kept is not None
    assert kept.files[0].content == b"2"


def test_a_stopped_pipeline_can_be_deleted(side: Side) -> None:
    name = side.created()
    side.port.stop(name)

    side.port.delete(name, keep_repo=False)

    assert side.port.observe(name) is None


def test_a_new_pipeline_with_a_marker_has_branches_without_heads(side: Side) -> None:
    name = side.created()

    assert side.port.heads(name) == Heads()
    assert {branch.name for branch in side.client.list_branch(name)} == {"master", MARKER_BRANCH}
