"""The whole runtime over the real adapter, an in-memory pachd and in-memory Spouts."""

import asyncio
import datetime
import time
from collections.abc import Callable, Collection
from types import TracebackType
from typing import Any, Self

from spout_operator.config import PachdAddress
from spout_operator.controller.controller import Controller
from spout_operator.controller.poller import Poller
from spout_operator.core.model import SpoutKey
from spout_operator.core.resource import SpoutResource
from spout_operator.pachyderm.v1.backend import PachydermV1
from spout_operator.pachyderm.v1.client import Connection
from spout_operator.ports import HandleEvent, Permit
from spout_operator.telemetry.metrics import Metrics
from spout_testbed.harness.spouts import summary
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
    """All parts of an operator that acts; the heads of all are read at each tick unless told otherwise."""
    connection = Connection(pachd=PachdAddress.parse(pachd.address), telemetry=metrics, permit=permit)
    return Controller(
        pachyderm=PachydermV1(connection),
        spouts=spouts,
        telemetry=metrics,
        address=pachd.address,
        cluster=cluster,
        poll_interval=poll_interval,
        quiet_interval=quiet_interval or poll_interval,
        status_interval=status_interval,
        now=now,
    )


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
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [*self._controller.start_workers(), asyncio.create_task(self._controller.resync.run())]
        watch(self.spouts, self._controller.handle_event)
        await asyncio.sleep(0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._controller.close()

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
        deadline = time.monotonic() + PATIENCE
        while not look():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {PATIENCE:g} s in vain for {what}; writes: {self.spouts.writes}")
            await asyncio.sleep(0.01)

    async def shows(self, key: SpoutKey, **wanted: Any) -> dict[str, Any]:
        """The status, once it is as wanted (see `spout_testbed.harness.spouts.summary`)."""

        def look() -> bool:
            seen = summary(self.spouts.status(key))
            return all(seen[name] == value for name, value in wanted.items())

        try:
            await self.until(f"{key} to show {wanted}", look)
        except AssertionError as error:
            raise AssertionError(f"{error}; it shows {self.spouts.status(key)}") from None
        return self.spouts.status(key)

    async def ticks(self, count: int = 1) -> None:
        """Let the poller come round, and what it finds be worked off."""
        for _ in range(count):
            await self.poller.poll()
            await self.rest()

    async def rest(self) -> None:
        """Wait until all that is due is done."""
        await self.until("all that is due to be done", self._is_at_rest)

    def _is_at_rest(self) -> bool:
        return all(queue.still_for == 0 for queue in self._controller.queues.values())
