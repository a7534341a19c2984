"""A queue of keys: each is there once, handled by one worker at a time, now or after a delay."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class KeyedQueue(Generic[K]):
    """As client-go's workqueue: a key enqueued while it is handled is handled once more afterwards."""

    def __init__(self, waited: Callable[[float], None] = lambda _: None) -> None:
        """Make an empty queue.

        Args:
            waited: told, for each key that is taken, how many seconds it was due for.
        """
        self._waited = waited
        self._ready: asyncio.Queue[K] = asyncio.Queue()
        #: Both by key, with the loop's time since when.
        self._queued: dict[K, float] = {}
        self._handled: dict[K, float] = {}
        self._again: set[K] = set()
        self._moved_at = 0.0
        """When a worker last took or finished a key."""
        self._timers: dict[K, asyncio.TimerHandle] = {}

    def enqueue(self, key: K, *, after: float = 0) -> None:
        """Have `key` handled, `after` seconds from now; of two times the sooner one counts."""
        if after > 0:
            self._enqueue_later(key, after)
            return
        self._cancel_timer(key)
        if key in self._handled:
            self._again.add(key)
        elif key not in self._queued:
            self._queued[key] = asyncio.get_running_loop().time()
            self._ready.put_nowait(key)

    async def take(self) -> K:
        """The next key; `done` must follow."""
        key = await self._ready.get()
        now = asyncio.get_running_loop().time()
        self._waited(now - self._queued.pop(key))
        self._handled[key] = self._moved_at = now
        return key

    def done(self, key: K) -> None:
        """The key, which was taken, was handled."""
        del self._handled[key]
        self._moved_at = asyncio.get_running_loop().time()
        if key in self._again:
            self._again.discard(key)
            self.enqueue(key)

    async def work(self, handle: Callable[[K], Awaitable[float | None]]) -> None:
        """Handle one key after the other, for ever. Several may run at once.

        Args:
            handle: returns the seconds until the key is to be handled again; None where somebody else enqueues it.
        """
        while True:
            key = await self.take()
            try:
                after = await handle(key)
            finally:
                self.done(key)
            if after is not None:
                self.enqueue(key, after=after)

    def forget(self, key: K) -> None:
        """Drop what was planned for later."""
        self._cancel_timer(key)

    @property
    def depth(self) -> int:
        """How many keys are due and wait for a worker."""
        return len(self._queued)

    @property
    def oldest_wait(self) -> float:
        """Seconds for which the key that is due longest has waited for a worker; 0 where none is due."""
        return self._since(min(self._queued.values())) if self._queued else 0.0

    @property
    def still_for(self) -> float:
        """Seconds for which a worker has been at one key, or none has come though a key is due.

        A long queue that moves is no reason to start anew: that would only make it longer.
        """
        waits = [self._since(max(self._moved_at, min(self._queued.values())))] if self._queued else []
        return max([*map(self._since, self._handled.values()), *waits], default=0.0)

    @staticmethod
    def _since(time: float) -> float:
        return asyncio.get_running_loop().time() - time

    def close(self) -> None:
        """Drop all that was planned."""
        for key in list(self._timers):
            self._cancel_timer(key)

    def _enqueue_later(self, key: K, after: float) -> None:
        loop = asyncio.get_running_loop()
        planned = self._timers.get(key)
        if planned is not None and planned.when() <= loop.time() + after:
            return
        self._cancel_timer(key)
        self._timers[key] = loop.call_later(after, self.enqueue, key)

    def _cancel_timer(self, key: K) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()


class Backoff(Generic[K]):
    """Exponential delays with jitter, per key."""

    def __init__(self, *, first: float, most: float) -> None:
        self._first = first
        self._most = most
        self._tries: dict[K, int] = {}

    def next(self, key: K) -> float:
        """Seconds to wait before the next try: doubled each time, the last quarter of it at random."""
        tries = self._tries.get(key, 0)
        self._tries[key] = tries + 1
        delay = min(self._most, self._first * 2.0 ** min(tries, 30))
        return delay * (1 - random.random() / 4)  # noqa: S311 - spreads load, keeps no secret

    def reset(self, key: K) -> None:
        """The key is well again."""
        self._tries.pop(key, None)
