"""What happens when a Spout is deleted: observe, decide, act, and let the Spout go when its pipeline was seen to."""

import logging

from spout_operator.controller.events import EventRecorder
from spout_operator.controller.finalizers import FINALIZER, Finalizers
from spout_operator.controller.observations import ObservationCache
from spout_operator.core import events
from spout_operator.core.decision import Action, Decision
from spout_operator.core.deletion import IS_GONE, decide_deletion, held
from spout_operator.core.errors import Retryable, Unreadable
from spout_operator.core.model import DeletionPolicy, Owner, Pipeline, PipelineName
from spout_operator.core.reasons import Reason
from spout_operator.core.resource import SpoutResource
from spout_operator.core.spec import naming, parsing
from spout_operator.ports import Pachyderm

logger = logging.getLogger(__name__)

#: Delete, and an observation that it is gone; more is a defect and backs off.
MOST_STEPS = 4


class Deletion:
    """Does with the pipeline of a deleted Spout what its policy says."""

    def __init__(
        self, *, pachyderm: Pachyderm, observations: ObservationCache, finalizers: Finalizers, recorder: EventRecorder
    ) -> None:
        self._pachyderm = pachyderm
        self._observations = observations
        self._finalizers = finalizers
        self._recorder = recorder

    async def finalize(self, resource: SpoutResource, owner: Owner) -> None:
        """Return when the Spout was let go; nothing happens where it was before."""
        if FINALIZER not in resource.finalizers:
            return
        name, policy = parsing.pipeline_name(resource), parsing.parse_deletion_policy(resource)
        last = await self._clean_up(resource, name, policy, owner)
        await self._finalizers.remove(resource)
        if last is not IS_GONE:
            self._recorder.record(resource, events.of_step(last, name))

    async def _clean_up(
        self, resource: SpoutResource, name: PipelineName, policy: DeletionPolicy, owner: Owner
    ) -> Decision:
        """See to the pipeline; returns the decision that lets the Spout go."""
        for _ in range(MOST_STEPS):
            observed = await self._observe(name, policy)
            decision = decide_deletion(policy, owner, observed)
            logger.info("Spout %s: %s", resource.key, decision.message)
            self._observations.forget(name)
            if decision.action is Action.RELEASE:
                return decision
            await self._pachyderm.delete(name, keep_repo=decision.action is Action.DELETE_KEEP_REPO)
            self._recorder.record(resource, events.of_step(decision, name))
        raise Retryable(
            Reason.DELETING, f"the pipeline {name!r} is still there after it was deleted; it is tried again"
        )

    async def _observe(self, name: PipelineName, policy: DeletionPolicy) -> Pipeline | None:
        if policy is DeletionPolicy.ORPHAN:
            # Its Pachyderm is not asked: that is also the way out where it is gone for good.
            return None
        if not naming.is_runnable(name.name) or not naming.is_project(name.project):
            # The operator creates none of that name. Where Pachyderm refuses to look for one, the Spout would stay.
            return None
        try:
            return await self._pachyderm.observe(name)
        except Unreadable as error:
            raise Unreadable(f"{error.message}; {held(policy, name)}", said=error.said) from error
