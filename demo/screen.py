"""The output of the demo."""

import sys
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_STARTED = time.monotonic()


class DemoError(Exception):
    """A step failed. The message says what the demo expected and what it found."""


def step(text: str) -> None:
    """Print the title of a step."""
    print(f"\n[{time.monotonic() - _STARTED:5.1f} s] {text}", flush=True)


def show(text: str) -> None:
    """Print text that belongs to the current step."""
    for line in text.rstrip().splitlines():
        print(f"    {line}", flush=True)


def fact(text: str) -> None:
    """Print a result that the demo has checked."""
    print(f"    ok: {text}", flush=True)


def wait_for(what: str, look: Callable[[], T | None], *, seconds: float, details: Callable[[], str]) -> T:
    """What `look` returns as soon as it returns something.

    Raises:
        DemoError: it did not within `seconds`; `details` then tells what was there.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None:
            return found
        if time.monotonic() > deadline:
            raise DemoError(f"expected {what} within {seconds:.0f} s; instead:\n{details()}")
        time.sleep(0.1)


def fail(error: BaseException) -> None:
    """Print why the demo failed."""
    print(f"\nThe demo FAILED: {error}", file=sys.stderr, flush=True)
