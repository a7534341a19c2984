"""The logs of quiet spouts: each is read in its turn, and has its Spout reconciled where it tells something new."""

import asyncio
import datetime
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from spout_operator.controller.log_turns import LEAST_GAP
from spout_operator.controller.user_code import RECONCILE_AFTER
from spout_operator.core.activity import Activity, Failed, Started, WorkerEvent
from spout_operator.core.errors import NotLeading
from spout_operator.core.model import PipelineName, SpoutKey
from tests.builders import Body, a_name, a_spout_body
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import World, now

NAME = a_name()
MINUTE, HOUR = 60.0, 3600.0


class Worker(MemoryPipelines):
    """A Pachyderm whose workers log what a test says.

    `defect` is raised by the next read. A read of the log of `slow` waits until it is released.
    """

    def __init__(self) -> None:
        super().__init__(now=now)
        self.log: tuple[WorkerEvent, ...] = ()
        self.read_at: list[float] = []
        self.defect: Exception | None = None
        self.slow: PipelineName | None = None
        self.is_waited_for = False

    async def activity(self, name: PipelineName, *, since: datetime.datetime | None, last_lines: int = 0) -> Activity:
        self.read_at.append(asyncio.get_running_loop().time())
        found = await super().activity(name, since=since, last_lines=last_lines)
        if name == self.slow:
            self.is_waited_for = True
            await self.wait_for_release("slow")
        if self.defect is not None:
            defect, self.defect = self.defect, None
            raise defect
        return Activity(events=(*found.events, *self.log))


@pytest.fixture
def worker() -> Worker:
    return Worker()


async def ready(world: World, worker: Worker, spouts: MemorySpouts, body: Body, name: PipelineName) -> SpoutKey:
    """Create a Spout, and wait until its code runs."""
    key = spouts.create(body)
    await world.until(f"the pipeline {name}", lambda: worker.calls["create"] == 1)
    worker.come_up(name)
    await world.shows(key, ready="True")
    return key


@asynccontextmanager
async def quiet(worker: Worker, spouts: MemorySpouts) -> AsyncIterator[tuple[World, SpoutKey]]:
    """An operator beside a Spout whose code has run for an hour."""
    async with World(worker, spouts) as world:
        key = await ready(world, worker, spouts, a_spout_body(), NAME)
        # The reconcile of each hour is just over.
        await polled(world, HOUR + 15 * MINUTE)
        worker.calls.clear()
        yield world, key


async def polled(world: World, seconds: float) -> None:
    """Let a time pass, with a poll in each minute."""
    for _ in range(int(seconds / MINUTE)):
        await asyncio.sleep(MINUTE)
        await world.ticks()


async def until_read(world: World) -> None:
    """Let the time pass until the log is read once more."""
    reads = world.pipelines.calls["activity"]
    while world.pipelines.calls["activity"] == reads:
        await polled(world, MINUTE)


async def test_a_log_that_tells_nothing_new_is_read_every_ten_minutes_and_its_spout_reconciled_every_hour(
    worker: Worker, spouts: MemorySpouts
) -> None:
    async with quiet(worker, spouts) as (world, _):
        before = world.reconciles
        await polled(world, 6 * RECONCILE_AFTER)

        assert 6 * 6 <= worker.calls["activity"] <= 6 * 9
        assert 5 <= world.reconciles - before <= 6


async def test_logs_that_are_due_at_the_same_poll_are_read_one_after_the_other(
    worker: Worker, spouts: MemorySpouts
) -> None:
    async with quiet(worker, spouts) as (world, _):
        await ready(world, worker, spouts, a_spout_body(name="other"), a_name("other"))
        await polled(world, HOUR)
        await asyncio.sleep(HOUR)
        worker.read_at.clear()
        await world.poller.poll()
        await asyncio.sleep(MINUTE)

        first, second = worker.read_at
        assert second - first == pytest.approx(LEAST_GAP)


async def test_code_that_fails_after_hours_is_told_when_its_log_has_its_turn(
    worker: Worker, spouts: MemorySpouts
) -> None:
    async with quiet(worker, spouts) as (world, key):
        worker.log = (Failed(at=now(), exit_code=3),)
        reads = worker.calls["activity"]
        await polled(world, 11 * MINUTE)

        await world.shows(key, ready="False", reason="UserCodeFailing")
        worker.log = (*worker.log, Started(at=now()))
        await polled(world, 3 * MINUTE)
        await world.shows(key, ready="True")
        assert worker.calls["activity"] > reads + 3, "it is read often while the code is in trouble"


async def test_the_spout_whose_pipeline_it_is_is_told_also_where_another_one_names_it(
    worker: Worker, spouts: MemorySpouts
) -> None:
    async with quiet(worker, spouts) as (world, key):
        rival = spouts.create(a_spout_body({"name": NAME.name}, name="a-rival"))
        await world.shows(rival, stalled="True")
        worker.log = (Failed(at=now(), exit_code=3),)
        await polled(world, 11 * MINUTE)

        await world.shows(key, reason="UserCodeFailing")


async def test_a_defect_in_the_reading_of_one_log_is_logged_and_ends_nothing(
    worker: Worker, spouts: MemorySpouts, caplog: pytest.LogCaptureFixture
) -> None:
    async with quiet(worker, spouts) as (world, key):
        worker.defect = ValueError("a defect")
        before = world.reconciles
        await polled(world, 11 * MINUTE)
        assert [(record.levelno, record.getMessage()) for record in caplog.records if record.exc_info] == [
            (logging.ERROR, f"Spout {key}: unexpected error")
        ]
        assert world.reconciles > before

        worker.log = (Failed(at=now(), exit_code=3),)
        await polled(world, 11 * MINUTE)
        await world.shows(key, reason="UserCodeFailing")


async def test_a_log_that_could_not_be_read_without_the_lease_has_another_turn(
    worker: Worker, spouts: MemorySpouts
) -> None:
    async with quiet(worker, spouts) as (world, _):
        await until_read(world)
        worker.defect = NotLeading("another replica may be acting")
        before = world.reconciles
        await until_read(world)
        reads = worker.calls["activity"]
        await polled(world, 2 * MINUTE)

        assert worker.calls["activity"] == reads + 1, "at the next poll, and not ten minutes later"
        assert world.reconciles == before


@pytest.mark.parametrize("is_being_read", [False, True], ids=["before its turn", "while its log is read"])
async def test_a_spout_that_goes_costs_no_other_spout_its_turn(
    worker: Worker, spouts: MemorySpouts, caplog: pytest.LogCaptureFixture, *, is_being_read: bool
) -> None:
    async with quiet(worker, spouts) as (world, key):
        other = await ready(world, worker, spouts, a_spout_body(name="other"), a_name("other"))
        await polled(world, 10 * MINUTE)
        worker.slow = NAME if is_being_read else None
        while worker.slow and not worker.is_waited_for:
            await asyncio.sleep(MINUTE)
            await world.poller.poll()
        spouts.vanish(key)
        await asyncio.sleep(MINUTE)
        assert key not in world.known
        world.controller.queues["log"].enqueue(key)
        worker.log = (Failed(at=now(), exit_code=3),)
        worker.release("slow")
        await polled(world, 11 * MINUTE)

        await world.shows(other, reason="UserCodeFailing")
        assert not [record.getMessage() for record in caplog.records if record.exc_info]
