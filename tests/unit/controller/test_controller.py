"""The controller as a whole: it ends after the last request, and its queues are told apart."""

import asyncio

import pytest

from tests.builders import a_key, a_spout_body
from tests.fakes.memory_events import MemoryEvents
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import STEP, World

KEY = a_key()


class Busy:
    """An adapter that has a request under way, until it is `answered`."""

    def __init__(self) -> None:
        super().__init__()
        self.answered = asyncio.Event()

    async def ended(self) -> None:
        await self.answered.wait()


class BusyPipelines(Busy, MemoryPipelines):
    pass


class BusySpouts(Busy, MemorySpouts):
    pass


class BusyEvents(Busy, MemoryEvents):
    pass


@pytest.mark.parametrize("last", [0, 1, 2], ids=["Pachyderm", "the API server", "the API server with Events"])
async def test_it_has_ended_when_the_last_request_has_whoever_answers_it(last: int) -> None:
    pipelines, spouts, events = BusyPipelines(), BusySpouts(), BusyEvents()
    controller = World(pipelines, spouts, events=events).controller
    ending = asyncio.create_task(controller.ended())
    adapters: list[Busy] = [pipelines, spouts, events]
    slowest = adapters.pop(last)
    for adapter in adapters:
        adapter.answered.set()
    await asyncio.sleep(STEP)
    assert not ending.done()

    slowest.answered.set()
    await asyncio.sleep(STEP)
    assert ending.done()


async def test_what_waits_is_measured_by_the_queue_that_it_waits_in() -> None:
    async with World(MemoryPipelines(runs_at_once=True), MemorySpouts()) as world:
        await world.begun()
        world.spouts.create(a_spout_body())
        await world.shows(KEY, ready="True")

        for queue in ("reconcile", "status"):
            labels = {"queue": queue}
            waits = world.metrics.registry.get_sample_value("spout_operator_queue_wait_seconds_count", labels)
            assert waits, queue
