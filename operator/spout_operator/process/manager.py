"""One operator process from its start to its end: it waits until it leads, acts, and leaves nothing under way."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager

from spout_operator.config import CommandError, Config
from spout_operator.controller.controller import Controller
from spout_operator.core.policy import Policy
from spout_operator.ports import Informer
from spout_operator.process.election import Election
from spout_operator.process.policy_file import PolicyFile
from spout_operator.telemetry import health
from spout_operator.telemetry.collector import StateCollector
from spout_operator.telemetry.metrics import Metrics

logger = logging.getLogger(__name__)

#: Seconds after which a part that has not come round is stuck: each request has a deadline of 15 s, and a reconcile
#: makes up to a dozen.
STUCK_AFTER = 300.0
#: Seconds in which a replica tries several times to get or to renew the Lease.
SILENT_AFTER = 60.0
#: Seconds for the requests under way to end before the Lease is given up.
LAST_REQUESTS = 5.0


class PortError(CommandError):
    """The HTTP port cannot be listened on."""


class Operator:
    """All parts of one process; `run` runs them until it is told to stop."""

    def __init__(
        self,
        config: Config,
        *,
        new_controller: Callable[[], Controller],
        informer: Informer,
        election: Election | None,
        metrics: Metrics,
        policy_file: PolicyFile | None = None,
    ) -> None:
        """Start nothing yet.

        Args:
            config: the settings.
            new_controller: makes the controller, in the event loop, once this replica leads.
            informer: the source of events.
            election: None where nobody else runs.
            metrics: what is served at /metrics.
            policy_file: None where the policy does not change.
        """
        self._config = config
        self._new_controller = new_controller
        self._informer = informer
        self._election = election
        self._metrics = metrics
        self._policy_file = policy_file
        if policy_file is not None:
            metrics.tell_policy_file(lambda: policy_file.trouble is None)
        self._controller: Controller | None = None
        self._acts_since = 0.0
        metrics.leader.set_function(lambda: float(self._controller is not None and self._may_act()))

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop`.

        Raises:
            NotLeading: the Lease was lost.
            PortError: the port cannot be had.
            NothingListedError: for minutes nothing could be told of any Spout.
        """
        async with self._served(), self._policy_watched():
            if self._election is None or await self._wait_to_lead(self._election, stop):
                await self._act(stop)

    async def _wait_to_lead(self, election: Election, stop: asyncio.Event) -> bool:
        """Whether this replica leads; False where it was told to stop before."""
        logger.info("waits for the Lease %s", self._config.lease)
        leading, stopping = asyncio.create_task(election.acquire()), asyncio.create_task(stop.wait())
        await asyncio.wait({leading, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (leading, stopping):
            task.cancel()
        results = await asyncio.gather(leading, stopping, return_exceptions=True)
        if stop.is_set():
            await election.release()
            election.close()
            return False
        if isinstance(results[0], BaseException):
            raise results[0]
        return True

    @asynccontextmanager
    async def _policy_watched(self) -> AsyncIterator[None]:
        """Also while this replica waits, so that it takes over with the policy of that moment."""
        if self._policy_file is None:
            yield
            return
        watch = asyncio.create_task(self._policy_file.watch(self._apply_policy))
        try:
            yield
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    def _apply_policy(self, policy: Policy) -> None:
        if self._controller is not None:
            self._controller.apply_policy(policy)

    async def _act(self, stop: asyncio.Event) -> None:
        """Run all parts. One that ends by itself ends the others: a restart mends more than a limp."""
        controller = self._controller = self._new_controller()
        self._acts_since = asyncio.get_running_loop().time()
        self._metrics.registry.register(
            StateCollector(controller, limit=self._config.spout_metrics_limit, watch_troubles=self._watch_troubles)
        )
        parts: list[asyncio.Task[object]] = [*controller.start_workers()]
        parts += [
            asyncio.create_task(part)
            for part in (
                controller.poll(),
                controller.resync.run(),
                self._informer.run(controller.handle_event),
                self._tell_ready(controller),
                stop.wait(),
            )
        ]
        if self._election is not None:
            parts.append(asyncio.create_task(self._election.hold()))
        done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        for part in parts:
            part.cancel()
        await asyncio.gather(*parts, return_exceptions=True)
        await self._end(controller)
        for task in done:
            task.result()

    async def _end(self, controller: Controller) -> None:
        """Leave nothing under way, then the Lease: who takes it next must not meet a request of this replica's."""
        controller.close()
        try:
            await asyncio.wait_for(controller.ended(), LAST_REQUESTS)
        except TimeoutError:
            logger.warning("requests are still under way after %.0f s; the Lease is left to run out", LAST_REQUESTS)
            return
        if self._election is not None:
            await self._election.release()
            self._election.close()

    async def _tell_ready(self, controller: Controller) -> None:
        await controller.resync.synced.wait()
        logger.info("ready: watching Spouts, Pachyderm at %s", self._config.pachd.url)
        await asyncio.Event().wait()

    @asynccontextmanager
    async def _served(self) -> AsyncIterator[None]:
        if self._config.http_port == 0:
            yield
            return
        port = self._config.http_port
        try:
            runner = await health.serve(port, live=self._live, ready=self._ready, registry=self._metrics.registry)
        except OSError as error:
            raise PortError(
                f"cannot listen on the port {port} ({error.strerror}); name one that is free with --http-port"
            ) from error
        try:
            yield
        finally:
            await runner.cleanup()

    def _may_act(self) -> bool:
        return self._election is None or self._election.is_leading

    def _live(self) -> Iterable[health.Check]:
        """Whether the loops move."""
        if self._election is not None:
            silent = self._election.silent_for
            yield "lease", f"no try to get or renew it for {silent:.0f} s" if silent > SILENT_AFTER else None
        if self._policy_file is not None and self._policy_file.last_read is not None:
            silent = asyncio.get_running_loop().time() - self._policy_file.last_read
            yield "policy", f"its file was not read for {silent:.0f} s" if silent > SILENT_AFTER else None
        controller = self._controller
        if controller is None:
            return
        late = asyncio.get_running_loop().time() - (controller.poller.last_move or self._acts_since)
        is_late = late > STUCK_AFTER + self._config.poll_interval
        yield "poller", f"Pachyderm was not polled for {late:.0f} s" if is_late else None
        for name, queue in controller.queues.items():
            still = queue.still_for
            wrong = f"nothing has moved, or one Spout is worked on, for {still:.0f} s"
            yield f"queue {name}", wrong if still > STUCK_AFTER else None
        # Of a namespace that cannot be watched it is told in /readyz: a restart would only cost the others.
        unwatched = {namespace for namespace, trouble in self._watch_troubles().items() if trouble is not None}
        overdue = sorted(str(key) for key in controller.resync.overdue if unwatched.isdisjoint({None, key.namespace}))
        yield "watch", f"it has not shown changes of: {', '.join(overdue[:5])}" if overdue else None

    def _ready(self) -> Iterable[health.Check]:
        """What is missing. One that waits is ready: to take over, and for the rollout that waits for it."""
        if self._election is not None:
            leads = "leading" if self._may_act() else f"{self._election.holder or 'nobody'} leads"
            yield f"lease ({leads})", self._election.trouble
        controller = self._controller
        if controller is None:
            return
        for namespace, trouble in self._watch_troubles().items():
            yield f"watch {namespace}" if namespace is not None else "watch", trouble
        yield "spouts", None if controller.resync.synced.is_set() else "not all Spouts of the first list are known yet"

    def _watch_troubles(self) -> Mapping[str | None, str | None]:
        """By namespace: why its Spouts are not watched, None where they are."""
        listed = self._controller.resync.troubles if self._controller is not None else {}
        return {namespace: trouble or listed.get(namespace) for namespace, trouble in self._informer.troubles().items()}
