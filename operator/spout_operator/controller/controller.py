"""Ties events, queue and workers together: whatever happens, in the end a key is reconciled."""

from collections.abc import Callable

from spout_operator.controller.cache import Body, SpoutCache
from spout_operator.controller.queue import KeyedQueue
from spout_operator.controller.reconciler import Reconciler
from spout_operator.core.model import SpoutKey
from spout_operator.core.spec.parsing import parse_key


class Controller:
    """Used from the event loop only."""

    def __init__(
        self,
        *,
        cache: SpoutCache,
        reconciler: Reconciler,
        queue: KeyedQueue[SpoutKey],
        may_reconcile: Callable[[SpoutKey], bool],
    ) -> None:
        self._may_reconcile = may_reconcile
        self._cache = cache
        self._reconciler = reconciler
        self._queue = queue

    def observe(self, event_type: str | None, body: Body) -> None:
        """Take in what the watch tells; what changes only the status (mostly our own writes) wakes nobody."""
        if event_type == "DELETED":
            self._cache.drop(parse_key(body), uid=body["metadata"]["uid"])
        else:
            self._cache.put(body)

    def enqueue(self, key: SpoutKey) -> None:
        """Have a Spout looked at."""
        self._queue.add(key)

    async def work(self) -> None:
        """Reconcile one key after the other, for ever. Several may run at once."""
        while True:
            key = await self._queue.take()
            try:
                # One that may not be yet is enqueued when it may.
                after = await self._reconciler.reconcile(key) if self._may_reconcile(key) else None
            finally:
                self._queue.done(key)
            if after is not None:
                self._queue.add(key, after=after)

    def close(self) -> None:
        """Drop what was planned."""
        self._queue.close()
