"""One operator process: told to stop, it stops, whatever it is doing, and leaves the Lease to the next."""

import asyncio
import subprocess
import sys

from spout_operator.process.election import Election
from spout_operator.telemetry.metrics import Metrics
from tests.fakes.memory_leases import MemoryLeases, MemoryLeasesPort
from tests.unit.controller.world import now
from tests.unit.process.processes import Process


def leader(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("spout_operator_leader")


async def test_a_process_that_is_told_to_stop_before_it_watches_ends() -> None:
    stop = asyncio.Event()
    stop.set()

    async with asyncio.timeout(5):
        await Process().operator().run(stop)


async def test_a_leader_that_is_told_to_stop_gives_up_the_lease() -> None:
    leases, stop = MemoryLeases(), asyncio.Event()
    election = Election(MemoryLeasesPort(leases), name="ns/lease", identity="one", now=now, retry_period=0.005)
    process = Process(election=election)
    running = asyncio.ensure_future(process.operator().run(stop))
    async with asyncio.timeout(5):
        while leader(process.metrics) != 1:  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.005)

        stop.set()
        await running

    assert leases.lease is not None
    assert leases.lease.holder == ""
    assert leader(process.metrics) == 0


def test_a_part_that_does_not_stop_is_left_behind_in_time() -> None:
    program = """
import asyncio
import logging
from spout_operator.assembly import end_in_time

async def main() -> None:
    end_in_time(asyncio.Event(), grace=0.1)
    await asyncio.Event().wait()

logging.basicConfig()
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30)  # noqa: S603 - ours

    assert done.returncode == 1
    assert "a part of the operator has not stopped within 0 s; the process ends without it" in done.stderr
