"""One operator process: told to stop, it stops, whatever it is doing, and leaves the Lease to the next."""

import asyncio
import datetime
from collections.abc import Callable, Collection, Iterator

import pytest

from spout_operator.config import Config, PachdAddress
from spout_operator.operating import Operator
from spout_operator.pachyderm.v1.backend import PachydermV1
from spout_operator.pachyderm.v1.client import Connection
from spout_operator.runtime.election import Election
from spout_operator.runtime.engine import Engine
from spout_operator.telemetry.metrics import Metrics
from tests.memory_pachd import MemoryPachd
from tests.unit.runtime.memory_leases import MemoryLeases
from tests.unit.runtime.memory_spouts import MemorySpouts


@pytest.fixture
def pachd() -> Iterator[MemoryPachd]:
    with MemoryPachd() as pachd:
        yield pachd


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


async def endless(observe: Callable[..., None], *, namespaces: Collection[str], ready: asyncio.Event) -> None:
    """A watch that is told of no signal."""
    assert callable(observe)
    assert not namespaces
    ready.set()
    await asyncio.Event().wait()


def operator(pachd: MemoryPachd, election: Election | None, metrics: Metrics) -> Operator:
    address = PachdAddress.parse(pachd.address)
    config = Config(
        pachd=address,
        namespaces=(),
        ca_file=None,
        token_file=None,
        poll_interval=10,
        status_interval=0,
        http_port=0,
        cluster_id="cluster-1",
        lease=None,
        spout_metrics_limit=1,
    )

    def new_engine() -> Engine:
        return Engine(
            pachyderm=PachydermV1(Connection(pachd=address, telemetry=metrics)),
            spouts=MemorySpouts(),
            telemetry=metrics,
            address=pachd.address,
            cluster="cluster-1",
            poll_interval=10,
            status_interval=0,
            now=now,
        )

    return Operator(config, new_engine=new_engine, watch=endless, election=election, metrics=metrics)


def leader(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("spout_operator_leader")


async def test_one_that_is_told_to_stop_before_it_watches_ends(pachd: MemoryPachd) -> None:
    stop = asyncio.Event()
    stop.set()

    async with asyncio.timeout(5):
        await operator(pachd, None, Metrics()).run(stop)


async def test_one_that_leads_and_is_told_to_stop_gives_up_the_lease(pachd: MemoryPachd) -> None:
    leases, metrics, stop = MemoryLeases(), Metrics(), asyncio.Event()
    election = Election(leases, name="ns/lease", identity="one", now=now, retry_period=0.005)
    running = asyncio.ensure_future(operator(pachd, election, metrics).run(stop))
    async with asyncio.timeout(5):
        while leader(metrics) != 1:  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.005)

        stop.set()
        await running

    assert leases.lease is not None
    assert leases.lease.holder == ""
    assert leader(metrics) == 0
