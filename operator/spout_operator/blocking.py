"""Runs the blocking calls of an adapter in its own bounded pool of threads, never on the event loop."""

import asyncio
import concurrent.futures
import contextvars
import functools
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

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


class Adapter(Protocol):
    """An adapter with blocking calls of its own."""

    @property
    def calls(self) -> BlockingCalls:
        """Where they run."""


A = TypeVar("A", bound=Adapter)


def in_thread(method: Callable[Concatenate[A, P], T]) -> Callable[Concatenate[A, P], Coroutine[Any, Any, T]]:
    """Make a blocking method a coroutine, whose body runs in a thread of the adapter's."""

    @functools.wraps(method)
    async def call(adapter: A, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await adapter.calls(method, adapter, *args, **kwargs)

    return call
