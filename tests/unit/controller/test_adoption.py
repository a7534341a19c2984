"""A Spout takes over a pipeline that is there already and has no owner."""

import dataclasses

import pytest

from spout_operator.core.resource import condition_of
from spout_operator.core.server import Capabilities
from spout_testbed.harness.spouts import message
from tests.builders import CAPABILITIES, a_name, a_spec, a_spout_body, an_owner
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import CLUSTER, World

NAME = a_name()
RESTARTS = dataclasses.replace(CAPABILITIES, takes_over_without_restart=False)
ADOPTS = {"adoptionPolicy": "IfUnowned"}


async def adopted(capabilities: Capabilities, **changes: object) -> tuple[MemoryPipelines, str, str]:
    """The pipelines after a Spout was applied over one without an owner, and its reason and message."""
    pipelines, spouts = MemoryPipelines(capabilities, runs_at_once=True), MemorySpouts()
    pipelines.make(NAME, a_spec(), None)
    key = spouts.create(a_spout_body({**ADOPTS, **changes}))
    async with World(pipelines, spouts) as world:
        status = await world.settles(key)
    return pipelines, condition_of(status, "Ready")["reason"], message(status)


async def test_a_pipeline_that_is_as_the_spout_asks_gets_an_owner_and_no_new_version() -> None:
    pipelines, reason, _ = await adopted(CAPABILITIES)

    owned = await pipelines.observe(NAME)
    assert owned is not None
    assert (reason, owned.owner, owned.version) == ("Running", an_owner(cluster=CLUSTER), 1)
    assert (pipelines.calls["take_over"], pipelines.calls["update"]) == (1, 0)


async def test_a_pipeline_that_differs_gets_exactly_one_new_version() -> None:
    pipelines, reason, _ = await adopted(CAPABILITIES, description="edited")

    owned = await pipelines.observe(NAME)
    assert owned is not None
    assert (reason, owned.owner, owned.version) == ("Running", an_owner(cluster=CLUSTER), 2)


@pytest.mark.parametrize("changes", [{"description": "edited"}, {"restartNonce": "1"}], ids=["differs", "allowed"])
async def test_where_an_owner_takes_a_new_version_the_update_takes_the_pipeline_over(
    changes: dict[str, object],
) -> None:
    pipelines, reason, _ = await adopted(RESTARTS, **changes)

    owned = await pipelines.observe(NAME)
    assert owned is not None
    assert (reason, owned.owner, owned.version) == ("Running", an_owner(cluster=CLUSTER), 2)
    assert pipelines.calls["take_over"] == 0


async def test_where_an_owner_alone_would_restart_the_spout_nothing_is_written_until_that_is_allowed() -> None:
    pipelines, reason, says = await adopted(RESTARTS)

    left = await pipelines.observe(NAME)
    assert left is not None
    assert (reason, left.owner, left.version) == ("AdoptionRestarts", None, 1)
    assert "To allow the restart, set spec.restartNonce" in says


async def test_without_the_policy_the_pipeline_is_left_alone() -> None:
    pipelines, reason, says = await adopted(CAPABILITIES, adoptionPolicy="Never")

    left = await pipelines.observe(NAME)
    assert left is not None
    assert (reason, left.owner, left.version) == ("PipelineNotOwned", None, 1)
    assert "set spec.adoptionPolicy to IfUnowned" in says
