"""The pipelines as the controller sees them: observed, checked, and changed by one step."""

import dataclasses
import logging
from collections.abc import Sequence

from spout_operator.controller.events import EventRecorder
from spout_operator.controller.observations import ObservationCache
from spout_operator.controller.policy import PolicyInForce
from spout_operator.core import events
from spout_operator.core.decision import Action, Decision, Situation, Written
from spout_operator.core.errors import SpoutError
from spout_operator.core.model import Owner, Pipeline, PipelineName, Spout, SpoutKey
from spout_operator.core.redaction import Secrets
from spout_operator.core.resource import SpoutResource
from spout_operator.core.server import Server
from spout_operator.core.spec.defaults import with_server_defaults
from spout_operator.ports import Pachyderm

logger = logging.getLogger(__name__)


class Pipelines:
    """Observes pipelines, carries out one decision, and remembers what it wrote."""

    def __init__(
        self, pachyderm: Pachyderm, observations: ObservationCache, recorder: EventRecorder, policy: PolicyInForce
    ) -> None:
        self._pachyderm = pachyderm
        self._observations = observations
        self._recorder = recorder
        self._policy = policy
        self._written: dict[SpoutKey, Written] = {}

    async def server(self) -> Server:
        """The server, as it was when it was last asked."""
        return self._observations.server or await self._pachyderm.server()

    async def observe(self, name: PipelineName) -> tuple[Pipeline | None, bool]:
        """A pipeline, None where there is none; and whether the server was asked just now."""
        remembered = self._observations.observed(name)
        if remembered is not None:
            return remembered, False
        observed = await self._pachyderm.observe(name)
        if observed is not None:
            self._observations.remember(observed)
        return observed, True

    def situation(
        self,
        spout: Spout,
        owner: Owner,
        *,
        server: Server,
        last_seen: Server | None,
        observed: Pipeline | None,
        older_claim: str | None,
    ) -> Situation:
        """All that a decision is based on; the spec has the server's defaults in it."""
        capabilities = server.capabilities
        if capabilities is None:
            raise AssertionError("a server that answered has told what it can do")
        spout = dataclasses.replace(spout, spec=with_server_defaults(spout.spec, capabilities))
        return Situation(
            spout=spout,
            owner=owner,
            observed=observed,
            older_claim=older_claim,
            written=self._written.get(spout.key),
            capabilities=capabilities,
            server=server,
            last_seen=last_seen,
            denials=self._policy.denials(spout),
        )

    async def check(self, decision: Decision, spout: Spout) -> None:
        """See that the server can run what is about to be written.

        Raises:
            Stalled: InvalidSpec.
        """
        if decision.action in (Action.CREATE, Action.UPDATE):
            await self._pachyderm.check(spout.pipeline_name, spout.spec)

    async def act(self, decision: Decision, situation: Situation, resource: SpoutResource) -> None:
        """Carry out one step, and tell of it; what came of it, the next observation tells."""
        spout, observed = situation.spout, situation.observed
        # Not louder: the conditions say so, and each of their transitions is a line.
        logger.debug("Spout %s: %s", spout.key, decision.message)
        self._observations.forget(spout.pipeline_name)
        try:
            is_done = await self._act(decision.action, spout, situation.owner)
        except SpoutError as error:
            # What it says may be about the pipeline as it was, whose values the Spout no longer has.
            if observed is not None and observed.spec is not None:
                error.said = Secrets(observed.spec.transform.env.values()).redact(error.said)
            raise
        if is_done:
            self._recorder.record(resource, events.of_step(decision, spout.pipeline_name))

    async def finish(self, name: PipelineName, left_open: Sequence[str]) -> None:
        """Finish what the server has left open, so that the spout's next commit is one of its own, which others see."""
        for commit in left_open:
            logger.info("Pipeline %s: finishing the commit %s, which Pachyderm made and left open", name, commit)
            await self._pachyderm.finish(name, commit)

    def forget(self, key: SpoutKey) -> None:
        """What was written to the pipeline of a Spout is of no interest any more.

        It came out as it was written, and the same spec and version cannot differ any more; or the Spout is gone.
        """
        self._written.pop(key, None)

    async def _act(self, action: Action, spout: Spout, owner: Owner) -> bool:
        """Whether this has done it: a pipeline that was there already is not created."""
        name = spout.pipeline_name
        match action:
            case Action.CREATE:
                # One that somebody else made meanwhile, or an earlier call whose answer was lost, has another spec.
                created = await self._pachyderm.create(name, spout.spec, owner)
                if created is None:
                    return False
                self._written[spout.key] = Written(spec=spout.spec, version=created)
            case Action.UPDATE:
                version = await self._pachyderm.update(name, spout.spec, owner)
                self._written[spout.key] = Written(spec=spout.spec, version=version)
            case Action.TAKE_OVER:
                await self._pachyderm.take_over(name, owner)
            case Action.START:
                await self._pachyderm.start(name)
            case Action.STOP:
                await self._pachyderm.stop(name)
            case _:
                raise AssertionError(f"{action} is no step of a Spout that is wanted")
        return True
