"""When a Spout is reconciled again where neither an event nor a poll brings it."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator

import pytest

from spout_operator.core.model import Owner, PipelineState
from tests.builders import a_failure, a_key, a_name, a_spec, a_spout_body, an_outage
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import CLUSTER, World

KEY, NAME = a_key(), a_name()
MINUTE, HOUR = 60, 3600


@pytest.fixture
def world(pipelines: MemoryPipelines, spouts: MemorySpouts) -> World:
    """Polls so rarely that it does so only where a test says so."""
    return World(pipelines, spouts, poll_interval=10 * MINUTE)


async def test_after_a_success_the_next_failure_is_tried_again_soon(
    world: World, pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with world:
        pipelines.fail("create", a_failure(), times=6)
        spouts.create(a_spout_body())
        await asyncio.sleep(2 * MINUTE)
        await world.shows(KEY, synced="True", version=1)

        pipelines.fail("update", a_failure())
        spouts.edit(KEY, description="edited")
        await world.shows(KEY, reason="PachydermError")
        await world.shows(KEY, synced="True", version=2)


async def make(world: World) -> None:
    """Have the Spout and its pipeline."""
    world.spouts.create(a_spout_body())
    await world.shows(KEY, synced="True", version=1)


@contextlib.contextmanager
def without_pachyderm(pipelines: MemoryPipelines) -> Iterator[None]:
    """It does not answer inside of the block. Of this and of the end, the next poll tells."""
    for call in ("observe", "list"):
        pipelines.fail(call, an_outage(), times=1000)
    yield
    pipelines.recover("observe", "list")


async def have_an_outage(world: World, *, seconds: float) -> None:
    """Pachyderm does not answer for so long. A first call is cut off before the poller knows."""
    with without_pachyderm(world.pipelines):
        world.spouts.edit(KEY, description="edited in the outage")
        await world.shows(KEY, reason="PachydermUnreachable")
        await world.ticks()
        await asyncio.sleep(seconds)


async def test_after_an_outage_the_first_failure_is_tried_again_soon(world: World, pipelines: MemoryPipelines) -> None:
    async with world:
        await make(world)
        await have_an_outage(world, seconds=HOUR)

        pipelines.fail("update", a_failure())
        await world.ticks()
        await world.shows(KEY, reason="PachydermError")
        await world.shows(KEY, synced="True", version=2)


async def test_after_many_short_outages_the_first_failure_is_tried_again_soon(
    world: World, pipelines: MemoryPipelines
) -> None:
    async with world:
        await make(world)
        pipelines.fail("update", an_outage(), times=10)
        for _ in range(10):
            await have_an_outage(world, seconds=1)
            await world.ticks()
            await world.shows(KEY, reason="PachydermUnreachable")

        await world.shows(KEY, synced="True", version=2)


async def test_after_an_outage_the_first_failures_of_a_deletion_are_tried_again_soon(
    world: World, pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with world:
        await make(world)
        with without_pachyderm(pipelines):
            await world.ticks()
            spouts.delete(KEY)
            await asyncio.sleep(HOUR)

        pipelines.fail("delete", a_failure(), times=3)
        await world.ticks()
        await world.until("the Spout to be gone", lambda: not spouts.keys())


async def test_a_spout_is_reconciled_when_an_outage_begins_and_when_it_ends(
    world: World, pipelines: MemoryPipelines
) -> None:
    async with world:
        await make(world)
        pipelines.come_up(NAME)
        await world.shows(KEY, ready="True")
        before = world.outcomes("unreachable")
        with without_pachyderm(pipelines):
            await world.ticks()
            await asyncio.sleep(HOUR)
            await world.ticks()
            assert world.outcomes("unreachable") == before + 1

        await world.ticks()
        await world.shows(KEY, ready="True")


async def test_what_the_api_server_fails_with_in_an_outage_is_tried_again_in_it(
    world: World, pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    with without_pachyderm(pipelines):
        async with world:
            await world.begun()
            spouts.fail(3)
            spouts.create(a_spout_body())
            await world.shows(KEY, reason="PachydermUnreachable")


async def test_after_a_write_that_succeeded_the_next_conflict_is_tried_again_soon(
    world: World, pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with world:
        spouts.conflicts = True
        spouts.create(a_spout_body())
        await asyncio.sleep(2 * MINUTE)
        spouts.conflicts = False
        await asyncio.sleep(2 * MINUTE)
        await world.until("the pipeline", lambda: pipelines.calls["create"] == 1)

        spouts.conflicts = True
        tries = spouts.writes.count("finalizers")
        spouts.delete(KEY)
        await asyncio.sleep(1)
        assert spouts.writes.count("finalizers") - tries >= 3, "at 0, 0.2 and 0.6 seconds"


async def test_a_worker_that_comes_up_is_seen_soon_however_long_the_one_before_it_took(
    world: World, pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with world:
        spouts.create(a_spout_body())
        await asyncio.sleep(10 * MINUTE)
        pipelines.come_up(NAME)
        await asyncio.sleep(10 * MINUTE)
        await world.shows(KEY, ready="True", version=1)

        spouts.edit(KEY, description="edited")
        await world.shows(KEY, ready="False", version=2)
        pipelines.come_up(NAME)
        await world.shows(KEY, ready="True", version=2)


async def test_a_commit_that_is_finished_is_seen_soon_however_long_the_one_before_it_took(
    world: World, pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with world:
        spouts.create(a_spout_body())
        await world.until("the pipeline", lambda: pipelines.calls["create"] == 1)
        pipelines.come_up(NAME)
        await world.shows(KEY, ready="True")
        for total, took in enumerate([10 * MINUTE, 1], start=1):
            commit = pipelines.commit(NAME, finished_at=None)
            await world.ticks()
            await asyncio.sleep(took)
            pipelines.finish_commit(NAME, commit)
            await asyncio.sleep(took)
            await world.shows(KEY, total=total)


async def test_a_pipeline_that_is_being_stopped_is_looked_at_until_it_is_and_then_no_more(
    world: World, pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    pipelines.make(NAME, a_spec(), Owner(cluster=CLUSTER, spout=KEY))
    pipelines.change(NAME, stopped=True)
    async with world:
        spouts.create(a_spout_body({"suspend": True}))
        await world.shows(KEY, reason="Stopping")
        pipelines.change(NAME, state=PipelineState.PAUSED)
        await world.shows(KEY, reason="Suspended")
        made = Counter(pipelines.calls)
        await asyncio.sleep(HOUR)

    assert pipelines.calls == made
