"""The whole runtime over the real adapter, an in-memory pachd and in-memory Spouts."""

import asyncio
import datetime
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from spout_operator.config import PachdAddress
from spout_operator.core.model import SpoutKey
from spout_operator.pachyderm.v1.backend import PachydermV1
from spout_operator.pachyderm.v1.client import Connection
from spout_operator.runtime.engine import Engine
from spout_operator.telemetry.metrics import Metrics
from tests.memory_pachd import MemoryPachd
from tests.support.spouts import summary
from tests.unit.runtime.memory_spouts import MemorySpouts

CLUSTER = "cluster-1"
PATIENCE = 10.0


class World:
    """`async with World(pachd, spouts) as world`: an operator that runs. Ticks come when the test says so."""

    def __init__(self, pachd: MemoryPachd, spouts: MemorySpouts, *, status_interval: float = 0) -> None:
        self.pachd = pachd
        self.spouts = spouts
        self.metrics = Metrics()
        connection = Connection(pachd=PachdAddress.parse(pachd.address), telemetry=self.metrics)
        self._engine = Engine(
            pachyderm=PachydermV1(connection),
            spouts=spouts,
            telemetry=self.metrics,
            address=pachd.address,
            cluster=CLUSTER,
            poll_interval=0.2,
            status_interval=status_interval,
            now=lambda: datetime.datetime.now(datetime.UTC),
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._tasks = self._engine.start_workers()

        def tell(kind: str, body: dict[str, Any]) -> None:
            loop.call_soon_threadsafe(self._engine.observe, kind, body)

        self.spouts.watch(tell)
        await asyncio.sleep(0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._engine.close()

    async def until(self, what: str, look: Callable[[], object]) -> None:
        """Wait until `look()` is true."""
        deadline = time.monotonic() + PATIENCE
        while not look():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {PATIENCE:g} s in vain for {what}; writes: {self.spouts.writes}")
            await asyncio.sleep(0.01)

    async def shows(self, key: SpoutKey, **wanted: Any) -> dict[str, Any]:
        """The status, once it is as wanted (see `tests.support.spouts.summary`)."""

        def look() -> bool:
            seen = summary(self.spouts.status(key))
            return all(seen[name] == value for name, value in wanted.items())

        try:
            await self.until(f"{key} to show {wanted}", look)
        except AssertionError as error:
            raise AssertionError(f"{error}; it shows {self.spouts.status(key)}") from None
        return self.spouts.status(key)

    async def ticks(self, count: int = 1) -> None:
        """Let the poller come round."""
        for _ in range(count):
            await self._engine.poller.tick()
            await asyncio.sleep(0.05)
