"""The whole controller over the real adapter, an in-memory pachd and in-memory Spouts."""

import asyncio
import contextlib
import datetime
from collections.abc import AsyncIterator, Callable, Collection
from types import TracebackType
from typing import Any, Self

from spout_operator.config import PachdAddress
from spout_operator.controller.controller import Controller
from spout_operator.controller.poller import Poller
from spout_operator.core.model import SpoutKey
from spout_operator.core.resource import SpoutResource
from spout_operator.pachyderm.connection import Connection
from spout_operator.pachyderm.v1.backend import PachydermV1
from spout_operator.ports import HandleEvent, Pachyderm, Permit
from spout_operator.telemetry.metrics import Metrics
from spout_testbed.harness.spouts import summary
from spout_testbed.waiting import eventually_async
from tests.fakes.memory_spouts import MemorySpouts
from tests.memory_pachd import MemoryPachd

CLUSTER = "cluster-1"
PATIENCE = 10.0
#: Seconds; the operator is told so, though ticks come when the test says so.
TICK = 0.05


def a_controller(
    pachd: MemoryPachd,
    spouts: MemorySpouts,
    metrics: Metrics,
    *,
    poll_interval: float,
    quiet_interval: float | None = None,
    status_interval: float = 0,
    permit: Permit | None = None,
    cluster: str = CLUSTER,
) -> Controller:
    """A controller over the real adapter; it reads the heads of all at each poll unless told otherwise."""
    connection = Connection(pachd=PachdAddress.parse(pachd.address), telemetry=metrics, permit=permit)
    return controller_over(
        PachydermV1(connection),
        spouts,
        metrics,
        address=pachd.address,
        cluster=cluster,
        poll_interval=poll_interval,
        quiet_interval=quiet_interval or poll_interval,
        status_interval=status_interval,
    )


def controller_over(
    pachyderm: Pachyderm,
    spouts: MemorySpouts,
    metrics: Metrics,
    *,
    address: str = "memory",
    cluster: str = CLUSTER,
    poll_interval: float = 10,
    quiet_interval: float = 300,
    status_interval: float = 0,
) -> Controller:
    """A controller over any adapter."""
    return Controller(
        pachyderm=pachyderm,
        spouts=spouts,
        telemetry=metrics,
        address=address,
        cluster=cluster,
        poll_interval=poll_interval,
        quiet_interval=quiet_interval,
        status_interval=status_interval,
        now=now,
    )


@contextlib.asynccontextmanager
async def running(controller: Controller, spouts: MemorySpouts) -> AsyncIterator[None]:
    """Let a controller run, and tell it of the Spouts. It polls Pachyderm once; further polls are the test's."""
    tasks = [*controller.start_workers(), asyncio.create_task(controller.resync.run())]
    try:
        watch(spouts, controller.handle_event)
        await asyncio.sleep(0)
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        controller.close()


def watch(spouts: MemorySpouts, handle_event: HandleEvent) -> None:
    """Have the running event loop told of every Spout, from whatever thread it is changed in."""
    loop = asyncio.get_running_loop()

    def tell(kind: str, body: dict[str, Any]) -> None:
        loop.call_soon_threadsafe(handle_event, kind, SpoutResource.from_body(body))

    spouts.watch(tell)


def now() -> datetime.datetime:
    """The wall clock."""
    return datetime.datetime.now(datetime.UTC)


class World:
    """`async with World(pachd, spouts) as world`: an operator that runs. Ticks come when the test says so."""

    def __init__(
        self,
        pachd: MemoryPachd,
        spouts: MemorySpouts,
        *,
        quiet_ticks: int = 1,
        status_interval: float = 0,
        permit: Permit | None = None,
        cluster: str = CLUSTER,
    ) -> None:
        self.pachd = pachd
        self.spouts = spouts
        self.metrics = Metrics()
        self._controller = a_controller(
            pachd,
            spouts,
            self.metrics,
            poll_interval=TICK,
            quiet_interval=TICK * quiet_ticks,
            status_interval=status_interval,
            permit=permit,
            cluster=cluster,
        )
        self._running = running(self._controller, self.spouts)

    async def __aenter__(self) -> Self:
        await self._running.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._running.__aexit__(kind, error, trace)

    @property
    def poller(self) -> Poller:
        """Ticks when the test says so."""
        return self._controller.poller

    def outcomes(self, result: str) -> float:
        """How many looks at a Spout ended so."""
        found = self.metrics.registry.get_sample_value("spout_operator_reconciles_total", {"result": result})
        return found or 0.0

    @property
    def known(self) -> Collection[SpoutKey]:
        """The Spouts that the operator knows of."""
        return [spout.key for spout in self._controller.spouts()]

    async def begun(self) -> None:
        """Wait for the first poll, before which nothing is reconciled."""
        await self.until("the first poll", lambda: self.poller.is_reached is not None)
        await self.rest()

    async def until(self, what: str, look: Callable[[], object]) -> None:
        """Wait until `look()` is true."""
        await eventually_async(look, what=what, seconds=PATIENCE, interval=0.01, details=self._details)

    async def shows(self, key: SpoutKey, **wanted: Any) -> dict[str, Any]:
        """The status, once it is as wanted (see `spout_testbed.harness.spouts.summary`)."""

        def look() -> bool:
            seen = summary(self.spouts.status(key))
            return all(seen[name] == value for name, value in wanted.items())

        def details() -> str:
            return f"{self._details()}; it shows {self.spouts.status(key)}"

        what = f"{key} to show {wanted}"
        await eventually_async(look, what=what, seconds=PATIENCE, interval=0.01, details=details)
        return self.spouts.status(key)

    async def ticks(self, count: int = 1) -> None:
        """Let the poller come round, and what it finds be worked off."""
        for _ in range(count):
            await self.poller.poll()
            await self.rest()

    async def rest(self) -> None:
        """Wait until all that is due is done."""
        await self.until("all that is due to be done", self._is_at_rest)

    def _details(self) -> str:
        return f"writes: {self.spouts.writes}"

    def _is_at_rest(self) -> bool:
        return all(queue.still_for == 0 for queue in self._controller.queues.values())
