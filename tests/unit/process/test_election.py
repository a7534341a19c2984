"""Of several replicas one acts; it stops in time, and what it leaves is taken at once."""

import asyncio
import dataclasses
import datetime
import time
from collections.abc import Callable

import pytest

from spout_operator.core.errors import NotLeading
from spout_operator.core.lease import DURATION, RENEW_DEADLINE
from spout_operator.process.election import JITTER, Election, boot_time, jittered
from spout_testbed.waiting import eventually_async
from tests.fakes.memory_leases import MemoryLeases, MemoryLeasesPort


class Clock:
    """The machine's clock, as one replica sees it; a test lets time pass."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def replica(leases: MemoryLeases, name: str, clock: Clock) -> Election:
    return Election(
        MemoryLeasesPort(leases),
        name="ns/lease",
        identity=name,
        now=lambda: datetime.datetime.now(datetime.UTC),
        clock=clock,
        retry_period=0.005,
    )


@pytest.fixture
def leases() -> MemoryLeases:
    return MemoryLeases()


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_a_single_replica_leads_at_once(leases: MemoryLeases, clock: Clock) -> None:
    one = replica(leases, "one", clock)
    with pytest.raises(NotLeading):
        one.permit()

    await one.acquire()

    assert one.is_leading
    assert one.permit() == RENEW_DEADLINE


async def test_the_lease_counts_from_the_beginning_of_the_request(leases: MemoryLeases, clock: Clock) -> None:
    """Others measure from when the server took it; an answer that is long on its way must not prolong it."""
    one = replica(leases, "one", clock)
    leases.may_write.clear()
    taking = asyncio.ensure_future(one.acquire())
    await until(leases.writing.is_set)

    clock.now += 3
    leases.may_write.set()
    await taking

    assert one.permit() == RENEW_DEADLINE - 3


async def test_the_second_waits_until_the_lease_has_not_changed_for_as_long_as_it_lasts(
    leases: MemoryLeases, clock: Clock
) -> None:
    other = Clock()
    other.now = -5e6
    one, two = replica(leases, "one", clock), replica(leases, "two", other)
    await one.acquire()
    waiting = asyncio.ensure_future(two.acquire())
    await until(lambda: two.trouble is None)

    other.now += DURATION - 1
    looks = leases.reads
    await until(lambda: leases.reads > looks + 1)
    assert not waiting.done()
    assert two.holder == "one"
    other.now += 1
    await waiting

    assert two.is_leading
    assert leases.lease is not None
    assert leases.lease.transitions == 1


async def test_the_holder_renews_and_so_goes_on_leading(leases: MemoryLeases, clock: Clock) -> None:
    one = replica(leases, "one", clock)
    await one.acquire()

    async def pass_time() -> None:
        for _ in range(10):
            renewals = len(leases.writes)
            clock.now += RENEW_DEADLINE / 2
            await until(lambda renewals=renewals: len(leases.writes) > renewals + 1)  # type: ignore[misc] # a default that binds

    holding = asyncio.ensure_future(one.hold())
    await pass_time()
    assert one.is_leading
    await ended(holding)


async def test_a_holder_that_cannot_renew_may_not_act_when_the_deadline_has_passed(
    leases: MemoryLeases, clock: Clock
) -> None:
    one = replica(leases, "one", clock)
    await one.acquire()
    leases.is_down = True
    holding = asyncio.ensure_future(one.hold())
    await until(lambda: one.trouble is not None)
    assert one.is_leading, "a request that failed once is tried again"

    clock.now += RENEW_DEADLINE

    with pytest.raises(NotLeading, match="ns/lease"):
        await holding
    with pytest.raises(NotLeading):
        one.permit()


async def test_a_paused_leader_may_not_act_before_it_has_renewed(leases: MemoryLeases, clock: Clock) -> None:
    other = Clock()
    one, two = replica(leases, "one", clock), replica(leases, "two", other)
    await one.acquire()
    taking = asyncio.ensure_future(two.acquire())
    await until(lambda: two.trouble is None)
    clock.now += 30
    other.now += 30
    await taking

    with pytest.raises(NotLeading):
        one.permit()
    with pytest.raises(NotLeading):
        await one.hold()
    assert leases.writes == ["one", "two"], "it has written nothing any more"


async def test_a_paused_leader_whose_lease_nobody_took_goes_on(leases: MemoryLeases, clock: Clock) -> None:
    one = replica(leases, "one", clock)
    await one.acquire()
    clock.now += 30
    with pytest.raises(NotLeading):
        one.permit()

    holding = asyncio.ensure_future(one.hold())
    await until(lambda: one.is_leading)
    await ended(holding)


async def test_a_renewal_whose_answer_was_lost_does_not_end_it(leases: MemoryLeases, clock: Clock) -> None:
    one = replica(leases, "one", clock)
    await one.acquire()
    leases.loses_answers = True
    holding = asyncio.ensure_future(one.hold())
    await until(lambda: len(leases.writes) >= 2)
    leases.loses_answers = False
    renewals = len(leases.writes)

    await until(lambda: len(leases.writes) > renewals + 1)

    assert one.is_leading
    await ended(holding)


async def test_a_released_lease_is_taken_without_waiting(leases: MemoryLeases, clock: Clock) -> None:
    one, two = replica(leases, "one", clock), replica(leases, "two", clock)
    await one.acquire()

    await one.release()
    await two.acquire()

    assert not one.is_leading
    assert leases.writes == ["one", "", "two"]


async def test_a_release_that_meets_a_renewal_under_way_is_made_all_the_same(
    leases: MemoryLeases, clock: Clock
) -> None:
    one = replica(leases, "one", clock)
    await one.acquire()
    assert leases.lease is not None
    # The renewal of a task that was ended: the server has taken it, and nobody waits for the answer.
    leases.write(leases.lease)

    await one.release()

    assert leases.writes[-1] == ""


async def test_a_replica_that_is_told_to_end_while_it_takes_the_lease_gives_it_up(
    leases: MemoryLeases, clock: Clock
) -> None:
    one = replica(leases, "one", clock)
    leases.may_write.clear()
    taking = asyncio.ensure_future(one.acquire())
    await until(leases.writing.is_set)
    await ended(taking)

    releasing = asyncio.ensure_future(one.release())
    leases.may_write.set()
    await releasing

    assert leases.writes == ["one", ""]


async def test_a_replica_does_not_release_the_lease_of_another(leases: MemoryLeases, clock: Clock) -> None:
    one, two = replica(leases, "one", clock), replica(leases, "two", clock)
    await one.acquire()
    await two.release()

    assert leases.writes == ["one"]


async def test_a_lease_is_written_with_the_time_of_day(leases: MemoryLeases, clock: Clock) -> None:
    one = replica(leases, "one", clock)

    await one.acquire()
    assert leases.lease is not None
    taken = leases.lease.renewed
    assert taken is not None
    assert leases.lease.acquired == taken

    await one.release()
    released = leases.lease.renewed
    assert released is not None
    assert released >= taken


async def test_the_permit_lasts_to_the_deadline_itself(leases: MemoryLeases, clock: Clock) -> None:
    one = replica(leases, "one", clock)
    await one.acquire()

    clock.now += RENEW_DEADLINE - 0.5
    assert one.permit() == 0.5
    clock.now += 0.5
    with pytest.raises(NotLeading):
        one.permit()


async def test_a_replica_on_a_machine_that_has_just_started_leads_only_by_the_lease(leases: MemoryLeases) -> None:
    """The clock counts from the machine's start, so a small number is a time of day like any other."""
    clock = Clock()
    clock.now = 0.5
    one, two = replica(leases, "one", clock), replica(leases, "two", clock)
    assert not one.is_leading

    await one.acquire()
    waiting = asyncio.ensure_future(two.acquire())
    await until(lambda: two.trouble is None)
    assert not two.is_leading
    await ended(waiting)

    await one.release()
    assert not one.is_leading


async def test_a_holder_renews_without_reading_the_lease_again(leases: MemoryLeases, clock: Clock) -> None:
    one = replica(leases, "one", clock)
    await one.acquire()

    holding = asyncio.ensure_future(one.hold())
    await until(lambda: len(leases.writes) > 3)

    assert leases.reads == 1
    await ended(holding)


async def test_a_holder_renews_in_time_though_its_next_try_is_later(leases: MemoryLeases, clock: Clock) -> None:
    one = Election(
        MemoryLeasesPort(leases),
        name="ns/lease",
        identity="one",
        now=lambda: datetime.datetime.now(datetime.UTC),
        clock=clock,
        retry_period=600,
    )
    await one.acquire()
    clock.now += RENEW_DEADLINE

    holding = asyncio.ensure_future(one.hold())
    await until(lambda: one.is_leading)

    await ended(holding)


async def test_a_replica_that_gets_no_answer_does_not_lead(leases: MemoryLeases, clock: Clock) -> None:
    one = replica(leases, "one", clock)
    assert one.trouble == "the Lease has not been read yet"
    leases.is_down = True

    taking = asyncio.ensure_future(one.acquire())
    await until(lambda: leases.reads > 2)

    assert not taking.done()
    assert one.trouble == "nobody answers"
    await ended(taking)


async def test_of_two_that_write_at_once_the_later_one_does_not_lead(leases: MemoryLeases, clock: Clock) -> None:
    other = replica(leases, "other", clock)
    await other.acquire()
    await other.release()
    one = replica(leases, "one", clock)
    leases.writing.clear()
    leases.may_write.clear()
    taking = asyncio.ensure_future(one.acquire())
    await until(leases.writing.is_set)
    assert leases.lease is not None
    leases.lease = dataclasses.replace(leases.lease, holder="quicker", duration=DURATION, version="99")

    leases.may_write.set()
    reads = leases.reads
    await until(lambda: leases.reads > reads + 1)

    assert not taking.done()
    assert one.holder == "quicker"
    await ended(taking)


async def test_a_replica_that_has_never_asked_for_the_lease_has_nothing_to_release(
    leases: MemoryLeases, clock: Clock
) -> None:
    await replica(leases, "one", clock).release()

    assert leases.reads == 0


async def test_a_leader_that_has_lost_the_lease_does_not_release_its_successors(
    leases: MemoryLeases, clock: Clock
) -> None:
    other = Clock()
    one, two = replica(leases, "one", clock), replica(leases, "two", other)
    await one.acquire()
    taking = asyncio.ensure_future(two.acquire())
    await until(lambda: two.trouble is None)
    other.now += DURATION
    await taking

    await one.release()

    assert leases.writes == ["one", "two"]


async def test_a_replica_that_has_released_the_lease_reads_it_before_it_writes_again(
    leases: MemoryLeases, clock: Clock
) -> None:
    one = replica(leases, "one", clock)
    await one.acquire()
    await one.release()

    await one.acquire()

    assert leases.reads == 2


async def test_a_replica_tells_for_how_long_it_has_not_tried(leases: MemoryLeases, clock: Clock) -> None:
    one = replica(leases, "one", clock)
    clock.now += 7
    assert one.silent_for == 7

    await one.acquire()
    assert one.silent_for == 0
    clock.now += 2
    assert one.silent_for == 2


def test_the_time_between_two_tries_is_shorter_by_up_to_a_tenth() -> None:
    waits = [jittered(2.0) for _ in range(200)]

    assert min(waits) >= 2.0 * (1 - JITTER)
    assert max(waits) <= 2.0
    assert len(set(waits)) > 1


def test_the_clock_counts_from_the_start_of_the_machine() -> None:
    before = time.clock_gettime(time.CLOCK_BOOTTIME)

    assert before <= boot_time() <= time.clock_gettime(time.CLOCK_BOOTTIME)


async def until(look: Callable[[], bool]) -> None:
    await eventually_async(look, what="what the other replica does", seconds=10, interval=0.001)


async def ended(task: "asyncio.Future[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
