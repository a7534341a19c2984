"""Builds a whole operator process over the real adapter, an in-memory pachd and in-memory Spouts."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from spout_operator.config import Config, PachdAddress
from spout_operator.controller.engine import Engine
from spout_operator.ports import Observe
from spout_operator.process.election import Election
from spout_operator.process.manager import Operator
from spout_operator.telemetry.metrics import Metrics
from tests.fakes.memory_spouts import MemorySpouts
from tests.memory_pachd import MemoryPachd
from tests.unit.runtime.world import CLUSTER, an_engine, watch


@dataclass(kw_only=True)
class MemoryInformer:
    """The port `Informer` over in-memory Spouts."""

    spouts: MemorySpouts
    trouble: str | None = None

    async def run(self, observe: Observe) -> None:
        if self.trouble is None:
            watch(self.spouts, observe)
        await asyncio.Event().wait()

    def troubles(self) -> Mapping[str | None, str | None]:
        return {None: self.trouble}


@dataclass(kw_only=True)
class Process:
    """One operator, and what it is made of."""

    pachd: MemoryPachd
    spouts: MemorySpouts = field(default_factory=MemorySpouts)
    election: Election | None = None
    http_port: int = 0
    informer: MemoryInformer = field(init=False)
    metrics: Metrics = field(default_factory=Metrics)
    engines: list[Engine] = field(default_factory=list)
    """The one that acts, from when it leads."""

    def __post_init__(self) -> None:
        self.informer = MemoryInformer(spouts=self.spouts)

    def operator(self) -> Operator:
        """The operator, not running yet."""
        config = Config(
            pachd=PachdAddress.parse(self.pachd.address),
            namespaces=(),
            ca_file=None,
            token_file=None,
            poll_interval=10,
            quiet_interval=300,
            status_interval=0,
            http_port=self.http_port,
            cluster_id=CLUSTER,
            lease=None,
            spout_metrics_limit=1,
        )

        def new_engine() -> Engine:
            engine = an_engine(self.pachd, self.spouts, self.metrics, poll_interval=10)
            self.engines.append(engine)
            return engine

        return Operator(
            config,
            new_engine=new_engine,
            informer=self.informer,
            election=self.election,
            metrics=self.metrics,
        )
