"""Runs asyncio code on a clock that jumps to the next timer instead of waiting for it."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
Events = list[tuple[selectors.SelectorKey, int]]

#: Of the loop, in which no time passes. A test has at most some thousand.
MOST_TURNS = 100_000


class _JumpingSelector(selectors.SelectSelector):
    """Lets the time that was to be waited pass at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._turns = 0

    def select(self, timeout: float | None = None) -> Events:
        if timeout is None:
            raise AssertionError("nothing is planned any more: the code under test would wait for ever")
        self._turns = 0 if timeout > 0 else self._turns + 1
        if self._turns > MOST_TURNS:
            raise AssertionError("the code under test is busy without end: it does not wait for anything")
        self.now += max(timeout, 0)
        return super().select(0)


class JumpingLoop(asyncio.SelectorEventLoop):
    """Its time begins at 0 and stands still while there is something to do."""

    def __init__(self) -> None:
        self._clock = _JumpingSelector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def run(scenario: Coroutine[Any, Any, T]) -> T:
    """Run `scenario`; `now()` begins at 0. Waiting without a timer is an error, not a hang."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(scenario)


def now() -> float:
    """Seconds since the scenario began, in its own time."""
    return round(asyncio.get_running_loop().time(), 6)
