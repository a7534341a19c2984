"""The output of the demo."""

import sys
import time

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


def fail(error: BaseException) -> None:
    """Print why the demo failed."""
    print(f"\nThe demo FAILED: {error}", file=sys.stderr, flush=True)
