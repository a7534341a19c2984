"""Waiting for a condition with a deadline: the only way the test bed, the tests, the demo and the benchmarks wait."""

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
    """Return what `look` returns as soon as that is neither None nor False.

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
        if found is not None and found is not False:
            return found
        if time.monotonic() > deadline:
            raise TestbedError(f"waited {seconds:g} s in vain for {what}\n{details()}".rstrip())
        time.sleep(interval)
