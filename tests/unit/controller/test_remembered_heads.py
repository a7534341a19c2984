"""When a reconcile takes the heads that were read last, and all that must not be shown late for it.

The Spout has been quiet for an hour, and the operator was restarted: its poller reads no heads in these tests.
"""

import asyncio
import datetime
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from spout_operator.core.activity import Activity, Failed, Started, WorkerEvent
from spout_operator.core.model import PipelineName, PipelineState, SpoutKey
from spout_operator.core.resource import condition_of
from tests.builders import NOON, a_failure, a_name, a_spout_body, an_outage
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import World, now

NAME = a_name()
MINUTE = 60.0
AN_HOUR_AGO = NOON - datetime.timedelta(hours=1)
NEVER = 10**9


@asynccontextmanager
async def quiet(
    pipelines: MemoryPipelines, spouts: MemorySpouts, changes: dict[str, object] | None = None
) -> AsyncIterator[tuple[World, SpoutKey]]:
    """An operator beside a Spout that shows one commit and one marker, both of an hour ago."""
    async with World(pipelines, spouts) as world:
        key = spouts.create(a_spout_body(changes or {}))
        await world.until("the pipeline", lambda: pipelines.calls["create"] == 1)
        pipelines.come_up(NAME)
        pipelines.change(NAME, created_at=AN_HOUR_AGO)
        pipelines.commit(NAME, finished_at=AN_HOUR_AGO)
        pipelines.write_marker(NAME, {"offset": b"1"}, finished_at=AN_HOUR_AGO)
        await world.ticks()
        await world.shows(key, ready="True", total=1, marker="1")
        # The code is no longer new, so its log is not read every few seconds.
        await asyncio.sleep(2 * MINUTE)
    async with World(pipelines, spouts, quiet_ticks=NEVER) as world:
        await world.begun()
        await world.ticks(2)
        pipelines.calls.clear()
        yield world, key


async def logs_are_read(world: World) -> None:
    """Let a while pass in which the operator reads the log several times, and reconciles the Spout for one of them."""
    reads, reconciles = world.pipelines.calls["activity"], world.reconciles
    for _ in range(10):
        await asyncio.sleep(10 * MINUTE)
        await world.ticks()
    assert world.pipelines.calls["activity"] >= reads + 5
    assert world.reconciles > reconciles


async def trips(world: World) -> None:
    """The pipeline crashes, and runs again."""
    world.pipelines.change(NAME, state=PipelineState.CRASHING)
    await world.ticks()
    world.pipelines.come_up(NAME)
    await world.ticks()


async def test_a_look_at_the_log_reads_no_heads(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    async with quiet(pipelines, spouts) as (world, _):
        await logs_are_read(world)

    assert pipelines.calls["heads"] == 0


async def test_a_change_of_the_pipeline_does(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    async with quiet(pipelines, spouts) as (world, key):
        pipelines.commit(NAME)
        await trips(world)
        await world.shows(key, total=2)


async def test_an_open_commit_is_followed_without_the_poller(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    async with quiet(pipelines, spouts) as (world, key):
        still_open = pipelines.commit(NAME, finished_at=None)
        await trips(world)
        await world.shows(key, total=1)
        pipelines.finish_commit(NAME, still_open)
        pipelines.commit(NAME)
        await world.shows(key, total=3)


async def test_where_a_marker_could_not_be_read_the_next_try_reads_the_newest(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with quiet(pipelines, spouts) as (world, key):
        pipelines.write_marker(NAME, {"offset": b"2"})
        pipelines.fail("marker", a_failure("AccessDenied"))
        await trips(world)
        assert spouts.status(key)["marker"]["summary"] == "unknown"
        pipelines.write_marker(NAME, {"offset": b"3"})
        await world.shows(key, marker="3")


async def test_heads_that_could_not_be_read_are_read_at_the_next_try(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with quiet(pipelines, spouts) as (world, key):
        pipelines.change(NAME, state=PipelineState.CRASHING)
        await world.ticks()
        pipelines.come_up(NAME)
        # The first read is the poller's.
        pipelines.fail("heads", a_failure("etcdserver: request timed out"), after=1)
        await world.ticks()
        await world.shows(key, ready="False", reason="PachydermError")
        pipelines.commit(NAME)
        await world.shows(key, ready="True", total=2)


async def test_a_pipeline_that_is_made_again_under_the_same_name_begins_anew(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with quiet(pipelines, spouts) as (world, key):
        spec = pipelines.spec_of(NAME)
        owner = (await pipelines.list())[NAME].owner
        await pipelines.delete(NAME, keep_repo=False)
        pipelines.make(NAME, spec, owner)
        await world.ticks()
        status = await world.shows(key, total=0)

    assert "marker" not in status


async def test_a_spout_that_is_resumed_shows_what_was_committed_meanwhile(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with quiet(pipelines, spouts) as (world, key):
        spouts.edit(key, suspend=True)
        await world.shows(key, state="Paused")
        pipelines.commit(NAME)
        spouts.edit(key, suspend=False)
        await world.until("the start", lambda: pipelines.calls["start"] == 1)
        pipelines.come_up(NAME)
        await world.shows(key, ready="True", total=2)


async def test_after_an_outage_what_was_committed_meanwhile_is_shown(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with quiet(pipelines, spouts) as (world, key):
        pipelines.fails_with = an_outage()
        await world.ticks()
        pipelines.commit(NAME)
        pipelines.fails_with = None
        await world.ticks()
        await world.shows(key, ready="True", total=2)


async def test_a_status_that_somebody_else_has_changed_is_mended_by_the_next_reconcile(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with quiet(pipelines, spouts) as (world, key):
        theirs = spouts.status(key)
        theirs["commits"]["last"]["id"] = "somebody-elses"
        body = spouts.resource(key)
        assert body is not None
        await spouts.write_status(key, body["metadata"]["uid"], theirs)
        await world.rest()
        await logs_are_read(world)
        status = await world.shows(key, total=1)

    assert status["commits"]["last"]["id"] != "somebody-elses"


async def test_a_commit_that_nobody_has_seen_yet_is_in_time(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    async with quiet(pipelines, spouts, {"freshness": {"maxCommitAge": "30m"}}) as (world, key):
        assert condition_of(spouts.status(key), "Fresh")["status"] == "True"
        await asyncio.sleep(25 * MINUTE)
        pipelines.commit(NAME)
        await asyncio.sleep(10 * MINUTE)
        status = await world.shows(key, total=2)

    assert condition_of(status, "Fresh")["status"] == "True"
    assert pipelines.calls["heads"] == 1, "when the commit before was too old"


async def test_while_no_commit_comes_in_time_a_look_at_the_log_reads_no_heads(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with quiet(pipelines, spouts, {"freshness": {"maxCommitAge": "30m"}}) as (world, key):
        await asyncio.sleep(35 * MINUTE)
        assert condition_of(spouts.status(key), "Fresh")["status"] == "False"
        await logs_are_read(world)

    assert pipelines.calls["heads"] == 1, "when the commit was too old"


async def test_freshness_that_is_asked_for_later_knows_the_newest_commit(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with quiet(pipelines, spouts) as (world, key):
        await asyncio.sleep(25 * MINUTE)
        pipelines.commit(NAME)
        spouts.edit(key, freshness={"maxCommitAge": "1m", "startupGrace": "0s"})
        status = await world.shows(key, total=2)

    assert condition_of(status, "Fresh")["status"] == "True"


async def test_a_commit_that_nobody_has_seen_yet_proves_that_the_code_runs_again(spouts: MemorySpouts) -> None:
    class Worker(MemoryPipelines):
        log: tuple[WorkerEvent, ...] = (Started(at=AN_HOUR_AGO),)

        async def activity(
            self, name: PipelineName, *, since: datetime.datetime | None, last_lines: int = 0
        ) -> Activity:
            await super().activity(name, since=since, last_lines=last_lines)
            return Activity(events=self.log)

    pipelines = Worker(now=now)
    told: set[str] = set()
    async with quiet(pipelines, spouts) as (world, key):
        await asyncio.sleep(5 * MINUTE)
        pipelines.log = (Failed(at=now(), exit_code=3),)
        pipelines.commit(NAME, finished_at=now() + datetime.timedelta(seconds=1))
        await asyncio.sleep(2 * MINUTE)
        spouts.watch(lambda _, body: told.add(condition_of(body.get("status", {}), "Ready").get("reason", "")))
        await logs_are_read(world)
        await world.shows(key, ready="True", total=2)

    assert told == {"Running"}


async def test_a_late_answer_to_the_poller_hides_no_open_commit(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    """It is as the status is, and so tells of nothing."""
    async with World(pipelines, spouts) as world:
        key = spouts.create(a_spout_body())
        await world.until("the pipeline", lambda: pipelines.calls["create"] == 1)
        pipelines.come_up(NAME)
        pipelines.commit(NAME)
        await world.ticks(2)
        await world.shows(key, ready="True", total=1)
        pipelines.answer_late("heads")
        looks = pipelines.calls["heads"]
        tick = asyncio.create_task(world.poller.poll())
        await world.until("the poller's look", lambda: pipelines.calls["heads"] > looks)
        still_open = pipelines.commit(NAME, finished_at=None)
        spouts.edit(key, description="another")
        await world.until("the update", lambda: pipelines.calls["update"] == 1)
        pipelines.come_up(NAME)
        await world.shows(key, ready="True", total=1, version=2)
        pipelines.release("heads")
        await tick
        await world.rest()
        pipelines.finish_commit(NAME, still_open)
        await world.shows(key, total=2)


@pytest.fixture
def telling() -> MemoryPipelines:
    """A server that tells of recent commits: the poller never reads heads."""
    pipelines = MemoryPipelines(runs_at_once=True, now=now)
    pipelines.tells_recent_commits = True
    return pipelines


async def shown(world: World, **wanted: Any) -> SpoutKey:
    key = world.spouts.create(a_spout_body())
    await world.shows(key, **wanted)
    await world.ticks(2)
    return key


async def test_a_commit_that_is_told_of_while_heads_are_read_is_shown(
    telling: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(telling, spouts) as world:
        key = await shown(world, ready="True", total=0)
        telling.commit(NAME)
        telling.answer_late("heads")
        reads = telling.calls["heads"]
        await world.poller.poll()
        await world.until("the read", lambda: telling.calls["heads"] > reads)
        telling.commit(NAME)
        await world.poller.poll()
        telling.release("heads")
        await world.shows(key, total=2)


async def test_a_commit_that_is_told_of_during_the_first_read_is_shown(
    telling: MemoryPipelines, spouts: MemorySpouts
) -> None:
    telling.answer_late("heads")
    async with World(telling, spouts) as world:
        # Of one that runs, the log is read soon, and until it is ready the heads are too.
        key = spouts.create(a_spout_body({"suspend": True}))
        await world.until("the read", lambda: telling.calls["heads"] == 1)
        telling.commit(NAME)
        await world.poller.poll()
        telling.release("heads")
        await world.shows(key, total=1)


async def test_behind_a_head_that_the_server_made_by_itself_each_commit_is_shown(
    telling: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(telling, spouts) as world:
        key = await shown(world, ready="True", total=0)
        telling.commit(NAME)
        telling.commit(NAME, is_automatic=True)
        await world.ticks()
        await world.shows(key, total=1)
        left_open = telling.commit(NAME, is_automatic=True, finished_at=None)
        await world.ticks()
        await world.until("its end", lambda: telling.calls["finish"] == 1)
        telling.commit(NAME)
        await world.ticks()
        await world.shows(key, total=2)

    assert left_open
