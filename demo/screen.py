"""What the viewer sees."""

import sys
import time

_STARTED = time.monotonic()


class DemoError(Exception):
    """A step did not hold; the message says what was expected and what was seen."""


def step(text: str) -> None:
    """Begin a step."""
    print(f"\n[{time.monotonic() - _STARTED:5.1f} s] {text}", flush=True)


def show(text: str) -> None:
    """Show something that belongs to the step."""
    for line in text.rstrip().splitlines():
        print(f"    {line}", flush=True)


def fact(text: str) -> None:
    """Show what was found to hold."""
    print(f"    ok: {text}", flush=True)


def fail(error: BaseException) -> None:
    """Say what did not hold."""
    print(f"\nThe demo FAILED: {error}", file=sys.stderr, flush=True)
