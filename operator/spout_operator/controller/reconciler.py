"""The one level-triggered reconciler: reads what is wanted and what is there, and makes them equal."""

import dataclasses
import datetime
import logging
from collections.abc import Callable
from typing import Any

from spout_operator.blocking import BlockingCalls
from spout_operator.controller.cache import Body, SpoutCache
from spout_operator.controller.convergence import Convergence
from spout_operator.controller.observations import PipelineKnowledge
from spout_operator.controller.progress import Progress, Reading
from spout_operator.controller.queue import Backoff
from spout_operator.controller.status_writer import StatusWriter
from spout_operator.controller.transitions import log_transition
from spout_operator.core.decision import Action, Decision
from spout_operator.core.errors import NotLeading, Outdated, Retryable, SpoutError, Stalled, Unreachable
from spout_operator.core.model import Owner, Pipeline, PipelineState, Spout, SpoutKey
from spout_operator.core.reasons import Reason
from spout_operator.core.redaction import Secrets
from spout_operator.core.spec import parsing
from spout_operator.core.status import conditions
from spout_operator.core.status.build import Knowledge, Server, build
from spout_operator.ports import Outcome, Pachyderm, Result, Spouts, Telemetry

logger = logging.getLogger(__name__)

FINALIZER = "spout-operator.io/pipeline"
#: Seconds between looks at what only a person can mend: pachd does not tell when they have.
STALLED_RESYNC = 300.0
#: Seconds before the first and the longest wait between tries that failed.
FIRST_RETRY, LONGEST_RETRY = 1.0, 300.0
#: Seconds before the first and the longest wait between tries of a write that others are quicker with.
FIRST_CONFLICT, LONGEST_CONFLICT = 0.2, 60.0
#: Seconds before the first look at a pipeline that is coming up, or at a commit that is open; doubled up to the poll
#: interval.
FIRST_SETTLE = 1.0


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Collaborators:
    """What the reconciler works with; `cluster` is the identity in every stamp."""

    cache: SpoutCache
    pachyderm: Pachyderm
    spouts: Spouts
    statuses: StatusWriter
    telemetry: Telemetry
    knowledge: PipelineKnowledge
    calls: BlockingCalls
    kubernetes_calls: BlockingCalls
    address: str
    cluster: str
    now: Callable[[], datetime.datetime]


class Reconciler:
    """Reconciles one Spout; several may be under way at once, one at a time per key (`controller.queue`)."""

    def __init__(self, collaborators: Collaborators, *, poll_interval: float) -> None:
        self._with = collaborators
        self._convergence = Convergence(collaborators.pachyderm, collaborators.knowledge, collaborators.calls)
        self._progress = Progress(
            collaborators.pachyderm, collaborators.calls, heads=collaborators.knowledge.heads, now=collaborators.now
        )
        self._settling: Backoff[SpoutKey] = Backoff(first=FIRST_SETTLE, most=poll_interval)
        self._finishing: Backoff[SpoutKey] = Backoff(first=FIRST_SETTLE, most=poll_interval)
        self._failing: Backoff[SpoutKey] = Backoff(first=FIRST_RETRY, most=LONGEST_RETRY)
        self._conflicting: Backoff[SpoutKey] = Backoff(first=FIRST_CONFLICT, most=LONGEST_CONFLICT)

    async def reconcile(self, key: SpoutKey) -> float | None:
        """Make one Spout what it asks to be.

        Returns:
            Seconds until it wants to be looked at again; None where a change will tell.
        """
        with self._with.telemetry.reconciling(key) as outcome:
            body = self._with.cache.get(key)
            if body is None:
                outcome.result = Result.GONE
                self._forget(key)
                return None
            try:
                return await self._reconcile(key, body, outcome)
            except NotLeading as error:
                # Nothing was asked, so there is nothing to show: the process ends, or has the Lease again.
                outcome.result = Result.OUTDATED
                logger.debug("Spout %s: %s", key, error.message)
                return FIRST_RETRY
            except Outdated as error:
                outcome.result = Result.OUTDATED
                logger.debug("Spout %s: %s", key, error.message)
                return self._conflicting.next(key)
            except SpoutError as error:
                outcome.result, outcome.reason = _result_of(error), error.reason
                return self._failed(key, body, error)
            except Exception:
                # The boundary: one Spout's defect must not end the operator for the others.
                outcome.result, outcome.reason = Result.RETRYABLE, Reason.INTERNAL_ERROR
                logger.exception("Spout %s: unexpected error", key)
                message = "an unexpected error inside the operator; see its log"
                return self._failed(key, body, Retryable(Reason.INTERNAL_ERROR, message))

    async def _reconcile(self, key: SpoutKey, body: Body, outcome: Outcome) -> float | None:
        if body["metadata"].get("deletionTimestamp"):
            await self._delete(key, body)
            outcome.result = Result.GONE
            return None
        after = await self._ensure(key, body)
        outcome.result = Result.SETTLED if after is None else Result.AGAIN
        return after

    async def _ensure(self, key: SpoutKey, body: Body) -> float | None:
        finalized = FINALIZER in body["metadata"].get("finalizers", [])
        if not finalized:
            added = await self._add_finalizer(key, body)
            if added is None:
                return None
            body = added
        spout = parsing.parse_spout(body)
        if self._with.knowledge.outage is not None:
            # One exception for all Spouts and ticks of an outage: its traceback must not grow with each.
            raise self._with.knowledge.outage.with_traceback(None)

        async def before_step(decision: Decision) -> None:
            if decision.action is Action.CREATE and finalized:
                await self._confirm(key, body)
            self._show(key, body, conditions.of_decision(decision, None), forgets=decision.action is Action.CREATE)

        decision, observed = await self._convergence.ensure(
            spout, self._owner(key), older_claim=self._with.cache.older_claim(key), before_step=before_step
        )
        reading = await self._show_progress(spout, body, decision, observed)
        self._failing.reset(key)
        return self._next_look(key, observed, reading)

    def _next_look(self, key: SpoutKey, observed: Pipeline, reading: Reading) -> float | None:
        """Seconds until a pipeline that is as asked for is looked at again; None where the poller will tell."""
        if not _is_settled(observed):
            # Listing does not tell of workers, so the poller cannot see a pipeline come up.
            self._with.knowledge.forget(observed.name)
            return self._settling.next(key) if reading.is_whole else 0.0
        self._settling.reset(key)
        if not reading.is_whole:
            return 0.0
        if reading.is_open:
            return self._finishing.next(key)
        self._finishing.reset(key)
        return reading.marker_after

    async def _delete(self, key: SpoutKey, body: Body) -> None:
        finalizers = body["metadata"].get("finalizers", [])
        if FINALIZER not in finalizers:
            return
        name, policy = parsing.pipeline_name(body), parsing.parse_deletion_policy(body)
        await self._convergence.remove(key, name, policy, self._owner(key))
        others = [other for other in finalizers if other != FINALIZER]
        await self._write_finalizers(key, body, others)
        if not others:
            # The last one was all that held it: what the write was answered with is gone.
            self._with.cache.drop(key, uid=body["metadata"]["uid"])
        self._forget(key)

    async def _add_finalizer(self, key: SpoutKey, body: Body) -> Body | None:
        """The Spout with our finalizer: it has to be there before anything is written to Pachyderm."""
        written = await self._write_finalizers(key, body, [*body["metadata"].get("finalizers", []), FINALIZER])
        if written is not None and not written.get("status", {}).get("conditions"):
            self._show(key, written, conditions.pending())
        return written

    async def _write_finalizers(self, key: SpoutKey, body: Body, finalizers: list[str]) -> Body | None:
        # Our own status writes make new versions of the resource all the time; the finalizers are those of `body`.
        newest = self._with.cache.get(key) or body
        same = all(newest["metadata"].get(field) == body["metadata"].get(field) for field in ("uid", "finalizers"))
        metadata = (newest if same else body)["metadata"]
        try:
            written = await self._with.kubernetes_calls(
                self._with.spouts.write_finalizers, key, metadata["uid"], metadata["resourceVersion"], finalizers
            )
        except Outdated:
            # The watch may not bring for long what somebody else wrote, and the next try must not fail for the same.
            await self._read_again(key, uid=metadata["uid"])
            raise
        self._conflicting.reset(key)
        if written is None:
            self._with.cache.drop(key, uid=metadata["uid"])
            self._forget(key)
        else:
            self._with.cache.update(written)
        return written

    async def _read_again(self, key: SpoutKey, *, uid: str) -> bool:
        """Bring the cache up to date with the API server; whether the Spout is still there."""
        found = await self._with.kubernetes_calls(self._with.spouts.read, key)
        if found is None or found["metadata"]["uid"] != uid:
            self._with.cache.drop(key, uid=uid)
            return False
        self._with.cache.update(found)
        return True

    async def _confirm(self, key: SpoutKey, body: Body) -> None:
        """A pipeline that is missing is only made anew for a Spout that is still there.

        The watch does not tell of a Spout that vanished while it was interrupted.
        """
        if not await self._read_again(key, uid=body["metadata"]["uid"]):
            raise Retryable(Reason.PENDING, f"the Spout {key} is gone")

    async def _show_progress(self, spout: Spout, body: Body, decision: Decision, observed: Pipeline) -> Reading:
        shown = self._with.statuses.current(spout.key)
        secrets = self._secrets(body, observed)
        reading = await self._progress.read(spout, shown, secrets)
        self._submit(
            spout.key,
            body,
            Knowledge(
                conditions=conditions.of_decision(decision, observed),
                server=self._with.knowledge.server or Server(address=self._with.address),
                pipeline=observed,
                commits=reading.commits,
                marker=reading.marker,
            ),
            secrets,
        )
        return reading

    def _failed(self, key: SpoutKey, body: Body, error: SpoutError) -> float | None:
        """Show a failure; returns when to look again."""
        if self._with.cache.get(key) is None:
            return None
        not_ours = error.reason in {Reason.PIPELINE_NOT_OWNED, Reason.PIPELINE_CONFLICT}
        status = self._show(key, body, conditions.of_error(error), forgets=not_ours)
        delay = STALLED_RESYNC if isinstance(error, Stalled) else self._failing.next(key)
        # Not louder: the transition was told, an outage is told by the poller, and the metrics count each try.
        message = status["conditions"][0]["message"]
        logger.debug("Spout %s: %s: %s (next look in %.0f s)", key, error.reason, message, delay)
        return delay

    def _show(
        self, key: SpoutKey, body: Body, found: tuple[conditions.Condition, ...], *, forgets: bool = False
    ) -> dict[str, Any]:
        knowledge = Knowledge(conditions=found, server=Server(address=self._with.address), forgets=forgets)
        return self._submit(key, body, knowledge, self._secrets(body, None))

    def _submit(self, key: SpoutKey, body: Body, knowledge: Knowledge, secrets: Secrets) -> dict[str, Any]:
        metadata = body["metadata"]
        before = self._with.statuses.current(key)
        status = build(
            before,
            knowledge,
            secrets=secrets,
            generation=metadata["generation"],
            now=self._with.now(),
        )
        log_transition(key, before, status)
        self._with.statuses.submit(key, metadata["uid"], status)
        return status

    def _secrets(self, body: Body, observed: Pipeline | None) -> Secrets:
        """Those of the Spout, and of its pipeline as it was before an edit: what Pachyderm says may be about that."""
        spec = observed.spec if observed is not None else None
        env = spec.transform.env.values() if spec is not None else ()
        return parsing.secrets_of(body, env=env, names=[self._with.address])

    def _owner(self, key: SpoutKey) -> Owner:
        return Owner(cluster=self._with.cluster, spout=key)

    def _forget(self, key: SpoutKey) -> None:
        self._with.statuses.forget(key)
        self._convergence.forget(key)
        self._progress.forget(key)
        self._settling.reset(key)
        self._finishing.reset(key)
        self._failing.reset(key)
        self._conflicting.reset(key)


def _result_of(error: SpoutError) -> Result:
    if isinstance(error, Unreachable):
        return Result.UNREACHABLE
    return Result.STALLED if isinstance(error, Stalled) else Result.RETRYABLE


def _is_settled(pipeline: Pipeline) -> bool:
    """Whether the poller will tell of whatever comes next."""
    if pipeline.stopped:
        return pipeline.state is PipelineState.PAUSED
    if pipeline.state in {PipelineState.STARTING, PipelineState.RESTARTING, PipelineState.PAUSED}:
        return False
    if pipeline.state in {PipelineState.FAILURE, PipelineState.CRASHING}:
        return True
    return pipeline.workers is not None and pipeline.workers[0] >= pipeline.workers[1]
