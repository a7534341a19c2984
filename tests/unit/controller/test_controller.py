"""The controller as a whole: what it waits for when it begins and ends, how often it polls, and what it measures."""

import asyncio
from contextlib import suppress

import pytest

from spout_operator.core.errors import NamespaceUnavailable
from tests.builders import a_key, a_spout_body
from tests.fakes.memory_events import MemoryEvents
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import STEP, World

KEY = a_key()


async def test_of_a_namespace_that_cannot_be_listed_yet_no_spout_is_touched_and_then_each_is() -> None:
    """Nobody knows yet whether there is an older Spout beside one that the watch has shown."""
    spouts = MemorySpouts()
    mine = spouts.create(a_spout_body(name="mine", namespace="team-a"))
    theirs = spouts.create(a_spout_body(name="theirs", namespace="team-b"))
    # It may list its own namespaces and not the cluster.
    spouts.refusals = {None: NamespaceUnavailable("403"), "team-b": NamespaceUnavailable("403")}
    async with World(MemoryPipelines(runs_at_once=True), spouts, namespaces=["team-a", "team-b"]) as world:
        await world.shows(mine, ready="True")
        await world.rest()
        assert {mine, theirs} == {*world.known}
        assert spouts.status(theirs) == {}

        del spouts.refusals["team-b"]
        await asyncio.sleep(60)
        await world.shows(theirs, ready="True")


async def test_pachyderm_is_polled_at_the_interval() -> None:
    async with World(MemoryPipelines(), MemorySpouts(), poll_interval=10) as world:
        await world.begun()
        before = world.pipelines.calls["list"]
        with suppress(TimeoutError):
            await asyncio.wait_for(world.controller.poll(), timeout=35)

        assert world.pipelines.calls["list"] - before == 3, "after 10, 20 and 30 seconds"


async def test_pachyderm_is_not_asked_before_the_spouts_are_known_whose_secrets_it_could_quote() -> None:
    spouts = MemorySpouts()
    spouts.refusals = {None: NamespaceUnavailable("403")}
    async with World(MemoryPipelines(), spouts, poll_interval=10) as world:
        with suppress(TimeoutError):
            await asyncio.wait_for(world.controller.poll(), timeout=35)

        assert not world.pipelines.calls


class Busy:
    """An adapter that has a request under way, until it is `answered`."""

    def __init__(self) -> None:
        super().__init__()
        self.answered = asyncio.Event()
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True

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


async def test_after_close_no_adapter_takes_a_request_and_nothing_that_was_planned_is_due() -> None:
    adapters = pipelines, spouts, events = BusyPipelines(), BusySpouts(), BusyEvents()
    controller = World(pipelines, spouts, events=events).controller
    for queue in controller.queues.values():
        queue.enqueue(KEY, after=1)

    controller.close()
    await asyncio.sleep(2)

    assert [adapter.is_closed for adapter in adapters] == [True, True, True]
    assert {name: queue.depth for name, queue in controller.queues.items()} == {"reconcile": 0, "status": 0, "log": 0}


async def test_what_waits_is_measured_by_the_queue_that_it_waits_in() -> None:
    async with World(MemoryPipelines(runs_at_once=True), MemorySpouts()) as world:
        await world.begun()
        world.spouts.create(a_spout_body())
        await world.shows(KEY, ready="True")

        for queue in ("reconcile", "status"):
            labels = {"queue": queue}
            waits = world.metrics.registry.get_sample_value("spout_operator_queue_wait_seconds_count", labels)
            assert waits, queue
