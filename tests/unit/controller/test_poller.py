"""The poller in an outage, and with nothing to look at: what it asks, what it tells, and that it moves."""

import asyncio
import itertools

import pytest

from spout_operator.controller.poller import HEAD_READERS
from spout_operator.controller.user_code import AHEAD
from spout_operator.core.errors import NotLeading
from spout_operator.core.reasons import Reason
from spout_operator.core.server import Server
from tests.builders import a_key, a_name, a_refusal, a_spout_body, an_outage, an_owner
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import TICK, World

#: More than are looked at before an outage is noticed.
SPOUTS = 3 * HEAD_READERS


async def many(world: World) -> None:
    """Many Spouts that are ready and shown so."""
    keys = [world.spouts.create(a_spout_body(name=f"spout-{number}")) for number in range(SPOUTS)]
    await world.until("the pipelines", lambda: world.pipelines.calls["create"] == SPOUTS)
    for key in keys:
        await world.shows(key, synced="True")
        world.pipelines.come_up(a_name(key.name))
    for key in keys:
        await world.shows(key, ready="True")
    await world.ticks()


def go_down_after_the_list(pipelines: MemoryPipelines, *, times: int) -> None:
    """The next list is answered, and then nothing for so many calls of each kind."""
    pipelines.fail("heads", an_outage(), times=times)
    pipelines.fail("list", an_outage(), times=times, after=1)


async def test_after_a_look_that_is_not_answered_no_more_are_asked(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        await many(world)
        asked = pipelines.calls["heads"]
        go_down_after_the_list(pipelines, times=1000)

        await world.poller.poll()

        assert pipelines.calls["heads"] - asked <= 2 * HEAD_READERS
        assert world.poller.is_reached is False


async def test_a_read_that_is_answered_after_an_outage_was_noticed_is_the_last(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        await many(world)
        pipelines.answer_late("heads")
        pipelines.fail("heads", an_outage(), times=HEAD_READERS - 1, after=1)
        pipelines.fail("list", an_outage(), times=HEAD_READERS, after=1)
        await world.poller.poll()
        assert world.poller.is_reached is False
        asked = pipelines.calls["heads"]

        pipelines.release("heads")
        await asyncio.sleep(TICK)

        assert pipelines.calls["heads"] == asked


async def test_a_single_repo_without_an_answer_is_no_outage(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    async with World(pipelines, spouts) as world:
        await many(world)
        pipelines.fail("heads", an_outage("DEADLINE_EXCEEDED: slow"))

        await world.poller.poll()

        assert world.poller.is_reached
        assert pipelines.calls["heads"] >= SPOUTS


async def test_heads_of_a_pipeline_that_somebody_else_has_taken_are_not_read(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        await many(world)
        pipelines.change(a_name("spout-0"), owner=an_owner(spout=a_key("another")))
        await world.ticks()
        await world.shows(a_key("spout-0"), reason="PipelineNotOwned")
        read = pipelines.calls["heads"]

        await world.poller.poll()

        assert pipelines.calls["heads"] - read == SPOUTS - 1


async def test_an_outage_is_over_when_all_looks_are_answered_and_is_told_once(
    pipelines: MemoryPipelines, spouts: MemorySpouts, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with World(pipelines, spouts) as world:
        await many(world)
        go_down_after_the_list(pipelines, times=3)
        await world.poller.poll()
        pipelines.fail("list", an_outage(), times=3)
        await world.poller.poll()
        assert world.poller.is_reached is False, "it goes on for a while"
        while not world.poller.is_reached:
            await world.poller.poll()

    told = [record.message for record in caplog.records if record.name == "spout_operator.controller.poller"]
    assert len(told) == 2, told
    assert "did not answer" in told[0]
    assert told[0].endswith("(UNAVAILABLE: down)")
    assert told[1] == "Pachyderm answers again"


def test_before_the_first_poll_nothing_is_known(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    poller = World(pipelines, spouts).poller

    assert (poller.last_move, poller.last_success, poller.is_reached, poller.version) == (None, None, None, None)


@pytest.mark.parametrize(
    ("took", "pause"),
    [
        pytest.param(3, 10, id="one that is quick does not shift the next"),
        pytest.param(15, 15, id="after one that took longer than the interval the next begins at once"),
    ],
)
async def test_polls_begin_an_interval_apart(spouts: MemorySpouts, took: float, pause: float) -> None:
    begins = []

    class Slow(MemoryPipelines):
        async def server(self) -> Server:
            begins.append(asyncio.get_running_loop().time())
            await asyncio.sleep(took)
            return await super().server()

    async with World(Slow(), spouts, poll_interval=10) as world:
        polling = asyncio.create_task(world.poller.run())
        await asyncio.sleep(70)
        polling.cancel()

    assert len(begins) > 4
    # The first one is made before there is an interval.
    assert {later - before for before, later in itertools.pairwise(begins[1:])} == {pause}


async def test_logs_that_are_due_at_one_poll_are_read_in_turns_and_cost_no_reconcile_where_they_tell_nothing_new(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        await many(world)
        await asyncio.sleep(1800)
        before, reads = world.reconciles, pipelines.calls["activity"]

        await world.poller.poll()
        await asyncio.sleep(AHEAD)

        assert pipelines.calls["activity"] - reads == SPOUTS
        assert world.reconciles == before


async def test_each_answer_is_a_move(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    async with World(pipelines, spouts) as world:
        await many(world)
        before = world.poller.last_move
        pipelines.hang("heads")
        tick = asyncio.create_task(world.poller.poll())
        await world.until("the list to be taken in", lambda: world.poller.last_move != before)
        pipelines.release("heads")
        await tick


async def test_whether_pachyderm_can_be_reached_is_known_before_there_is_a_spout(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        await world.begun()
        for _ in range(3):
            await world.poller.poll()

        assert world.poller.is_reached
        assert pipelines.calls == {"server": 1, "list": 1 + 3}


async def test_an_outage_is_over_also_where_no_spout_is_left(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    pipelines.fail("list", an_outage(), times=2)
    async with World(pipelines, spouts) as world:
        await world.begun()
        assert world.poller.is_reached is False
        for seen in (False, True):
            await world.poller.poll()
            assert world.poller.is_reached is seen


async def test_an_outage_does_not_last_for_the_slowest_repo(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    async with World(pipelines, spouts) as world:
        await many(world)
        pipelines.fail("list", an_outage())
        await world.poller.poll()
        assert world.poller.is_reached is False
        pipelines.answer_late("heads")
        pipelines.fail("heads", an_outage("DEADLINE_EXCEEDED: slow"), after=1)

        tick = asyncio.create_task(world.poller.poll())
        await world.until("the outage to be over", lambda: world.poller.is_reached)
        assert not tick.done()
        pipelines.release("heads")
        await tick


async def test_an_outage_that_goes_on_for_another_reason_is_told_anew(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        key = spouts.create(a_spout_body())
        await world.shows(key, reason="Starting")
        pipelines.fail("list", an_outage(), times=2)
        await world.ticks(2)
        await world.shows(key, ready="Unknown", reason="PachydermUnreachable", stalled=None)
        pipelines.fail("list", a_refusal("no token", Reason.UNAUTHORIZED), times=2)
        await world.ticks(2)

        await world.shows(key, reason="Unauthorized", stalled="True")


async def test_a_poll_without_the_lease_says_nothing_of_pachyderm(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    """A leader that was paused has no Lease until it is renewed."""
    may_ask = True

    def permit() -> float:
        if not may_ask:
            raise NotLeading("this replica no longer holds the Lease")
        return 10

    pipelines.permit = permit
    async with World(pipelines, spouts) as world:
        key = spouts.create(a_spout_body())
        before = await world.shows(key, reason="Starting")
        asked = pipelines.calls.total()
        may_ask = False
        for _ in range(3):
            await world.poller.poll()
        spouts.edit(key, description="another")
        await world.until("a look at the edit", lambda: world.outcomes("outdated") > 0)
        assert pipelines.calls.total() == asked
        assert spouts.status(key) == before
        may_ask = True

        await world.shows(key, version=2)
