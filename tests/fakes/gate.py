"""Every call of a fake passes through here: it is counted, and fails or waits as a test asks."""

import asyncio
import functools
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar

from spout_operator.core.errors import SpoutError
from spout_operator.ports import Permit

G = TypeVar("G", bound="Gate")
P = ParamSpec("P")
T = TypeVar("T")


class Gate:
    """`calls` is how often each method was called; a call that the permit refuses is none."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.permit: Permit | None = None
        """Asked before each call, as the adapters do before each request."""
        self.fails_with: SpoutError | None = None
        """What every call raises, for as long as it is set."""
        self._faults: defaultdict[str, list[SpoutError | None]] = defaultdict(list)
        self._hanging: set[str] = set()
        self._late: set[str] = set()
        self._waiting: defaultdict[str, list[asyncio.Event]] = defaultdict(list)

    def fail(self, method: str, error: SpoutError, *, times: int = 1, after: int = 0) -> None:
        """Make the next calls of a method raise `error`, `after` a number of calls that do not."""
        self._faults[method] += [*[None] * after, *[error] * times]

    def recover(self, *methods: str) -> None:
        """Drop the errors that are left for these methods."""
        for method in methods:
            self._faults.pop(method, None)

    def hang(self, method: str) -> None:
        """Make the calls of a method wait until `release`."""
        self._hanging.add(method)

    def answer_late(self, method: str) -> None:
        """Execute the next call of a method at once, and answer it only at `release`."""
        self._late.add(method)

    def release(self, method: str) -> None:
        """Let the waiting calls of a method continue."""
        self._hanging.discard(method)
        for call in self._waiting.pop(method, []):
            call.set()

    async def begin(self, method: str) -> bool:
        """Before what a call does: it is counted, waits, or fails. Returns whether it is to be answered late."""
        if self.permit is not None:
            self.permit()
        self.calls[method] += 1
        # As a request does, it lets others run meanwhile.
        await asyncio.sleep(0)
        fault = self._faults[method].pop(0) if self._faults[method] else None
        is_late = method in self._late
        self._late.discard(method)
        if method in self._hanging:
            await self.wait_for_release(method)
        if (error := self.fails_with or fault) is not None:
            # Without the frames of the calls before.
            raise error.with_traceback(None)
        return is_late

    async def wait_for_release(self, method: str) -> None:
        """Wait until the calls of a method are released."""
        let_go = asyncio.Event()
        self._waiting[method].append(let_go)
        await let_go.wait()


def gated(method: Callable[Concatenate[G, P], T]) -> Callable[Concatenate[G, P], Coroutine[Any, Any, T]]:
    """Make a method of a fake a coroutine that passes the gate under the method's own name."""
    name = method.__name__

    @functools.wraps(method)
    async def call(fake: G, /, *args: P.args, **kwargs: P.kwargs) -> T:
        is_late = await fake.begin(name)
        found = method(fake, *args, **kwargs)
        if is_late:
            await fake.wait_for_release(name)
        return found

    return call
