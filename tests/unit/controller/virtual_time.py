"""Runs asyncio code on a clock that jumps to the next timer instead of waiting for it."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from spout_operator.blocking import BlockingCalls

P = ParamSpec("P")
T = TypeVar("T")
Events = list[tuple[selectors.SelectorKey, int]]


class _JumpingSelector(selectors.SelectSelector):
    """Lets the time that was to be waited pass at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> Events:
        if timeout is None:
            raise AssertionError("nothing is planned any more: the code under test would wait for ever")
        self.now += max(timeout, 0)
        return super().select(0)


class _JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _JumpingSelector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


class AtOnce(BlockingCalls):
    """Makes a call where it is awaited: on a clock that jumps, nothing waits for a thread."""

    def __init__(self) -> None:
        super().__init__("unused", threads=1)

    async def __call__(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return function(*args, **kwargs)


def run(scenario: Coroutine[Any, Any, T]) -> T:
    """Run `scenario`; `now()` begins at 0. Waiting without a timer is an error, not a hang."""
    with asyncio.Runner(loop_factory=_JumpingLoop) as runner:
        return runner.run(scenario)


def now() -> float:
    """Seconds since the scenario began, in its own time."""
    return round(asyncio.get_running_loop().time(), 6)
