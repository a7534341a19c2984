"""The parts of the runtime put together: give it the two ports, tell it of Spouts, and let its tasks run."""

import asyncio
import datetime
from collections.abc import Callable, Collection, Mapping, Sequence

from spout_operator.blocking import BlockingCalls
from spout_operator.controller.cache import SpoutCache
from spout_operator.controller.controller import Controller
from spout_operator.controller.head_reads import HeadReads
from spout_operator.controller.observations import PipelineKnowledge
from spout_operator.controller.poller import LOOKS, Poller
from spout_operator.controller.queue import KeyedQueue
from spout_operator.controller.reconciler import Collaborators, Reconciler
from spout_operator.controller.resync import Sweep
from spout_operator.controller.status_writer import StatusWriter
from spout_operator.core.facts import Facts
from spout_operator.core.model import SpoutKey
from spout_operator.core.redaction import Secrets
from spout_operator.ports import Pachyderm, Spouts, Telemetry

#: Reconciles at a time; the looks of the poller come on top. pachd makes 45 pipelines a second however many are asked
#: for at once (docs/pachyderm-1.13.md).
RECONCILES = 8
#: Calls to the API server at a time, apart, so that a pachd that hangs does not keep statuses from being written.
KUBERNETES_CALLS = 4


class Engine:
    """Everything between the watch and the two ports. Made and used in one event loop."""

    def __init__(
        self,
        *,
        pachyderm: Pachyderm,
        spouts: Spouts,
        telemetry: Telemetry,
        address: str,
        cluster: str,
        poll_interval: float,
        quiet_interval: float,
        status_interval: float,
        now: Callable[[], datetime.datetime],
        namespaces: Sequence[str] = (),
    ) -> None:
        """Put the parts together.

        Args:
            pachyderm: the pipelines.
            spouts: the Spout resources.
            telemetry: told what happens.
            address: of Pachyderm, for statuses.
            cluster: the identity in the stamp of each pipeline.
            poll_interval: seconds between two looks at Pachyderm.
            quiet_interval: seconds, at most, between two looks at the heads of a spout that is quiet.
            status_interval: seconds, at least, between two status writes of one Spout.
            now: the time of day.
            namespaces: those that are watched; none for all.
        """
        self._calls = BlockingCalls("pachyderm", threads=RECONCILES + LOOKS)
        self._kubernetes_calls = BlockingCalls("kubernetes", threads=KUBERNETES_CALLS)
        knowledge = PipelineKnowledge(HeadReads(interval=poll_interval, quiet_interval=quiet_interval))

        def new_queue(name: str) -> KeyedQueue[SpoutKey]:
            return KeyedQueue(lambda seconds: telemetry.waited(name, seconds))

        self.queues: Mapping[str, KeyedQueue[SpoutKey]] = {name: new_queue(name) for name in ("reconcile", "status")}
        """What is due, by what for."""
        self._cache = cache = SpoutCache(wake=self.queues["reconcile"].add)
        self._statuses = StatusWriter(
            cache=cache,
            spouts=spouts,
            calls=self._kubernetes_calls,
            interval=status_interval,
            queue=self.queues["status"],
        )
        collaborators = Collaborators(
            cache=cache,
            pachyderm=pachyderm,
            spouts=spouts,
            statuses=self._statuses,
            telemetry=telemetry,
            knowledge=knowledge,
            calls=self._calls,
            kubernetes_calls=self._kubernetes_calls,
            address=address,
            cluster=cluster,
            now=now,
        )
        reconciler = Reconciler(collaborators, poll_interval=poll_interval)
        self._controller = Controller(
            cache=cache, reconciler=reconciler, queue=self.queues["reconcile"], may_reconcile=self._may_reconcile
        )
        self._has_begun = asyncio.Event()
        self.observe = self._controller.observe
        """To be told of every event of the watch."""
        self.poller = Poller(
            cache=cache,
            pachyderm=pachyderm,
            knowledge=knowledge,
            calls=self._calls,
            enqueue=self._controller.enqueue,
            interval=poll_interval,
        )
        self.sweep = Sweep(
            cache=cache,
            spouts=spouts,
            calls=self._kubernetes_calls,
            namespaces=tuple(namespaces) or (None,),
            enqueue=self._controller.enqueue,
        )

    def spouts(self) -> Collection[Facts]:
        """The Spouts as they are known."""
        return self._cache.all_facts()

    def secrets(self) -> Secrets:
        """What no log line may hold."""
        return self._cache.secrets()

    def start_workers(self) -> list[asyncio.Task[None]]:
        """Tasks that reconcile and write statuses, for ever. The poller and the sweep are started apart.

        They reconcile once the sweep knows of all Spouts: of two that name one pipeline, the older makes it. By then
        Pachyderm has been looked at once: what was listed need not be parsed again where a Spout asks for it.
        """
        return [
            asyncio.create_task(self._begin()),
            *(asyncio.create_task(self._reconcile()) for _ in range(RECONCILES)),
            *(asyncio.create_task(self._statuses.run()) for _ in range(KUBERNETES_CALLS)),
        ]

    async def poll(self) -> None:
        """Look at Pachyderm, tick by tick, for ever."""
        await self._has_begun.wait()
        await self.poller.run()

    async def _begin(self) -> None:
        """Look at Pachyderm for the first time, once the secrets are known that it could quote."""
        await self.sweep.synced.wait()
        await self.poller.tick()
        self._has_begun.set()
        # A task that ends would end the operator.
        await asyncio.Event().wait()

    async def _reconcile(self) -> None:
        await self._has_begun.wait()
        await self._controller.work()

    def _may_reconcile(self, key: SpoutKey) -> bool:
        """Whether all Spouts beside this one are known; one that is gone is only forgotten."""
        return self.sweep.knows_all_beside(key) or self._cache.facts(key) is None

    def close(self) -> None:
        """Drop what was planned, once the tasks have ended."""
        self._controller.close()
        self._statuses.close()
        self._calls.close()
        self._kubernetes_calls.close()

    async def ended(self) -> None:
        """Wait until no request is under way; after `close`. Each request has its deadline."""
        await asyncio.gather(self._calls.ended(), self._kubernetes_calls.ended())
