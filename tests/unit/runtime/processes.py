"""Builds a whole operator process over the real adapter, an in-memory pachd and in-memory Spouts."""

import asyncio
import datetime
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from spout_operator.config import Config, PachdAddress
from spout_operator.operating import Operator
from spout_operator.pachyderm.v1.backend import PachydermV1
from spout_operator.pachyderm.v1.client import Connection
from spout_operator.runtime.election import Election
from spout_operator.runtime.engine import Engine
from spout_operator.telemetry.metrics import Metrics
from tests.memory_pachd import MemoryPachd
from tests.unit.runtime.memory_spouts import MemorySpouts


@dataclass(kw_only=True)
class Process:
    """One operator, and what it is made of."""

    pachd: MemoryPachd
    spouts: MemorySpouts = field(default_factory=MemorySpouts)
    election: Election | None = None
    http_port: int = 0
    metrics: Metrics = field(default_factory=Metrics)
    engines: list[Engine] = field(default_factory=list)
    """The one that acts, from when it leads."""

    def operator(self) -> Operator:
        """The operator, not running yet."""
        address = PachdAddress.parse(self.pachd.address)
        config = Config(
            pachd=address,
            namespaces=(),
            ca_file=None,
            token_file=None,
            poll_interval=10,
            status_interval=0,
            http_port=self.http_port,
            cluster_id="cluster-1",
            lease=None,
            spout_metrics_limit=1,
        )

        def new_engine() -> Engine:
            engine = Engine(
                pachyderm=PachydermV1(Connection(pachd=address, telemetry=self.metrics)),
                spouts=self.spouts,
                telemetry=self.metrics,
                address=self.pachd.address,
                cluster="cluster-1",
                poll_interval=10,
                status_interval=0,
                now=now,
            )
            self.engines.append(engine)
            return engine

        return Operator(config, new_engine=new_engine, watch=self._watch, election=self.election, metrics=self.metrics)

    async def _watch(self, observe: Callable[..., None], *, namespaces: Collection[str], ready: asyncio.Event) -> None:
        """A watch that is told of no signal, and ends only with its task."""
        assert not namespaces
        loop = asyncio.get_running_loop()

        def tell(kind: str, body: dict[str, Any]) -> None:
            loop.call_soon_threadsafe(observe, kind, body)

        self.spouts.watch(tell)
        ready.set()
        await asyncio.Event().wait()


def now() -> datetime.datetime:
    """The wall clock."""
    return datetime.datetime.now(datetime.UTC)
