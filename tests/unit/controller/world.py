"""The whole controller over the ports in memory: Pachyderm's pipelines, and the Spouts of a cluster."""

import asyncio
import datetime
from collections.abc import Callable, Collection, Sequence
from types import TracebackType
from typing import Any, Self

from spout_operator.controller.controller import Controller
from spout_operator.controller.poller import Poller
from spout_operator.core.model import SpoutKey
from spout_operator.core.policy import RESTRICTED, Policy
from spout_operator.core.resource import SpoutResource
from spout_operator.ports import Events, HandleEvent, Pachyderm, Result
from spout_operator.telemetry.metrics import Metrics
from spout_testbed.harness.spouts import summary
from tests.builders import NOON
from tests.fakes.memory_pipelines import ADDRESS, MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts

CLUSTER = "cluster-1"
#: Seconds, all of them of the loop: how long a test waits, how often it looks, and what the operator takes for the
#: time between two polls, though polls come when the test says so.
PATIENCE, STEP, TICK = 10.0, 0.01, 0.05


def now() -> datetime.datetime:
    """The time of day: noon when the loop's time is 0."""
    return NOON + datetime.timedelta(seconds=asyncio.get_running_loop().time())


def a_controller(
    pachyderm: Pachyderm,
    spouts: MemorySpouts,
    metrics: Metrics,
    *,
    cluster: str = CLUSTER,
    poll_interval: float = 10,
    quiet_interval: float = 300,
    status_interval: float = 0,
    namespaces: Sequence[str] = (),
    policy: Policy = RESTRICTED,
    events: Events | None = None,
    user_log_lines: int = 0,
) -> Controller:
    """A controller that does not run yet."""
    return Controller(
        pachyderm=pachyderm,
        spouts=spouts,
        telemetry=metrics,
        address=ADDRESS,
        cluster=cluster,
        poll_interval=poll_interval,
        quiet_interval=quiet_interval,
        status_interval=status_interval,
        now=now,
        namespaces=namespaces,
        policy=policy,
        events=events,
        user_log_lines=user_log_lines,
    )


def watch(spouts: MemorySpouts, handle_event: HandleEvent) -> None:
    """Have the running event loop told of every Spout, a moment after it has changed."""
    loop = asyncio.get_running_loop()

    def tell(kind: str, body: dict[str, Any]) -> None:
        loop.call_soon(handle_event, kind, SpoutResource.from_body(body))

    spouts.watch(tell)


class World:
    """`async with World(pipelines, spouts) as world`: an operator that runs. It polls once, then as the test says.

    Without `quiet_ticks` it reads the heads of all pipelines at each poll.
    """

    def __init__(
        self,
        pipelines: MemoryPipelines,
        spouts: MemorySpouts,
        *,
        quiet_ticks: int = 1,
        poll_interval: float = TICK,
        status_interval: float = 0,
        cluster: str = CLUSTER,
        namespaces: Sequence[str] = (),
        policy: Policy = RESTRICTED,
        events: Events | None = None,
        user_log_lines: int = 0,
    ) -> None:
        self.pipelines = pipelines
        self.spouts = spouts
        self.metrics = Metrics()
        self.controller = a_controller(
            pipelines,
            spouts,
            self.metrics,
            cluster=cluster,
            poll_interval=poll_interval,
            quiet_interval=poll_interval * quiet_ticks,
            status_interval=status_interval,
            namespaces=namespaces,
            policy=policy,
            events=events,
            user_log_lines=user_log_lines,
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [*self.controller.start_workers(), asyncio.create_task(self.controller.resync.run())]
        watch(self.spouts, self.controller.handle_event)
        await asyncio.sleep(0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.controller.close()

    @property
    def poller(self) -> Poller:
        """Ticks when the test says so."""
        return self.controller.poller

    def outcomes(self, result: str) -> float:
        """How many looks at a Spout ended so."""
        found = self.metrics.registry.get_sample_value("spout_operator_reconciles_total", {"result": result})
        return found or 0.0

    @property
    def reconciles(self) -> int:
        """How many reconciles have ended."""
        return sum(int(self.outcomes(result)) for result in Result)

    @property
    def known(self) -> Collection[SpoutKey]:
        """The Spouts that the operator knows of."""
        return [spout.key for spout in self.controller.spouts()]

    async def until(self, what: str, look: Callable[[], object], *, details: Callable[[], str] = str) -> None:
        """Wait until `look()` is true."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE
        while not look():
            says = f"waited {PATIENCE:g} s in vain for {what}\nwrites: {self.spouts.writes}"
            assert loop.time() < deadline, f"{says}\n{details()}".rstrip()
            await asyncio.sleep(STEP)

    async def begun(self) -> None:
        """Wait for the first poll, before which nothing is reconciled."""
        await self.until("the first poll", lambda: self.poller.is_reached is not None)
        await self.rest()

    async def shows(self, key: SpoutKey, **wanted: Any) -> dict[str, Any]:
        """The status, once it is as wanted (see `spout_testbed.harness.spouts.summary`)."""

        def look() -> bool:
            seen = summary(self.spouts.status(key))
            return all(seen[name] == value for name, value in wanted.items())

        await self.until(f"{key} to show {wanted}", look, details=lambda: f"it shows {self.spouts.status(key)}")
        return self.spouts.status(key)

    async def settles(self, key: SpoutKey) -> dict[str, Any]:
        """The status, once the Spout is ready, or a person has to act."""

        def look() -> bool:
            seen = summary(self.spouts.status(key))
            return "True" in {seen["ready"], seen["stalled"]}

        await self.until(f"{key} to be ready or stalled", look, details=lambda: f"it shows {self.spouts.status(key)}")
        return self.spouts.status(key)

    async def ticks(self, count: int = 1) -> None:
        """Let the poller come round, and what it finds be worked off."""
        for _ in range(count):
            await self.poller.poll()
            await self.rest()

    async def rest(self) -> None:
        """Wait until all that is due is done."""
        # The loop's time goes on only when nothing is left to do at once; what is under way then is waiting.
        await asyncio.sleep(STEP)
        await self.until("all that is due to be done", self._is_at_rest)

    def _is_at_rest(self) -> bool:
        return all(queue.still_for == 0 for queue in self.controller.queues.values())
