"""Tells of statuses by Events, once the API server has them: so the status is the memory, and nothing is told twice."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from spout_operator.controller.events import EventRecorder
from spout_operator.core import events
from spout_operator.core.events import Event
from spout_operator.core.model import SpoutKey
from spout_operator.core.resource import SpoutResource


@dataclasses.dataclass(kw_only=True, slots=True)
class _Untold:
    """Of one Spout, from when a status is submitted until one is known to be written."""

    uid: str
    before: Mapping[str, Any] | None = None
    """What the API server had when the first status was sent that it has not confirmed; None where none was sent."""
    with_submitted: tuple[Event, ...] = ()
    """Events that are true once the newest submitted status is written."""
    with_sent: tuple[Event, ...] = ()
    """The same of the status that was sent last."""


class StatusEvents:
    """What is to be told once a status is written. Used from the event loop only, by the status writer."""

    def __init__(self, recorder: EventRecorder) -> None:
        self._recorder = recorder
        self._untold: dict[SpoutKey, _Untold] = {}

    def submitted(self, key: SpoutKey, uid: str, event: Event | None) -> None:
        """A status is to be written that holds what an Event tells; None where there is no such Event."""
        if event is not None:
            untold = self._of(key, uid)
            untold.with_submitted += (event,)

    def sent(self, resource: SpoutResource) -> None:
        """The newest submitted status goes to the API server, which has the one of `resource` until then."""
        untold = self._of(resource.key, resource.uid)
        if untold.before is None:
            # Not again at the next try: what was not answered may have been written.
            untold.before = resource.status
        untold.with_sent, untold.with_submitted = untold.with_sent + untold.with_submitted, ()

    def written(self, resource: SpoutResource, status: Mapping[str, Any]) -> None:
        """The API server has the status that was sent."""
        untold = self._of(resource.key, resource.uid)
        found = events.of_statuses(untold.before or {}, status)
        for event in (*untold.with_sent, *found):
            self._recorder.record(resource, event)
        untold.before, untold.with_sent = None, ()
        if not untold.with_submitted:
            self.forget(resource.key)

    def forget(self, key: SpoutKey) -> None:
        """The Spout is gone, or there is nothing to tell."""
        self._untold.pop(key, None)

    def _of(self, key: SpoutKey, uid: str) -> _Untold:
        untold = self._untold.get(key)
        if untold is None or untold.uid != uid:
            untold = self._untold[key] = _Untold(uid=uid)
        return untold
