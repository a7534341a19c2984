"""The controller: give it the two ports, tell it of Spouts, and let its tasks run."""

import asyncio
import datetime
import functools
from collections.abc import Callable, Collection, Mapping, Sequence

from spout_operator.controller.cache import SpoutCache
from spout_operator.controller.deletion import Deletion
from spout_operator.controller.events import EventRecorder
from spout_operator.controller.finalizers import Finalizers
from spout_operator.controller.head_reads import HeadReads
from spout_operator.controller.log_reads import LogReads
from spout_operator.controller.observations import ObservationCache
from spout_operator.controller.pipelines import Pipelines
from spout_operator.controller.policy import PolicyInForce
from spout_operator.controller.poller import Poller
from spout_operator.controller.progress import Progress
from spout_operator.controller.queue import KeyedQueue
from spout_operator.controller.reconciler import Reconciler
from spout_operator.controller.resync import Resync
from spout_operator.controller.status_events import StatusEvents
from spout_operator.controller.status_updates import StatusUpdates
from spout_operator.controller.status_writer import StatusWriter
from spout_operator.controller.user_code import UserCode
from spout_operator.core.facts import Facts
from spout_operator.core.model import SpoutKey
from spout_operator.core.policy import Policy
from spout_operator.core.redaction import Secrets
from spout_operator.core.resource import SpoutResource
from spout_operator.ports import Events, Pachyderm, Spouts, Telemetry

#: Reconciles at a time; the reads of the poller come on top. pachd makes 45 pipelines a second however many are asked
#: for at once (docs/pachyderm-1.13.md).
RECONCILES = 8
#: Status writes at a time.
STATUS_WRITES = 4


class Controller:
    """Whatever happens to a Spout or its pipeline, in the end the Spout is reconciled. Used in one event loop."""

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
        namespaces: Sequence[str],
        events: Events | None,
        policy: Policy,
        user_log_lines: int,
    ) -> None:
        """Put the parts together.

        Args:
            pachyderm: the pipelines.
            spouts: the Spout resources.
            telemetry: told what happens.
            address: of Pachyderm, for statuses.
            cluster: the identity of this cluster in the owner annotations of each pipeline.
            poll_interval: seconds between two polls of Pachyderm.
            quiet_interval: seconds, at most, between two reads of the heads of a spout that is quiet.
            status_interval: seconds, at least, between two status writes of one Spout.
            now: the time of day.
            namespaces: those that are watched; none for all.
            events: where Kubernetes Events of the Spouts are written; None where nobody wants them.
            policy: what Spouts may ask for.
            user_log_lines: last lines of user code that does not run, to be shown in its Spout's status; 0 for none.
        """
        self._pachyderm = pachyderm
        self._spouts = spouts
        self.queues: Mapping[str, KeyedQueue[SpoutKey]] = {
            name: KeyedQueue(functools.partial(telemetry.waited, name)) for name in ("reconcile", "status", "log")
        }
        """By name: the Spouts to be reconciled, those whose status is to be written, those whose log is to be read."""
        self._queue = self.queues["reconcile"]
        self._cache = cache = SpoutCache(enqueue=self._queue.enqueue)
        self._recorder = recorder = EventRecorder(events, telemetry=telemetry, address=address, now=now)
        self._writer = StatusWriter(
            cache=cache,
            spouts=spouts,
            interval=status_interval,
            queue=self.queues["status"],
            events=StatusEvents(recorder),
        )
        observations = ObservationCache(HeadReads(interval=poll_interval, quiet_interval=quiet_interval))
        self._policy = PolicyInForce(policy, telemetry)
        pipelines = Pipelines(pachyderm, observations, recorder, self._policy)
        finalizers = Finalizers(cache=cache, spouts=spouts)
        user_code = UserCode(pachyderm, now=now, last_lines=user_log_lines)
        self._reconciler = Reconciler(
            cache=cache,
            pipelines=pipelines,
            policy=self._policy,
            progress=Progress(pachyderm, heads=observations.heads, now=now),
            user_code=user_code,
            finalizers=finalizers,
            deletion=Deletion(pachyderm=pachyderm, observations=observations, finalizers=finalizers, recorder=recorder),
            writer=self._writer,
            statuses=StatusUpdates(writer=self._writer, address=address, now=now),
            observations=observations,
            telemetry=telemetry,
            cluster=cluster,
            poll_interval=poll_interval,
        )
        self.poller = Poller(
            cache=cache,
            pachyderm=pachyderm,
            observations=observations,
            user_code=user_code,
            enqueue=self._queue.enqueue,
            enqueue_log=self.queues["log"].enqueue,
            interval=poll_interval,
        )
        self._log_reads = LogReads(
            queue=self.queues["log"], cache=cache, user_code=user_code, enqueue=self._queue.enqueue
        )
        self.resync = Resync(
            cache=cache, spouts=spouts, namespaces=tuple(namespaces) or (None,), enqueue=self._queue.enqueue
        )
        self._has_begun = asyncio.Event()

    def handle_event(self, event_type: str | None, resource: SpoutResource) -> None:
        """Take in an event of the watch; one that changes only the status (mostly our own writes) enqueues nothing."""
        if event_type == "DELETED":
            self._cache.drop(resource.key, uid=resource.uid)
        else:
            self._cache.put(resource)

    def apply_policy(self, policy: Policy) -> None:
        """Put another policy in force: each Spout is reconciled under it."""
        self._policy.in_force = policy
        for facts in self._cache.all_facts():
            self._queue.enqueue(facts.key)

    def spouts(self) -> Collection[Facts]:
        """The Spouts as they are known."""
        return self._cache.all_facts()

    def secrets(self) -> Secrets:
        """What no log line may hold."""
        return self._cache.secrets()

    def start_workers(self) -> list[asyncio.Task[None]]:
        """Tasks that reconcile, write statuses and read logs, for ever; `poll` and `resync.run` are started apart.

        They reconcile once the resync knows of all Spouts: of two that name one pipeline, the older makes it. By then
        Pachyderm has been polled once: a pipeline that was listed need not be parsed again where a Spout asks for it.
        """
        return [
            asyncio.create_task(self._begin()),
            *(asyncio.create_task(self._work()) for _ in range(RECONCILES)),
            *(asyncio.create_task(self._writer.run()) for _ in range(STATUS_WRITES)),
            asyncio.create_task(self._log_reads.run()),
            asyncio.create_task(self._recorder.run()),
        ]

    async def poll(self) -> None:
        """Poll Pachyderm, for ever."""
        await self._has_begun.wait()
        await self.poller.run()

    async def _begin(self) -> None:
        """Poll Pachyderm for the first time, once the secrets are known that it could quote."""
        await self.resync.synced.wait()
        await self.poller.poll()
        self._has_begun.set()
        # A task that ends would end the operator.
        await asyncio.Event().wait()

    async def _work(self) -> None:
        """Reconcile one key after the other, for ever. Several may run at once."""
        await self._has_begun.wait()
        await self._queue.work(self._reconcile)

    async def _reconcile(self, key: SpoutKey) -> float | None:
        # One that may not be reconciled yet is enqueued when it may.
        return await self._reconciler.reconcile(key) if self._may_reconcile(key) else None

    def _may_reconcile(self, key: SpoutKey) -> bool:
        """Whether all Spouts beside this one are known; one that is gone is only forgotten."""
        return self.resync.knows_all_beside(key) or self._cache.facts(key) is None

    def close(self) -> None:
        """Drop what was planned, once the tasks have ended."""
        self._queue.close()
        self._writer.close()
        self._log_reads.close()
        self._pachyderm.close()
        self._spouts.close()
        self._recorder.close()

    async def ended(self) -> None:
        """Wait until no request is under way; after `close`. Each request has its deadline."""
        await asyncio.gather(self._pachyderm.ended(), self._spouts.ended(), self._recorder.ended())
