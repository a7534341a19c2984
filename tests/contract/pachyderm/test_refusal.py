"""What only a person can fix raises Stalled, with a reason to alert on and a message that helps."""

import dataclasses

import pytest

from spout_operator.core.errors import Stalled
from spout_operator.core.model import PipelineSpec, SpoutOptions
from spout_operator.core.reasons import Reason
from tests.contract.pachyderm.harness import OWNER, SPEC, Side


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
def test_a_name_that_pachyderm_does_not_accept_is_stalled(side: Side, name: str, says: str) -> None:
    with pytest.raises(Stalled) as caught:
        side.port.create(name, SPEC, OWNER)

    assert caught.value.reason is Reason.PIPELINE_REJECTED
    assert says in caught.value.said
    assert side.port.list() == {}


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
def test_a_spec_that_pachyderm_does_not_accept_is_stalled_and_makes_no_pipeline(
    side: Side, spec: PipelineSpec, says: str
) -> None:
    name = side.new_name()

    with pytest.raises(Stalled) as caught:
        side.port.create(name, spec, OWNER)

    assert caught.value.reason is Reason.PIPELINE_REJECTED
    assert says in caught.value.said
    assert side.port.observe(name) is None


@pytest.mark.parametrize(("spec", "says"), REFUSED_SPECS)
def test_an_update_that_pachyderm_does_not_accept_changes_nothing(side: Side, spec: PipelineSpec, says: str) -> None:
    name = side.created()

    with pytest.raises(Stalled) as caught:
        side.port.update(name, spec, OWNER)

    found = side.observed(name)
    assert caught.value.reason is Reason.PIPELINE_REJECTED
    assert says in caught.value.said
    assert (found.version, found.spec) == (1, SPEC)


def test_an_existing_repo_is_not_taken_over_and_keeps_its_heads(side: Side) -> None:
    name = side.abandoned_repo()
    heads = side.port.heads(name)

    with pytest.raises(Stalled, match=f"pachctl delete repo {name}") as caught:
        side.port.create(name, SPEC, OWNER)

    assert caught.value.reason is Reason.REPO_EXISTS
    assert side.port.observe(name) is None
    assert None not in (heads.output, heads.marker)
    assert side.port.heads(name) == heads


def test_a_pipeline_whose_repo_is_read_is_not_deleted(side: Side) -> None:
    name = side.created()
    head = side.spout.commit(name)
    reader = side.someones_pipeline(reads=name)

    with pytest.raises(Stalled, match="other pipelines read its repo") as caught:
        side.port.delete(name, keep_repo=False)

    assert caught.value.reason is Reason.DELETION_BLOCKED
    assert reader in caught.value.said
    assert side.observed(name).spec == SPEC
    assert side.port.heads(name).output == head


def test_a_pipeline_whose_repo_is_read_is_deleted_where_the_repo_is_kept(side: Side) -> None:
    name = side.created()
    head = side.spout.commit(name)
    reader = side.someones_pipeline(reads=name)

    side.port.delete(name, keep_repo=True)

    assert side.port.observe(name) is None
    assert side.port.heads(name).output == head
    assert side.port.observe(reader) is not None


def test_the_community_edition_refuses_creates_and_updates_at_its_limit_of_pipelines(side: Side) -> None:
    names = [side.created() for _ in range(side.most_pipelines)]
    one_too_many = side.new_name()

    with pytest.raises(Stalled, match="limit of pipelines") as caught:
        side.port.create(one_too_many, SPEC, OWNER)

    assert caught.value.reason is Reason.PIPELINE_LIMIT_REACHED
    assert "requires an activation key" in caught.value.said
    assert set(side.port.list()) == set(names)
    with pytest.raises(Stalled, match="no updates either") as caught:
        side.port.update(names[0], dataclasses.replace(SPEC, description="changed"), OWNER)
    assert caught.value.reason is Reason.PIPELINE_LIMIT_REACHED
    side.port.stop(names[0])
    side.port.start(names[0])
    assert side.observed(names[0]).version == 1
    side.port.delete(names[0], keep_repo=False)
    side.port.create(one_too_many, SPEC, OWNER)
