"""Builds a whole operator process over the ports in memory."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from spout_operator.config import Config, PachdAddress
from spout_operator.controller.controller import Controller
from spout_operator.ports import HandleEvent
from spout_operator.process.election import Election
from spout_operator.process.manager import Operator
from spout_operator.telemetry.metrics import Metrics
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import CLUSTER, a_controller, now, watch


@dataclass(kw_only=True)
class MemoryInformer:
    """The port `Informer` over in-memory Spouts."""

    spouts: MemorySpouts
    trouble: str | None = None

    async def run(self, handle_event: HandleEvent) -> None:
        if self.trouble is None:
            watch(self.spouts, handle_event)
        await asyncio.Event().wait()

    def troubles(self) -> Mapping[str | None, str | None]:
        return {None: self.trouble}


@dataclass(kw_only=True)
class Process:
    """One operator, and what it is made of."""

    pipelines: MemoryPipelines = field(default_factory=lambda: MemoryPipelines(now=now))
    spouts: MemorySpouts = field(default_factory=MemorySpouts)
    election: Election | None = None
    http_port: int = 0
    informer: MemoryInformer = field(init=False)
    metrics: Metrics = field(default_factory=Metrics)
    controllers: list[Controller] = field(default_factory=list)
    """The one that acts, from when it leads."""

    def __post_init__(self) -> None:
        self.informer = MemoryInformer(spouts=self.spouts)

    def operator(self) -> Operator:
        """The operator, not running yet."""
        config = Config(
            pachd=PachdAddress.parse("grpc://memory:650"),
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

        def new_controller() -> Controller:
            controller = a_controller(self.pipelines, self.spouts, self.metrics)
            self.controllers.append(controller)
            return controller

        return Operator(
            config,
            new_controller=new_controller,
            informer=self.informer,
            election=self.election,
            metrics=self.metrics,
        )
