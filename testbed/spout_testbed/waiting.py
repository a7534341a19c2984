"""Waiting for a condition with a deadline: the only way the test bed, the tests, the demo and the benchmarks wait."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from spout_testbed.errors import TestbedError

T = TypeVar("T")

INTERVAL = 0.05
"""Seconds between two calls of the condition."""


def eventually(
    look: Callable[[], T | None],
    *,
    what: str,
    seconds: float = 30,
    interval: float = INTERVAL,
    details: Callable[[], str] = str,
) -> T:
    """Return what `look` returns as soon as that is true.

    Args:
        look: called again and again; an exception that it raises ends the wait.
        what: what is waited for, for the message ("the operator to be ready").
        seconds: how long to wait at most.
        interval: seconds between two calls.
        details: called for more to say (the end of a log) only when the time is up.

    Raises:
        TestbedError: the time was up.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise _in_vain(what, seconds, details)
        time.sleep(interval)


async def eventually_async(
    look: Callable[[], T | None],
    *,
    what: str,
    seconds: float = 30,
    interval: float = INTERVAL,
    details: Callable[[], str] = str,
) -> T:
    """Do the same as `eventually`, and let the event loop run between two calls."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise _in_vain(what, seconds, details)
        await asyncio.sleep(interval)


def _in_vain(what: str, seconds: float, details: Callable[[], str]) -> TestbedError:
    return TestbedError(f"waited {seconds:g} s in vain for {what}\n{details()}".rstrip())
