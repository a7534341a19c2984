"""The queue: a key is there once, with one worker at a time, now or later. The back-off: ever longer, within bounds."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spout_operator.controller.queue import Backoff, KeyedQueue
from tests.unit.controller.virtual_time import now, run

Queue = KeyedQueue[str]
#: Longer than any delay in these tests.
LONG = 1000.0
#: More keys than are taken in any test.
MANY = 1000


async def drain(queue: Queue) -> list[tuple[str, float]]:
    """Handle whatever comes, at once; returns the keys, each with the time it was taken at."""
    taken = []
    try:
        async with asyncio.timeout(LONG):
            while True:
                key = await queue.take()
                taken.append((key, now()))
                assert len(taken) < MANY, f"keys come back without end, such as {key!r}"
                queue.done(key)
    except TimeoutError:
        return taken


@dataclass(frozen=True)
class Plan:
    """What is added, as (key, delay), and what is taken, as (key, time)."""

    reason: str
    added: tuple[tuple[str, float], ...]
    taken: list[tuple[str, float]]


PLANS = [
    Plan("nothing was added", (), []),
    Plan("keys are taken in the order in which they came", (("b", 0), ("a", 0)), [("b", 0), ("a", 0)]),
    Plan("a key that waits already is there once", (("a", 0), ("b", 0), ("a", 0)), [("a", 0), ("b", 0)]),
    Plan("a delayed key is taken when it is due", (("a", 5),), [("a", 5)]),
    Plan("fractions of a second are a delay too", (("a", 0.5),), [("a", 0.5)]),
    Plan("a delay holds up nobody else", (("a", 5), ("b", 0)), [("b", 0), ("a", 5)]),
    Plan("delayed keys are taken in the order in which they are due", (("a", 5), ("b", 3)), [("b", 3), ("a", 5)]),
    Plan("of two delays the sooner one counts", (("a", 5), ("a", 3)), [("a", 3)]),
    Plan("in whatever order they come", (("a", 3), ("a", 5)), [("a", 3)]),
    Plan("at once is sooner than any delay, which is dropped", (("a", 5), ("a", 0)), [("a", 0)]),
    Plan("a delay of nothing or less is at once", (("a", -1),), [("a", 0)]),
]


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.reason)
def test_an_enqueued_key_is_taken(plan: Plan) -> None:
    async def scenario() -> list[tuple[str, float]]:
        queue = Queue()
        for key, after in plan.added:
            queue.enqueue(key, after=after)
        return await drain(queue)

    assert run(scenario()) == plan.taken, plan.reason


def scenario_test(scenario: Callable[[Queue], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """A test that runs in its own time, with a queue of its own."""

    def test() -> None:
        async def with_queue() -> None:
            await scenario(Queue())

        run(with_queue())

    return test


@scenario_test
async def test_a_key_that_is_handled_is_not_taken_by_a_second_worker(queue: Queue) -> None:
    queue.enqueue("a")
    await queue.take()

    queue.enqueue("a")
    queue.enqueue("b")

    assert await drain(queue) == [("b", 0)]


@scenario_test
async def test_a_key_added_while_it_is_handled_is_handled_once_more_afterwards(queue: Queue) -> None:
    queue.enqueue("a")
    key = await queue.take()
    queue.enqueue("a")
    queue.enqueue("a")

    queue.done(key)

    assert await drain(queue) == [("a", 0)]


@scenario_test
async def test_a_key_that_was_handled_is_not_taken_again(queue: Queue) -> None:
    queue.enqueue("a")
    queue.done(await queue.take())

    assert await drain(queue) == []


@scenario_test
async def test_a_key_can_be_added_again_after_it_was_handled(queue: Queue) -> None:
    queue.enqueue("a")
    queue.done(await queue.take())

    queue.enqueue("a")

    assert await drain(queue) == [("a", 0)]


@scenario_test
async def test_a_delay_that_ends_while_the_key_is_handled_waits_for_the_worker(queue: Queue) -> None:
    queue.enqueue("a")
    key = await queue.take()
    queue.enqueue("a", after=5)
    async with asyncio.TaskGroup() as tasks:
        other = tasks.create_task(asyncio.wait_for(asyncio.shield(queue.take()), timeout=20))
        asyncio.get_running_loop().call_later(10, queue.done, key)

    assert (other.result(), now()) == ("a", 10)


@scenario_test
async def test_a_worker_that_waits_is_woken_when_a_key_comes(queue: Queue) -> None:
    asyncio.get_running_loop().call_later(7, queue.enqueue, "a")

    assert await drain(queue) == [("a", 7)]


@scenario_test
async def test_a_worker_that_gives_up_loses_no_key(queue: Queue) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.take(), timeout=1)

    queue.enqueue("a")

    assert await drain(queue) == [("a", 1)]


@scenario_test
async def test_a_forgotten_key_is_not_handled_later(queue: Queue) -> None:
    queue.enqueue("a", after=5)
    queue.enqueue("b", after=5)

    queue.forget("a")

    assert await drain(queue) == [("b", 5)]


@scenario_test
async def test_a_forgotten_key_can_be_planned_anew_for_later_than_before(queue: Queue) -> None:
    queue.enqueue("a", after=5)
    queue.forget("a")

    queue.enqueue("a", after=9)

    assert await drain(queue) == [("a", 9)]


@scenario_test
async def test_forgetting_what_is_not_known_is_no_error(queue: Queue) -> None:
    queue.forget("a")

    assert await drain(queue) == []


@scenario_test
async def test_after_close_nothing_that_was_planned_comes(queue: Queue) -> None:
    queue.enqueue("a", after=5)
    queue.enqueue("b", after=6)

    queue.close()

    assert await drain(queue) == []


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9), st.booleans()), max_size=15), st.integers(1, 3))
def test_no_key_is_lost_or_handled_twice_at_once(additions: list[tuple[str, int, bool]], workers: int) -> None:
    handled: dict[str, float] = {}
    busy: set[str] = set()

    async def work(queue: Queue) -> None:
        while True:
            key = await queue.take()
            assert key not in busy, "one worker at a time"
            busy.add(key)
            handled[key] = now()
            # Virtual: handling takes its time, so that keys are added meanwhile.
            await _pass(2)
            busy.remove(key)
            queue.done(key)

    async def scenario() -> None:
        queue = Queue()
        crew = [asyncio.ensure_future(work(queue)) for _ in range(workers)]
        for key, after, pause in additions:
            queue.enqueue(key, after=after)
            wanted[key] = max(wanted.get(key, 0), now())
            if pause:
                await _pass(1)
        await _pass(LONG)
        for worker in crew:
            assert not worker.done()
            worker.cancel()
        await asyncio.gather(*crew, return_exceptions=True)

    wanted: dict[str, float] = {}
    run(scenario())

    assert handled.keys() == wanted.keys(), "each is handled"
    assert all(handled[key] >= wanted[key] for key in wanted), "after it was last asked for"


async def _pass(seconds: float) -> None:
    """Let virtual time pass."""
    passed = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, passed.set)
    await passed.wait()


@scenario_test
async def test_a_queue_that_is_empty_stands_not_still(queue: Queue) -> None:
    await _pass(LONG)

    assert (queue.still_for, queue.oldest_wait) == (0, 0)


@scenario_test
async def test_a_key_that_no_worker_takes_stands_still_from_when_it_is_due(queue: Queue) -> None:
    queue.enqueue("a", after=30)
    await _pass(100)

    assert (queue.still_for, queue.oldest_wait) == (70, 70)


@scenario_test
async def test_a_worker_that_is_long_at_one_key_stands_still_though_others_are_handled(queue: Queue) -> None:
    queue.enqueue("a")
    assert await queue.take() == "a"
    await _pass(60)
    queue.enqueue("b")
    queue.done(await queue.take())

    assert (queue.still_for, queue.oldest_wait) == (60, 0)


@scenario_test
async def test_a_queue_that_is_long_but_moves_does_not_stand_still(queue: Queue) -> None:
    for key in "abcdefgh":
        queue.enqueue(key)
    for _ in range(5):
        key = await queue.take()
        await _pass(100)
        queue.done(key)
    await _pass(10)

    assert (queue.still_for, queue.oldest_wait) == (10, 510)


def test_delays_double_up_to_the_longest() -> None:
    backoff: Backoff[str] = Backoff(first=1, most=60)

    delays = [backoff.next("a") for _ in range(8)]

    for delay, full in zip(delays, [1, 2, 4, 8, 16, 32, 60, 60], strict=True):
        assert full * 3 / 4 <= delay <= full, "the last quarter is at random"


def test_delays_of_many_are_spread() -> None:
    backoff: Backoff[int] = Backoff(first=1, most=60)

    delays = {backoff.next(key) for key in range(1000)}

    assert len(delays) > 900, "else they would all come back at once"
    assert min(delays) < 0.78, "over the whole of the last quarter"
    assert max(delays) > 0.97, "over the whole of the last quarter"


def test_each_key_has_its_own_delay() -> None:
    backoff: Backoff[str] = Backoff(first=1, most=60)
    for _ in range(5):
        backoff.next("a")

    assert backoff.next("b") <= 1


def test_a_key_that_is_well_again_begins_anew() -> None:
    backoff: Backoff[str] = Backoff(first=1, most=60)
    for _ in range(5):
        backoff.next("a")

    backoff.reset("a")

    assert backoff.next("a") <= 1


def test_resetting_what_never_failed_is_no_error() -> None:
    backoff: Backoff[str] = Backoff(first=1, most=60)

    backoff.reset("a")

    assert backoff.next("a") <= 1


def test_a_thousand_failures_are_no_overflow() -> None:
    backoff: Backoff[str] = Backoff(first=1, most=60)

    assert max(backoff.next("a") for _ in range(2000)) <= 60


def test_how_long_each_key_was_due_is_told_when_it_is_taken() -> None:
    async def scenario() -> None:
        waits: list[float] = []
        queue = Queue(waited=waits.append)
        queue.enqueue("a")
        await _pass(2)
        queue.enqueue("b")
        await _pass(3)
        for _ in range(2):
            queue.done(await queue.take())
        queue.enqueue("a", after=7)
        queue.done(await queue.take())

        assert waits == [5, 3, 0]

    run(scenario())


@scenario_test
async def test_a_key_that_is_due_from_the_beginning_stands_still_from_then_on(queue: Queue) -> None:
    queue.enqueue("a")
    assert queue.depth == 1
    await _pass(100)

    assert (queue.still_for, queue.oldest_wait, queue.depth) == (100, 100, 1)
