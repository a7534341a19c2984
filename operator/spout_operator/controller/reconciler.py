"""The one level-triggered reconciler: it reads what is wanted and what is there, and makes them equal."""

import logging

from spout_operator.controller.cache import SpoutCache
from spout_operator.controller.deletion import Deletion
from spout_operator.controller.finalizers import FINALIZER, Finalizers
from spout_operator.controller.observations import ObservationCache
from spout_operator.controller.pipelines import Pipelines
from spout_operator.controller.policy import PolicyInForce
from spout_operator.controller.progress import Progress, Reading
from spout_operator.controller.requeue import FIRST_RETRY, Requeue
from spout_operator.controller.status_updates import StatusUpdates
from spout_operator.controller.status_writer import StatusWriter
from spout_operator.controller.user_code import UserCode
from spout_operator.core import events
from spout_operator.core.decision import Action, Decision, Situation, decide
from spout_operator.core.errors import Failure, NotLeading, Outdated, Retryable, SpoutError
from spout_operator.core.model import Owner, Pipeline, PipelineState, Spout, SpoutKey
from spout_operator.core.reasons import Reason
from spout_operator.core.resource import SpoutResource
from spout_operator.core.server import Server
from spout_operator.core.spec import parsing
from spout_operator.core.status import conditions, health
from spout_operator.core.status.build import StatusInputs, last_seen
from spout_operator.core.status.health import Health
from spout_operator.ports import Outcome, Result, Telemetry

logger = logging.getLogger(__name__)

#: Create, stop, and an observation of the result: no chain of steps is longer, so more is a defect and backs off.
MOST_STEPS = 4
#: Not reconciled to an end: the pipeline is not this Spout's, so what the status says of one is dropped.
_NOT_OURS = frozenset({Reason.PIPELINE_NOT_OWNED, Reason.PIPELINE_CONFLICT, Reason.ADOPTION_RESTARTS})


class Reconciler:
    """Reconciles one Spout; several may be under way at once, one at a time per key (`controller.queue`)."""

    def __init__(
        self,
        *,
        cache: SpoutCache,
        pipelines: Pipelines,
        policy: PolicyInForce,
        progress: Progress,
        user_code: UserCode,
        finalizers: Finalizers,
        deletion: Deletion,
        writer: StatusWriter,
        statuses: StatusUpdates,
        observations: ObservationCache,
        telemetry: Telemetry,
        cluster: str,
        poll_interval: float,
    ) -> None:
        """Reconcile nothing yet.

        Args:
            cache: the informer cache.
            pipelines: observes and changes pipelines.
            policy: counts what it refuses.
            progress: reads commits and markers.
            user_code: tells whether the user code runs.
            finalizers: writes the operator's finalizer.
            deletion: sees to the pipeline of a deleted Spout.
            writer: holds the newest status of each Spout.
            statuses: makes statuses.
            observations: what is known of Pachyderm without asking.
            telemetry: told of each reconcile.
            cluster: the identity of this cluster in the owner annotations of each pipeline.
            poll_interval: seconds between two polls of Pachyderm.
        """
        self._cache = cache
        self._pipelines = pipelines
        self._policy = policy
        self._progress = progress
        self._user_code = user_code
        self._finalizers = finalizers
        self._writer = writer
        self._statuses = statuses
        self._observations = observations
        self._telemetry = telemetry
        self._cluster = cluster
        self._requeue = Requeue(poll_interval=poll_interval)
        self._deletion = deletion

    async def reconcile(self, key: SpoutKey) -> float | None:
        """Make one Spout what it asks to be.

        Returns:
            Seconds until it is to be reconciled again; None where a change will tell.
        """
        with self._telemetry.reconciling(key) as outcome:
            resource = self._cache.get(key)
            if resource is None:
                outcome.result = Result.GONE
                self._forget(key)
                return None
            try:
                return await self._reconcile(resource, outcome)
            except NotLeading as error:
                # Nothing was asked, so there is nothing to tell: the process ends, or has the Lease again.
                outcome.result = Result.OUTDATED
                logger.debug("Spout %s: %s", key, error.message)
                return FIRST_RETRY
            except Outdated as error:
                outcome.result = Result.OUTDATED
                logger.debug("Spout %s: %s", key, error.message)
                return self._requeue.conflict.next(key)
            except SpoutError as error:
                return self._fail(resource, Failure.of(error), outcome)
            except Exception:
                # The boundary: one Spout's defect must not end the operator for the others.
                logger.exception("Spout %s: unexpected error", key)
                message = "an unexpected error inside the operator; see its log"
                return self._fail(resource, Failure.of(Retryable(Reason.INTERNAL_ERROR, message)), outcome)

    async def _reconcile(self, resource: SpoutResource, outcome: Outcome) -> float | None:
        if resource.deletion_timestamp is not None:
            await self._deletion.finalize(resource, self._owner(resource.key))
            self._forget(resource.key)
            outcome.result = Result.GONE
            return None
        is_new = FINALIZER not in resource.finalizers
        # It has to be there before anything is written to Pachyderm.
        held = await self._hold(resource) if is_new else resource
        if held is None:
            outcome.result = Result.GONE
            return None
        spout = parsing.parse_spout(held)
        if self._observations.outage is not None:
            return self._fail(held, self._observations.outage, outcome)
        return await self._converge(held, spout, outcome, is_new=is_new)

    async def _converge(self, resource: SpoutResource, spout: Spout, outcome: Outcome, *, is_new: bool) -> float | None:
        """Observe, decide, update the status, act: step by step until nothing is left to do.

        The truth always comes from the next observation, never from what a write was answered.
        """
        for _ in range(MOST_STEPS):
            server = await self._pipelines.server()
            observed, is_fresh = await self._pipelines.observe(spout.pipeline_name)

            situation = self._situation(spout, server, observed)
            self._policy.count(resource, self._writer.current(resource.key), situation.denials)
            decision = decide(situation)

            if decision.action is Action.NONE and observed is not None:
                self._pipelines.forget(resource.key)
                reading, after = await self._update_status(resource, situation.spout, server, decision, observed)
                await self._pipelines.finish(observed.name, reading.left_open)
                self._requeue.failure.reset(resource.key)
                after = _sooner(self._requeue_after(resource.key, observed, reading), after)
                outcome.result = _result(decision, after)
                return after
            if not is_fresh:
                # Good enough to do nothing; but what is written to has to be ours now, not at the last poll.
                self._observations.forget(spout.pipeline_name)
                continue
            await self._pipelines.check(decision, situation.spout)
            is_made_anew = decision.action is Action.CREATE and not is_new
            # The watch does not tell of a Spout that vanished while it was interrupted.
            if is_made_anew and not await self._finalizers.read_again(resource.key, uid=resource.uid):
                outcome.result = Result.GONE
                return None
            in_progress = conditions.of_decision(decision, None)
            self._statuses.submit(resource, in_progress, forgets=decision.action is Action.CREATE)

            await self._pipelines.act(decision, situation, resource)
        raise Retryable(
            Reason.PACHYDERM_ERROR,
            f"the pipeline {spout.pipeline_name!r} is not as asked for after {MOST_STEPS} steps; it is tried again",
        )

    def _situation(self, spout: Spout, server: Server, observed: Pipeline | None) -> Situation:
        older = self._cache.older_claim(spout.key, counts=self._policy.allows_claim)
        return self._pipelines.situation(
            spout,
            self._owner(spout.key),
            server=server,
            last_seen=last_seen(self._writer.current(spout.key)),
            observed=observed,
            older_claim=str(older) if older is not None else None,
        )

    async def _update_status(
        self, resource: SpoutResource, spout: Spout, server: Server, decision: Decision, observed: Pipeline
    ) -> tuple[Reading, float | None]:
        """Read how far the spout has come and whether its user code runs, and submit the whole status.

        Returns:
            How far it is; and the seconds until its user code is looked at again, or its newest commit is too old.
            None where the poller will tell.
        """
        secrets = self._statuses.secrets(resource, observed)
        shown = self._writer.current(resource.key)

        async def look() -> tuple[Reading, Health | None, float | None]:
            reading = await self._progress.read(spout, shown, secrets)
            return reading, *await self._user_code.health(observed, shown, reading.committed_at, secrets)

        reading, user_code, after = await look()
        if not reading.is_new and user_code is not None and user_code.ready != health.TRUE:
            # Where the log tells of trouble, a commit that nobody has seen yet can prove that the code runs again.
            self._observations.heads.doubt(observed.name)
            reading, user_code, after = await look()
        inputs = StatusInputs(
            conditions=conditions.of_decision(decision, health.of_pipeline(observed, user_code)),
            server=server,
            spout=spout,
            pipeline=observed,
            commits=reading.commits,
            marker=reading.marker,
        )
        resumed = (
            events.of_silence(reading.silence, reading.commits.total, max_commit_age=spout.freshness.max_commit_age)
            if reading.commits
            else None
        )
        status = self._statuses.submit_all(resource, inputs, secrets, resumed)
        return reading, _sooner(after, self._statuses.commit_due_in(spout, status))

    def _requeue_after(self, key: SpoutKey, observed: Pipeline, reading: Reading) -> float | None:
        """Seconds until a pipeline that is as asked for is observed again; None where the poller will tell."""
        is_settled = _is_settled(observed)
        if not is_settled:
            # Listing does not tell of workers, so the poller cannot see a pipeline come up.
            self._observations.forget(observed.name)
        if not reading.is_whole:
            return 0.0
        if not is_settled:
            return self._requeue.starting.next(key)
        self._requeue.starting.reset(key)
        if reading.is_open:
            return self._requeue.open_commit.next(key)
        self._requeue.open_commit.reset(key)
        return reading.marker_after

    async def _hold(self, resource: SpoutResource) -> SpoutResource | None:
        """The Spout with the operator's finalizer, and conditions from the first moment on; None where it is gone."""
        written = await self._finalizers.add(resource)
        if written is None:
            return None
        self._requeue.conflict.reset(resource.key)
        if not written.status.get("conditions"):
            self._statuses.submit(written, conditions.pending())
        return written

    def _fail(self, resource: SpoutResource, failure: Failure, outcome: Outcome) -> float | None:
        """Tell of a failure; returns the seconds until the next try, None where the poller will tell."""
        key = resource.key
        outcome.result, outcome.reason = _result_of(failure), failure.reason
        if self._cache.facts(key) is None:
            return None
        found = conditions.of_failure(failure)
        status = self._statuses.submit(resource, found, forgets=failure.reason in _NOT_OURS)
        delay = self._requeue.after_failure(key, failure, outage=self._observations.outage)
        # Not louder: the transition was logged, the poller logs an outage, and the metrics count each try.
        when = "after the outage" if delay is None else f"in {delay:.0f} s"
        logger.debug("Spout %s: %s: %s (next try %s)", key, failure.reason, status["conditions"][0]["message"], when)
        return delay

    def _owner(self, key: SpoutKey) -> Owner:
        return Owner(cluster=self._cluster, spout=key)

    def _forget(self, key: SpoutKey) -> None:
        self._writer.forget(key)
        self._pipelines.forget(key)
        self._policy.forget(key)
        self._progress.forget(key)
        self._requeue.forget(key)


def _result(decision: Decision, after: float | None) -> Result:
    if decision.is_stalled:
        return Result.STALLED
    return Result.SETTLED if after is None else Result.AGAIN


def _result_of(failure: Failure) -> Result:
    if failure.is_unreachable:
        return Result.UNREACHABLE
    return Result.STALLED if failure.is_stalled else Result.RETRYABLE


def _sooner(one: float | None, other: float | None) -> float | None:
    return min((after for after in (one, other) if after is not None), default=None)


def _is_settled(pipeline: Pipeline) -> bool:
    """Whether the poller will tell of whatever comes next."""
    if pipeline.stopped:
        return pipeline.state is PipelineState.PAUSED
    if pipeline.state in {PipelineState.STARTING, PipelineState.RESTARTING, PipelineState.PAUSED}:
        return False
    if pipeline.state in {PipelineState.FAILURE, PipelineState.CRASHING}:
        return True
    return health.is_up(pipeline)
