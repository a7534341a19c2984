"""From what a reconcile found out to a status that is submitted: the one place where a status is made."""

import datetime
from collections.abc import Callable, Mapping
from typing import Any

from spout_operator.controller.status_writer import StatusWriter
from spout_operator.controller.transitions import log_transitions
from spout_operator.core.events import Event
from spout_operator.core.model import Pipeline, Spout
from spout_operator.core.redaction import Secrets
from spout_operator.core.resource import SpoutResource
from spout_operator.core.server import Server
from spout_operator.core.spec import parsing
from spout_operator.core.status import freshness
from spout_operator.core.status.build import StatusInputs, build
from spout_operator.core.status.conditions import Condition


class StatusUpdates:
    """Makes the status of a Spout, and hands it to the status writer."""

    def __init__(self, *, writer: StatusWriter, address: str, now: Callable[[], datetime.datetime]) -> None:
        self._writer = writer
        self._address = address
        self._now = now

    def submit(
        self, resource: SpoutResource, conditions: tuple[Condition, ...], *, forgets: bool = False
    ) -> Mapping[str, Any]:
        """Have these conditions written; what the status says of the pipeline stays, unless it `forgets`."""
        inputs = StatusInputs(conditions=conditions, server=Server(address=self._address), forgets=forgets)
        return self.submit_all(resource, inputs, self.secrets(resource, None))

    def submit_all(
        self, resource: SpoutResource, inputs: StatusInputs, secrets: Secrets, event: Event | None = None
    ) -> Mapping[str, Any]:
        """Have a whole status written, and log it where a condition moves.

        Args:
            resource: the Spout.
            inputs: what was found out.
            secrets: what must not be in the status.
            event: told once a status is written that holds what it tells; None for none.
        """
        before = self._writer.current(resource.key)
        status = build(before, inputs, secrets=secrets, generation=resource.generation, now=self._now())
        log_transitions(resource.key, before, status)
        self._writer.submit(resource.key, resource.uid, status, event)
        return status

    def commit_due_in(self, spout: Spout, status: Mapping[str, Any]) -> float | None:
        """Seconds until the newest commit of a status is too old; None where nobody waits for that."""
        return freshness.due_in(spout.freshness, status, now=self._now())

    def secrets(self, resource: SpoutResource, observed: Pipeline | None) -> Secrets:
        """Those of the Spout, and of its pipeline as it was before an edit: what Pachyderm says may be about that."""
        spec = observed.spec if observed is not None else None
        env = spec.transform.env.values() if spec is not None else ()
        return parsing.secrets_of(resource, env=env, names=[self._address])
