"""Has Kubernetes Events written beside the work: nobody waits for one, and none makes a reconcile fail."""

import asyncio
import dataclasses
import datetime
import logging
from collections.abc import Callable

from spout_operator.core import events
from spout_operator.core.errors import EventRefused, NotLeading, Retryable
from spout_operator.core.events import Event
from spout_operator.core.model import SpoutKey
from spout_operator.core.resource import SpoutResource
from spout_operator.core.spec import parsing
from spout_operator.ports import Dropped, Events, Telemetry

logger = logging.getLogger(__name__)

#: Events that wait to be written; each is at most about 1.5 kB.
MOST_WAITING = 1000
#: How often an Event is tried while the API server does not answer, and the seconds between two tries.
TRIES, PAUSE = 3, 2.0


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Recorded:
    key: SpoutKey
    uid: str
    event: Event
    at: datetime.datetime


class EventRecorder:
    """A bounded queue of Events. Used from the event loop only; `run` has to be running."""

    def __init__(
        self,
        sink: Events | None,
        *,
        telemetry: Telemetry,
        address: str,
        now: Callable[[], datetime.datetime],
        most_waiting: int = MOST_WAITING,
    ) -> None:
        """Record nothing yet.

        Args:
            sink: where Events are written; None where nobody wants them.
            telemetry: told of each Event that is dropped.
            address: of Pachyderm, which is no secret.
            now: the time of day.
            most_waiting: Events that wait at most.
        """
        self._sink = sink
        self._telemetry = telemetry
        self._address = address
        self._now = now
        self._waiting: asyncio.Queue[_Recorded] = asyncio.Queue(most_waiting)
        self._is_dropping = False

    def record(self, resource: SpoutResource, event: Event) -> None:
        """Have an Event of a Spout written soon, without its secrets."""
        if self._sink is None:
            return
        told = events.shown(event, parsing.secrets_of(resource, names=[self._address]))
        try:
            self._waiting.put_nowait(_Recorded(key=resource.key, uid=resource.uid, event=told, at=self._now()))
        except asyncio.QueueFull:
            self._drop(Dropped.QUEUE_FULL, resource.key, told, f"{self._waiting.maxsize} others wait to be written")

    async def run(self) -> None:
        """Write what was recorded, one Event after the other, for ever."""
        while True:
            recorded = await self._waiting.get()
            if self._sink is not None:
                await self._write(self._sink, recorded)

    def close(self) -> None:
        """Take no more Events. Those that were not written by now are lost."""
        if not self._waiting.empty():
            logger.info("%d Events are not written: the operator ends", self._waiting.qsize())
        if self._sink is not None:
            self._sink.close()

    async def ended(self) -> None:
        """Wait until no request is under way; after `close`."""
        if self._sink is not None:
            await self._sink.ended()

    async def _write(self, sink: Events, recorded: _Recorded) -> None:
        for tries_left in reversed(range(TRIES)):
            try:
                await sink.write(recorded.key, recorded.uid, recorded.event, recorded.at)
            except NotLeading as error:
                # The process ends: whoever leads next compares with the status that was written.
                logger.debug("Spout %s: no Event %s: %s", recorded.key, recorded.event.reason, error.message)
                return
            except EventRefused as error:
                self._drop(Dropped.REFUSED, recorded.key, recorded.event, error.message)
                return
            except Retryable as error:
                if not tries_left:
                    self._drop(Dropped.UNANSWERED, recorded.key, recorded.event, error.message)
                    return
                await asyncio.sleep(PAUSE)
            except Exception:
                # The boundary: what is wrong with one Event must not end the operator.
                logger.exception("Spout %s: unexpected error while an Event was written", recorded.key)
                self._telemetry.dropped_event(Dropped.REFUSED)
                return
            else:
                self._is_dropping = False
                return

    def _drop(self, why: Dropped, key: SpoutKey, event: Event, message: str) -> None:
        """Count an Event that is lost. Only the first one of a row is logged."""
        self._telemetry.dropped_event(why)
        if not self._is_dropping:
            logger.warning(
                "Spout %s: the Event %s is dropped: %s. Further ones are counted in the metric "
                "spout_operator_events_dropped_total; statuses and pipelines are not affected",
                key,
                event.reason,
                message,
            )
        self._is_dropping = True
