"""Waiting for a condition with a deadline; the only way a test waits."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(
    look: Callable[[], T | None],
    *,
    what: str,
    seconds: float = 30,
    interval: float = 0.05,
    details: Callable[[], str] = str,
) -> T:
    """What `look` returns as soon as that is neither None nor False; fails after `seconds` with `details`."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None and found is not False:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain for {what}\n{details()}")
        time.sleep(interval)
