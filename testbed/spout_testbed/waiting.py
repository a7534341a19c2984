"""Waiting for a condition: the only way anything in the test bed waits."""

import time
from collections.abc import Callable

from spout_testbed.errors import TestbedError

INTERVAL = 0.05
"""Seconds between two looks."""


def wait_until(
    condition: Callable[[], bool],
    *,
    what: str,
    timeout: float,
    details: Callable[[], str] = lambda: "",
) -> None:
    """Return as soon as `condition()` is true.

    Args:
        condition: looked at every 50 ms; an exception it raises ends the wait.
        what: what is waited for, for the message ("pachd answers on 127.0.0.1:30650").
        timeout: seconds.
        details: asked for more to say only when the time is up (a log's tail).

    Raises:
        TestbedError: the time was up.
    """
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TestbedError(f"waited {timeout:g} s in vain until {what}\n{details()}".rstrip())
        time.sleep(INTERVAL)
