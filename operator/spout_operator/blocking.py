"""Runs the blocking calls of the adapters in a bounded pool of threads, never on the event loop."""

import asyncio
import concurrent.futures
import contextvars
import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class BlockingCalls:
    """Awaits a blocking call in a thread of its own pool; a call is bounded by its own deadline."""

    def __init__(self, name: str, *, threads: int) -> None:
        self._pool = concurrent.futures.ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name)

    async def __call__(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of `function(*args, **kwargs)`, or what it raises."""
        # In the caller's context: a request is part of the trace of what it is made for.
        call = functools.partial(contextvars.copy_context().run, function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    def close(self) -> None:
        """Take no more calls; those under way end by their deadline."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def ended(self) -> None:
        """Wait until no call is under way; after `close`."""
        await asyncio.to_thread(self._pool.shutdown)
