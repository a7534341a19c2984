"""Writes statuses: only when they changed, at most once per Spout and interval, the newest one."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from spout_operator.controller.cache import SpoutCache
from spout_operator.controller.queue import Backoff, KeyedQueue
from spout_operator.controller.status_events import StatusEvents
from spout_operator.core.errors import Retryable
from spout_operator.core.events import Event
from spout_operator.core.model import SpoutKey
from spout_operator.ports import Spouts

logger = logging.getLogger(__name__)


class StatusWriter:
    """Coalesces statuses per Spout. Used from the event loop only; `run` has to be running."""

    def __init__(
        self,
        *,
        cache: SpoutCache,
        spouts: Spouts,
        interval: float,
        queue: KeyedQueue[SpoutKey],
        events: StatusEvents,
    ) -> None:
        self._cache = cache
        self._spouts = spouts
        self._interval = interval
        #: Both by key, with the uid that they are for.
        self._pending: dict[SpoutKey, tuple[str, dict[str, Any]]] = {}
        self._sent: dict[SpoutKey, tuple[str, dict[str, Any]]] = {}
        self._not_before: dict[SpoutKey, float] = {}
        self._queue = queue
        self._events = events
        self._backoff: Backoff[SpoutKey] = Backoff(first=1, most=60)

    def current(self, key: SpoutKey) -> Mapping[str, Any]:
        """The status as it is, or is about to be: what the next one is built on."""
        known = self._cache.facts(key)
        for about in (self._pending.get(key), self._sent.get(key)):
            if about is not None and known is not None and about[0] == known.uid:
                return about[1]
        resource = self._cache.get(key)
        return resource.status if resource is not None else {}

    def submit(self, key: SpoutKey, uid: str, status: dict[str, Any], event: Event | None = None) -> None:
        """Have a status shown soon, and then tell an Event; nothing happens where the status is shown already."""
        if status == self.current(key):
            return
        self._events.submitted(key, uid, event)
        self._pending[key] = (uid, status)
        wait = self._not_before.get(key, 0) - asyncio.get_running_loop().time()
        self._queue.enqueue(key, after=max(wait, 0))

    def forget(self, key: SpoutKey) -> None:
        """The Spout is gone."""
        self._pending.pop(key, None)
        self._sent.pop(key, None)
        self._not_before.pop(key, None)
        self._events.forget(key)
        self._queue.forget(key)
        self._backoff.reset(key)

    def close(self) -> None:
        """Drop what was planned; the next run finds out anew."""
        self._queue.close()

    async def run(self) -> None:
        """Write what was submitted, for ever. Several may run at once."""
        await self._queue.work(self._write)

    async def _write(self, key: SpoutKey) -> None:
        pending = self._pending.pop(key, None)
        resource = self._cache.get(key)
        if pending is None or resource is None or resource.uid != pending[0]:
            return
        uid, status = pending
        # What was sent and not answered may be there or not: what the cache has does not tell.
        if key not in self._sent and resource.status == status:
            return
        self._events.sent(resource)
        self._not_before[key] = asyncio.get_running_loop().time() + self._interval
        self._sent[key] = uid, status
        try:
            written = await self._spouts.write_status(key, uid, status)
        except Retryable as error:
            if self._cache.facts(key) is None:
                # It went meanwhile, and was forgotten.
                self.forget(key)
                return
            delay = self._backoff.next(key)
            logger.warning("Spout %s: %s; next try in %.0f s", key, error.message, delay)
            self._pending.setdefault(key, (uid, status))
            self._queue.enqueue(key, after=delay)
            return
        self._sent.pop(key, None)
        self._backoff.reset(key)
        if written is not None:
            self._cache.update(written)
            self._events.written(resource, status)
