"""Conditions about commits and marker, by the whole operator on a clock that jumps: when they turn, at what cost."""

import asyncio
import datetime
from collections.abc import Mapping
from typing import Any

from spout_operator.core.model import SpoutKey
from spout_operator.core.resource import condition_of
from spout_operator.core.timestamps import parse_time
from tests.builders import a_name, a_spout_body, an_outage
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import World, now

NAME = a_name()
MINUTE = 60.0
#: Together twelve minutes from the start of the worker.
ASKED = {"freshness": {"maxCommitAge": "10m", "startupGrace": "2m"}}


async def running(world: World, changes: Mapping[str, object] = ASKED) -> SpoutKey:
    """A Spout whose user code has been running for a few seconds."""
    key = world.spouts.create(a_spout_body(changes))
    await world.until("the pipeline", lambda: world.pipelines.calls["create"] == 1)
    world.pipelines.come_up(NAME)
    await world.shows(key, ready="True", state="Running")
    await world.rest()
    return key


def fresh(world: World, key: SpoutKey) -> Mapping[str, Any]:
    return condition_of(world.spouts.status(key), "Fresh")


def turned_at(condition: Mapping[str, Any]) -> datetime.datetime:
    return parse_time(condition["lastTransitionTime"])


def up_since(world: World, key: SpoutKey) -> datetime.datetime:
    return parse_time(world.spouts.status(key)["freshness"]["workerUpSince"])


def is_about(moment: datetime.datetime, expected: datetime.datetime) -> bool:
    """Times in a status are whole seconds."""
    return abs(moment - expected) <= datetime.timedelta(seconds=1)


async def test_a_commit_gets_too_old_at_its_time_without_an_event_and_with_one_write(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        assert fresh(world, key)["status"] == "True"
        writes, looks = len(spouts.writes), pipelines.calls["heads"]

        await asyncio.sleep(60 * MINUTE)

        condition = fresh(world, key)
        assert (condition["status"], condition["reason"]) == ("False", "CommitTooOld")
        assert is_about(turned_at(condition), up_since(world, key) + datetime.timedelta(minutes=12))
        assert spouts.writes[writes:] == ["status"]
        assert condition_of(spouts.status(key), "Ready")["status"] == "True"
        # Beside the one at the time: the looks at the log in the first minute, and no poll.
        assert pipelines.calls["heads"] - looks <= 10


async def test_the_next_commit_is_in_time_again(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        await asyncio.sleep(15 * MINUTE)
        assert fresh(world, key)["status"] == "False"

        committed_at = now()
        pipelines.commit(NAME)
        await world.ticks()
        assert fresh(world, key)["status"] == "True"

        await asyncio.sleep(15 * MINUTE)
        condition = fresh(world, key)
        assert condition["status"] == "False"
        assert is_about(turned_at(condition), committed_at + datetime.timedelta(minutes=10))


async def test_while_commits_come_in_time_each_is_one_write_as_without_the_field(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        writes = len(spouts.writes)
        for number in range(12):
            await asyncio.sleep(5 * MINUTE)
            pipelines.commit(NAME, size=number + 1)
            pipelines.write_marker(NAME, {"offset": b"%d" % number})
            await world.ticks()

        assert len(spouts.writes) - writes == 12
        assert fresh(world, key)["status"] == "True"


async def test_a_restarted_operator_goes_on_from_the_status(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        await asyncio.sleep(8 * MINUTE)
    before = spouts.status(key)

    async with World(pipelines, spouts) as world:
        await world.begun()
        assert spouts.status(key) == before
        await asyncio.sleep(5 * MINUTE)

        condition = fresh(world, key)
        assert condition["status"] == "False"
        assert is_about(turned_at(condition), up_since(world, key) + datetime.timedelta(minutes=12))

    stale, writes = spouts.status(key), len(spouts.writes)
    async with World(pipelines, spouts) as world:
        await world.begun()
        await asyncio.sleep(60 * MINUTE)

    assert (spouts.status(key), len(spouts.writes)) == (stale, writes), "nothing turns, so nothing is written"


async def test_during_an_outage_nobody_knows_and_after_it_nothing_has_begun_anew(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        await asyncio.sleep(15 * MINUTE)
        pipelines.fail("list", an_outage())
        await world.ticks()
        assert (fresh(world, key)["status"], fresh(world, key)["reason"]) == ("Unknown", "PachydermUnreachable")

        await world.ticks()
        await world.until("what is known", lambda: fresh(world, key)["status"] == "False")


async def test_of_a_suspended_spout_no_commit_is_expected_and_a_resumed_one_has_its_time_anew(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        await asyncio.sleep(15 * MINUTE)
        spouts.edit(key, suspend=True)
        await world.shows(key, state="Paused", reason="Suspended")
        assert (fresh(world, key)["status"], fresh(world, key)["reason"]) == ("Unknown", "Suspended")
        await asyncio.sleep(60 * MINUTE)

        spouts.edit(key, suspend=False)
        await world.until("the start", lambda: pipelines.calls["start"] == 1)
        pipelines.come_up(NAME)
        await world.until("the worker", lambda: fresh(world, key)["status"] == "True")
        resumed_at = now()

        await asyncio.sleep(15 * MINUTE)
        assert fresh(world, key)["status"] == "False"
        assert turned_at(fresh(world, key)) - resumed_at > datetime.timedelta(minutes=11, seconds=45)


async def test_an_edit_of_the_field_takes_effect_at_once_and_leaves_the_pipeline_alone(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world, {})
        pipelines.commit(NAME)
        await world.ticks()
        assert not fresh(world, key)

        spouts.edit(key, freshness={"maxCommitAge": "30s", "startupGrace": "0s"})
        await world.until("the condition", lambda: fresh(world, key))
        await asyncio.sleep(MINUTE)
        assert fresh(world, key)["status"] == "False"

        spouts.edit(key, freshness={"maxCommitAge": "1h"})
        await world.until("the longer time", lambda: fresh(world, key)["status"] == "True")
        assert pipelines.calls["update"] == 0


async def test_commits_and_a_marker_that_part_are_told_and_taken_back(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    def stalled() -> list[str]:
        return [found["type"] for found in spouts.status(key)["conditions"] if found["type"].endswith("Stalled")]

    async with World(pipelines, spouts) as world:
        key = await running(world, {})
        for size in range(1, 18):
            await asyncio.sleep(MINUTE)
            pipelines.commit(NAME, size=size)
            await world.ticks()
        assert stalled() == ["MarkerStalled"]

        for number in range(17):
            await asyncio.sleep(MINUTE)
            pipelines.write_marker(NAME, {"offset": b"%d" % number})
            await world.ticks()
            assert number or not stalled(), "the first move takes it back"
        assert stalled() == ["OutputStalled"]

        pipelines.commit(NAME, size=100)
        await world.ticks()
        assert stalled() == []
