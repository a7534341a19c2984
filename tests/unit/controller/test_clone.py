"""A cluster made from an etcd snapshot of another, both with an operator and the same Pachyderm (decision 0003).

Nothing in the snapshot tells the two apart, the uid of kube-system neither: only `--cluster-id` does.
"""

from spout_operator.core.model import SpoutKey
from spout_testbed.harness.spouts import message
from tests.builders import a_spout_body
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import World

NAMES = ("orders", "clicks")
WRITES = ("create", "update", "take_over", "start", "stop", "delete")


async def production(world: World) -> list[SpoutKey]:
    """Spouts that have their pipelines."""
    keys = [world.spouts.create(a_spout_body(name=name)) for name in NAMES]
    for key in keys:
        await world.shows(key, synced="True")
    return keys


def written(pipelines: MemoryPipelines) -> dict[str, int]:
    """How many writes of each kind Pachyderm was asked for."""
    return {method: pipelines.calls[method] for method in WRITES}


async def test_a_clone_with_an_id_of_its_own_touches_nothing(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    async with World(pipelines, spouts) as original:
        keys = await production(original)
        before = written(pipelines)
        cloned = spouts.snapshot()
        async with World(pipelines, cloned, cluster="clone") as clone:
            for key in keys:
                status = await clone.shows(key, stalled="True", ready="False", reason="PipelineNotOwned")
                assert "another cluster (cluster-1)" in message(status)
            cloned.edit(keys[0], suspend=True)
            await clone.shows(keys[0], observed=2, reason="PipelineNotOwned")
            for key in keys:
                cloned.delete(key)
            await clone.until(
                "the clone's Spouts to be gone", lambda: all(cloned.resource(key) is None for key in keys)
            )
        await original.ticks()

        assert written(pipelines) == before
        assert [spouts.status(key)["pipeline"]["version"] for key in keys] == [1, 1]


async def test_a_clone_with_the_same_id_deletes_the_pipelines_of_its_original(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    """No wish, but what the documents warn of: to the operator the two clusters are one."""
    async with World(pipelines, spouts) as original:
        keys = await production(original)
        cloned = spouts.snapshot()

    async with World(pipelines, cloned) as clone:
        for key in keys:
            cloned.delete(key)
        await clone.until("the clone's Spouts to be gone", lambda: all(cloned.resource(key) is None for key in keys))

    assert pipelines.calls["delete"] == len(keys)


async def test_another_id_in_an_installation_that_has_pipelines_leaves_all_of_them_alone_until_the_old_one_is_back(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        keys = await production(world)
    before = written(pipelines)

    async with World(pipelines, spouts, cluster="another") as world:
        for key in keys:
            spouts.edit(key, description="another")
            await world.shows(key, observed=2, stalled="True", reason="PipelineNotOwned")
    assert written(pipelines) == before

    async with World(pipelines, spouts) as world:
        for key in keys:
            await world.shows(key, synced="True", version=2)
