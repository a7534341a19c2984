"""What is waited for at a start, and what a write costs that somebody else was quicker with."""

import asyncio

from spout_operator.core.errors import NamespaceUnavailable
from tests.builders import a_spout_body
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import World


async def test_the_older_of_two_spouts_wins_though_the_younger_is_seen_first(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    younger = spouts.create(a_spout_body({"name": "shared"}, name="younger", creationTimestamp="2026-01-31T12:00:01Z"))
    older = spouts.create(a_spout_body({"name": "shared"}, name="older"))
    spouts.hide(older)

    async with World(pipelines, spouts) as world:
        await world.until("the younger to be seen", lambda: younger in world.known)
        await world.poller.poll()
        assert not spouts.writes, "nobody knows yet whether there is an older one"
        assert pipelines.calls["create"] == 0

        spouts.deliver()

        await world.shows(older, synced="True", version=1)
        await world.shows(younger, stalled="True")


async def test_a_finalizer_is_removed_though_the_watch_does_not_bring_what_others_wrote(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    key = spouts.create(a_spout_body())
    async with World(pipelines, spouts) as world:
        await world.shows(key, synced="True", version=1)
        await world.ticks()
        pipelines.hang("delete")
        spouts.delete(key)
        await world.until("the deletion", lambda: pipelines.calls["delete"] == 1)
        spouts.withhold()
        spouts.label(key)
        before, asked = len(spouts.writes), pipelines.calls["observe"]
        pipelines.release("delete")

        await world.until("the Spout to be gone", lambda: spouts.status(key) == {})

    assert spouts.writes[before:] == ["finalizers", "finalizers"], "one that fails, and one after the Spout was read"
    assert pipelines.calls["observe"] - asked <= 2


async def test_a_write_that_others_are_always_quicker_with_backs_off(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    spouts.conflicts = True
    spouts.create(a_spout_body())
    async with World(pipelines, spouts) as world:
        await world.until("some conflicts", lambda: world.outcomes("outdated") == 3)
        assert spouts.writes == ["finalizers"] * 3
        assert spouts.reads == 3, "each conflict reads the Spout once"
        begun = asyncio.get_running_loop().time()

        await world.until("one more", lambda: world.outcomes("outdated") == 4)

    assert asyncio.get_running_loop().time() - begun > 0.5, "it was 0.2 s for ever"


async def test_the_older_wins_though_the_namespace_was_refused_at_first(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    """An API server that starts can answer 403 for a moment."""
    younger = spouts.create(a_spout_body({"name": "shared"}, name="younger", creationTimestamp="2026-01-31T12:00:01Z"))
    older = spouts.create(a_spout_body({"name": "shared"}, name="older"))
    spouts.hide(older)
    spouts.refusals[None] = NamespaceUnavailable("403")
    async with World(pipelines, spouts) as world:
        await world.until("the younger to be seen", lambda: younger in world.known)
        assert not spouts.writes
        spouts.refusals.clear()
        spouts.deliver()

        await world.shows(older, synced="True", version=1)
        await world.shows(younger, stalled="True")
