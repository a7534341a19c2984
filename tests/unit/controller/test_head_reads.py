"""How fresh what is shown stays, and what that costs: whole hours on a clock that jumps."""

import asyncio
import itertools

import pytest

from spout_operator.controller.cache import SpoutCache
from spout_operator.controller.head_reads import HeadReads
from spout_operator.controller.observations import ObservationCache
from spout_operator.controller.poller import Poller
from spout_operator.controller.user_code import UserCode
from spout_operator.core.model import Heads, PipelineName, SpoutKey
from spout_operator.core.read_schedule import BUSY
from tests.builders import NOON, a_key, a_name, a_resource, a_spec, an_owner
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.unit.controller import virtual_time

TICK, BOUND = 10.0, 300.0
A_DAY = 86400.0


class Watched:
    """Spouts whose pipelines a poller watches; what it wants looked at is looked at at once, as a reconcile does."""

    def __init__(self, *names: str, quiet_for: float = 0, bound: float = BOUND) -> None:
        self.pachyderm = MemoryPipelines()
        self.seen: list[tuple[str, float]] = []
        """Which head moved, and when that was noticed."""
        self.noticed = asyncio.Event()
        self._heads = HeadReads(interval=TICK, quiet_interval=bound)
        self._last: dict[PipelineName, Heads] = {}
        cache = SpoutCache(lambda _: None)
        for name in map(a_name, names):
            cache.put(a_resource(name=name.name))
            self.pachyderm.make(name, a_spec(), an_owner(spout=a_key(name.name)))
            self._last[name] = self.pachyderm.heads_of(name)
            self._heads.note(name, self._last[name], quiet_for=quiet_for)
        self._poller = Poller(
            cache=cache,
            pachyderm=self.pachyderm,
            observations=ObservationCache(self._heads),
            user_code=UserCode(self.pachyderm, now=lambda: NOON),
            enqueue=self._look,
            enqueue_log=self._look,
            interval=TICK,
        )

    def _look(self, key: SpoutKey, *, after: float = 0) -> None:  # noqa: ARG002 - as `KeyedQueue.enqueue`
        name = a_name(key.name)
        heads = self.pachyderm.heads_of(name)
        self._heads.note(name, heads)
        if heads != self._last[name]:
            self._last[name] = heads
            self.seen.append((key.name, virtual_time.now()))
            self.noticed.set()

    async def polled(self, seconds: float) -> None:
        """Let so much time pass."""
        poller = asyncio.create_task(self._poller.run())
        await asyncio.sleep(seconds)
        poller.cancel()

    async def reads_in_each_minute(self, minutes: int) -> list[int]:
        """How often heads were read."""
        poller = asyncio.create_task(self._poller.run())
        counts = [self.pachyderm.calls["heads"]]
        for _ in range(minutes):
            await asyncio.sleep(60)
            counts.append(self.pachyderm.calls["heads"])
        poller.cancel()
        return [after - before for before, after in itertools.pairwise(counts)]


@pytest.mark.parametrize("every", [1.0, 10.0, 17.0, 33.0, 60.0, 79.0])
def test_the_commits_of_a_busy_spout_are_seen_in_less_than_two_ticks(every: float) -> None:
    async def scenario() -> list[float]:
        watched = Watched("busy")
        poller = asyncio.create_task(watched.polled(A_DAY))
        ages = []
        for _ in range(200):
            await asyncio.sleep(every)
            watched.pachyderm.commit(a_name("busy"))
            ages.append(virtual_time.now())
        await asyncio.sleep(2 * TICK)
        poller.cancel()
        noticed = [when for _, when in watched.seen]
        # Several commits between two reads are seen together.
        return [min(when for when in noticed if when >= made) - made for made in ages]

    assert max(virtual_time.run(scenario())) < 2 * TICK


@pytest.mark.parametrize("pause", [200.0, 600.0, 1200.0, 3600.0, A_DAY])
def test_a_commit_after_a_pause_is_seen_within_a_quarter_of_it_and_the_bound(pause: float) -> None:
    async def scenario() -> float:
        watched = Watched("rare")
        poller = asyncio.create_task(watched.polled(2 * A_DAY))
        await asyncio.sleep(pause)
        watched.pachyderm.commit(a_name("rare"))
        await asyncio.sleep(BOUND + TICK)
        poller.cancel()
        return watched.seen[0][1] - pause

    assert virtual_time.run(scenario()) <= min(pause / 4 + TICK, BOUND)


def test_a_spout_that_commits_after_a_long_pause_is_busy_again() -> None:
    async def scenario() -> float:
        watched = Watched("rare", quiet_for=A_DAY)
        poller = asyncio.create_task(watched.polled(A_DAY))
        watched.pachyderm.commit(a_name("rare"))
        await watched.noticed.wait()
        await asyncio.sleep(7 * TICK)
        made = virtual_time.now()
        watched.pachyderm.commit(a_name("rare"))
        await asyncio.sleep(BOUND)
        poller.cancel()
        return watched.seen[1][1] - made

    assert virtual_time.run(scenario()) < 2 * TICK


def test_after_a_change_of_the_pipeline_the_heads_are_read_at_each_poll_for_a_while() -> None:
    name, reads = a_name("rare"), HeadReads(interval=TICK, quiet_interval=BOUND)
    reads.note(name, Heads(), quiet_for=A_DAY)
    assert reads.begin_poll([name]) == []

    reads.note_change(name)

    for _ in range(BUSY - 1):
        assert reads.begin_poll([name]) == [name]
        reads.note(name, Heads())


@pytest.mark.parametrize("bound", [TICK, TICK / 2])
def test_a_bound_no_longer_than_the_time_between_two_polls_has_heads_read_at_each(bound: float) -> None:
    async def scenario() -> list[int]:
        return await Watched("quiet", quiet_for=A_DAY, bound=bound).reads_in_each_minute(5)

    assert set(virtual_time.run(scenario())[1:]) == {6}


def test_a_thousand_that_are_quiet_cost_a_thousand_reads_a_minute_falling_to_two_hundred() -> None:
    async def scenario() -> list[int]:
        watched = Watched(*(f"spout-{number}" for number in range(1000)))
        return await watched.reads_in_each_minute(40)

    reads = virtual_time.run(scenario())

    assert max(reads[2:]) <= 1000, reads
    assert 180 <= max(reads[-5:]) <= 220, reads


def test_quiet_spouts_stay_quiet_over_a_restart_and_are_not_read_all_at_once() -> None:
    async def scenario() -> list[int]:
        watched = Watched(*(f"spout-{number}" for number in range(1000)), quiet_for=A_DAY)
        return await watched.reads_in_each_minute(10)

    reads = virtual_time.run(scenario())

    assert max(reads) <= 240, reads
    assert sum(reads) == pytest.approx(2000, abs=60), "each one twice in two bounds"
