"""What is true of Pachyderm 1.13 alone: markers, the words of its refusals, and the limit of the Community Edition."""

import dataclasses

import pytest

from spout_operator.core.errors import Stalled
from spout_operator.core.model import Heads, PipelineSpec, SpoutOptions
from spout_operator.core.owner_annotations import CLUSTER as CLUSTER_ANNOTATION
from spout_operator.core.owner_annotations import SPOUT as SPOUT_ANNOTATION
from spout_operator.core.reasons import Reason
from spout_operator.core.status import marker as markers
from spout_operator.pachyderm.v1.branches import MARKER_BRANCH
from spout_operator.pachyderm.v1.sdk import pps_pb2
from tests.contract.pachyderm.harness import OWNER, SPEC
from tests.contract.pachyderm.sides_1 import SideOne

SPOUT = pps_pb2.Spout()


def test_a_pipeline_whose_worker_does_not_answer_has_none_available(one: SideOne) -> None:
    assert one.observed(one.created()).workers == (0, 1)


def test_a_new_pipeline_with_a_marker_has_branches_without_heads(one: SideOne) -> None:
    name = one.created()

    assert one.port.heads(name) == Heads()
    assert {branch.name for branch in one.client.list_branch(name)} == {"master", MARKER_BRANCH}


def test_each_head_follows_its_own_branch(one: SideOne) -> None:
    name = one.created()
    assert one.port.heads(name) == Heads(output=None, marker=None)

    output = one.spout.commit(name)
    assert one.port.heads(name) == Heads(output=output, marker=None)

    marker = one.spout.marker(name, {"offset": b"1"})
    assert one.port.heads(name) == Heads(output=output, marker=marker)

    output = one.spout.commit(name)
    assert one.port.heads(name) == Heads(output=output, marker=marker)


def test_an_update_stop_and_start_keep_a_head_that_a_spout_made(one: SideOne) -> None:
    name, heads = one.with_heads()

    one.port.stop(name)
    one.port.update(name, one.changed, OWNER)
    one.port.start(name)

    assert one.port.heads(name) == heads


def test_removing_the_marker_and_adding_it_again_keeps_its_head(one: SideOne) -> None:
    name, heads = one.with_heads()

    one.port.update(name, dataclasses.replace(SPEC, spout=dataclasses.replace(SPEC.spout, marker="")), OWNER)
    assert one.port.heads(name) == heads
    one.port.update(name, SPEC, OWNER)

    assert one.port.heads(name) == heads


def test_a_kept_repo_has_all_commits_and_the_marker(one: SideOne) -> None:
    name = one.created()
    ids = [one.spout.commit(name), one.spout.commit(name)]
    marker = one.spout.marker(name, {"offset": b"2"})

    one.port.delete(name, keep_repo=True)

    assert one.port.observe(name) is None
    assert one.port.heads(name) == Heads(output=ids[1], marker=marker)
    assert [commit.id for commit in one.port.commits(name, ids[1], since=None, most=100)] == ids[::-1]
    kept = one.port.marker(name, "offset", marker, limits=markers.LIMITS)
    assert kept is not None
    assert kept.files[0].content == b"2"


def test_an_existing_repo_is_not_taken_over_and_keeps_its_marker(one: SideOne) -> None:
    name = one.abandoned_repo()
    heads = one.port.heads(name)

    with pytest.raises(Stalled, match=f"pachctl delete repo {name}"):
        one.port.create(name, SPEC, OWNER)

    assert None not in (heads.output, heads.marker)
    assert one.port.heads(name) == heads


@pytest.mark.parametrize("parallelism", [pps_pb2.ParallelismSpec(constant=1), None], ids=["told", "not-told"])
def test_a_pipeline_with_a_parallelism_can_be_updated(
    one: SideOne, parallelism: pps_pb2.ParallelismSpec | None
) -> None:
    # pachd 1.13.4 crashes on an update that does not tell a parallelism, where the pipeline has one.
    annotations = pps_pb2.Metadata(annotations={CLUSTER_ANNOTATION: OWNER.cluster, SPOUT_ANNOTATION: str(OWNER.spout)})
    name = one.someones_pipeline(spout=SPOUT, metadata=annotations, parallelism_spec=parallelism)
    assert one.observed(name).owner == OWNER

    one.port.update(name, SPEC, OWNER)

    found = one.observed(name)
    assert (found.version, found.spec, found.owner) == (2, SPEC, OWNER)


def test_another_client_can_update_a_pipeline_that_the_operator_created(one: SideOne) -> None:
    # pachd would crash here if the operator had created the pipeline with a parallelism.
    name = one.created()

    one.someones_update(name)

    assert one.observed(name).version == 2


@pytest.mark.parametrize(
    ("name", "says"),
    [
        pytest.param("", "cannot be empty", id="empty"),
        pytest.param("a.b", "only alphanumeric characters", id="dot"),
        pytest.param("a b", "only alphanumeric characters", id="space"),
        pytest.param("spöut", "only alphanumeric characters", id="umlaut"),
        pytest.param("_spout", "must start with an alphanumeric character", id="underscore-first"),
        pytest.param("-spout", "must start with an alphanumeric character", id="dash-first"),
        pytest.param("a" * 64, "64 characters long", id="too-long"),
    ],
)
def test_a_name_that_is_not_accepted_is_refused_in_these_words(one: SideOne, name: str, says: str) -> None:
    with pytest.raises(Stalled) as caught:
        one.port.create(name, SPEC, OWNER)

    assert caught.value.reason is Reason.PIPELINE_REJECTED
    assert says in caught.value.said
    assert one.port.list() == {}


def _marker(marker: str) -> PipelineSpec:
    return dataclasses.replace(SPEC, spout=SpoutOptions(marker=marker))


REFUSED_SPECS = [
    pytest.param(_marker("out"), "marker name must be a valid filename: out", id="marker-is-the-output"),
    pytest.param(_marker("off*"), "marker name must be a valid filename: off*", id="marker-is-a-pattern"),
    pytest.param(_marker("$$$*"), "marker name must be a valid filename", id="marker-is-a-pattern-too"),
    pytest.param(_marker("öffset"), "marker name must be a valid filename", id="marker-is-not-ascii"),
    pytest.param(_marker("."), "marker name must be a valid filename", id="marker-is-the-root"),
    pytest.param(dataclasses.replace(SPEC, pod_patch="{"), "malformed PodPatch", id="patch-is-no-json"),
]


@pytest.mark.parametrize(("spec", "says"), REFUSED_SPECS)
def test_a_marker_that_is_not_accepted_is_stalled_and_makes_no_pipeline(
    one: SideOne, spec: PipelineSpec, says: str
) -> None:
    name = one.new_name()

    with pytest.raises(Stalled) as caught:
        one.port.create(name, spec, OWNER)

    assert caught.value.reason is Reason.PIPELINE_REJECTED
    assert says in caught.value.said
    assert one.port.observe(name) is None


@pytest.mark.parametrize(("spec", "says"), REFUSED_SPECS)
def test_an_update_to_a_marker_that_is_not_accepted_changes_nothing(
    one: SideOne, spec: PipelineSpec, says: str
) -> None:
    name = one.created()

    with pytest.raises(Stalled) as caught:
        one.port.update(name, spec, OWNER)

    found = one.observed(name)
    assert caught.value.reason is Reason.PIPELINE_REJECTED
    assert says in caught.value.said
    assert (found.version, found.spec) == (1, SPEC)


def test_the_community_edition_refuses_creates_and_updates_at_its_limit_of_pipelines(one: SideOne) -> None:
    names = [one.created() for _ in range(one.most_pipelines)]
    one_too_many = one.new_name()

    with pytest.raises(Stalled, match="limit of pipelines") as caught:
        one.port.create(one_too_many, SPEC, OWNER)

    assert caught.value.reason is Reason.PIPELINE_LIMIT_REACHED
    assert "requires an activation key" in caught.value.said
    assert set(one.port.list()) == set(names)
    with pytest.raises(Stalled, match="no updates either") as caught:
        one.port.update(names[0], dataclasses.replace(SPEC, description="changed"), OWNER)
    assert caught.value.reason is Reason.PIPELINE_LIMIT_REACHED
    one.port.stop(names[0])
    one.port.start(names[0])
    assert one.observed(names[0]).version == 1
    one.port.delete(names[0], keep_repo=False)
    one.port.create(one_too_many, SPEC, OWNER)
