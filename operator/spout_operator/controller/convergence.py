"""The Pachyderm side of a reconcile: step by step until the pipeline is as asked for, or is gone."""

import logging
from collections.abc import Awaitable, Callable

from spout_operator.blocking import BlockingCalls
from spout_operator.controller.observations import PipelineKnowledge
from spout_operator.core.decision import Action, Decision, Written, decide, decide_deletion, held
from spout_operator.core.errors import Retryable, SpoutError, Unreadable
from spout_operator.core.model import DeletionPolicy, Owner, Pipeline, Spout, SpoutKey
from spout_operator.core.reasons import Reason
from spout_operator.core.redaction import Secrets
from spout_operator.ports import Pachyderm

logger = logging.getLogger(__name__)

#: Create, stop, and a look at the result: no chain of steps is longer, so more is a defect and backs off.
MOST_STEPS = 4


class Convergence:
    """Observes, decides, acts, and observes again; truth always comes from the next observation."""

    def __init__(self, pachyderm: Pachyderm, knowledge: PipelineKnowledge, calls: BlockingCalls) -> None:
        self._pachyderm = pachyderm
        self._knowledge = knowledge
        self._calls = calls
        self._written: dict[SpoutKey, Written] = {}

    async def ensure(
        self,
        spout: Spout,
        owner: Owner,
        *,
        older_claim: SpoutKey | None,
        before_step: Callable[[Decision], Awaitable[None]],
    ) -> tuple[Decision, Pipeline]:
        """Make the pipeline what the Spout asks for.

        Args:
            spout: what is asked for.
            owner: the stamp of this Spout.
            older_claim: an older Spout that names the same pipeline.
            before_step: awaited before each write; what it raises keeps the write from being made.

        Returns:
            The decision that nothing is left to do, and the pipeline it is based on.
        """
        for _ in range(MOST_STEPS):
            remembered = self._knowledge.observed(spout.pipeline_name)
            observed = remembered or await self._observe(spout.pipeline_name)
            decision = decide(
                spout,
                owner,
                observed,
                older_claim=str(older_claim) if older_claim else None,
                written=self._written.get(spout.key),
            )
            if observed is not None and decision.action is Action.NONE:
                # It came out as it was written: the same spec and version cannot differ any more.
                self.forget(spout.key)
                return decision, observed
            if remembered is not None:
                # Good enough to do nothing; but what is written to has to be ours now, not at the last tick.
                self._knowledge.forget(spout.pipeline_name)
                continue
            if decision.action in (Action.CREATE, Action.UPDATE):
                await self._calls(self._pachyderm.check, spout.pipeline_name, spout.spec)
            await before_step(decision)
            # Not louder: its conditions say so, and each of their transitions is a line.
            logger.debug("Spout %s: %s", spout.key, decision.message)
            self._knowledge.forget(spout.pipeline_name)
            try:
                await self._act(decision, spout, owner, observed)
            except SpoutError as error:
                # What it says may be about the pipeline as it was, whose values the Spout no longer has.
                if observed is not None and observed.spec is not None:
                    error.said = Secrets(observed.spec.transform.env.values()).redact(error.said)
                raise
        raise Retryable(
            Reason.PACHYDERM_ERROR,
            f"the pipeline {spout.pipeline_name!r} is not as asked for after {MOST_STEPS} steps; it is tried again",
        )

    async def remove(self, key: SpoutKey, name: str, policy: DeletionPolicy, owner: Owner) -> None:
        """Do with the pipeline of a deleted Spout what its policy says; returns when the Spout can go."""
        self._written.pop(key, None)
        for _ in range(MOST_STEPS):
            # An orphan's Pachyderm is not asked: that is also the way out where it is gone for good.
            orphan = policy is DeletionPolicy.ORPHAN
            try:
                observed = None if orphan else await self._calls(self._pachyderm.observe, name)
            except Unreadable as error:
                raise Unreadable(f"{error.message}; {held(policy, name)}", said=error.said) from error
            decision = decide_deletion(policy, owner, observed)
            logger.info("Spout %s: %s", key, decision.message)
            self._knowledge.forget(name)
            if decision.action is Action.RELEASE:
                return
            keep_repo = decision.action is Action.DELETE_KEEP_REPO
            await self._calls(self._pachyderm.delete, name, keep_repo=keep_repo)
        raise Retryable(
            Reason.DELETING, f"the pipeline {name!r} is still there after it was deleted; it is tried again"
        )

    def forget(self, key: SpoutKey) -> None:
        """What was written to the pipeline of a Spout is of no interest any more, as where the Spout is gone."""
        self._written.pop(key, None)

    async def _observe(self, name: str) -> Pipeline | None:
        observed = await self._calls(self._pachyderm.observe, name)
        if observed is not None:
            self._knowledge.remember(observed)
        return observed

    async def _act(self, decision: Decision, spout: Spout, owner: Owner, observed: Pipeline | None) -> None:
        name = spout.pipeline_name
        match decision.action:
            case Action.CREATE:
                # One that somebody else made meanwhile, or an earlier call whose answer was lost, has another spec.
                if await self._calls(self._pachyderm.create, name, spout.spec, owner):
                    self._note_write(spout, version=1)
            case Action.UPDATE if observed is not None:
                await self._calls(self._pachyderm.update, name, spout.spec, owner)
                # Pachyderm 1.13.4, api_server.go: the new version is the old one plus one.
                self._note_write(spout, version=observed.version + 1)
            case Action.START:
                await self._calls(self._pachyderm.start, name)
            case Action.STOP:
                await self._calls(self._pachyderm.stop, name)
            case _:
                raise AssertionError(f"{decision.action} is no step of a Spout that is wanted")

    def _note_write(self, spout: Spout, *, version: int) -> None:
        self._written[spout.key] = Written(spec=spout.spec, version=version)
