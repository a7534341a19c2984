"""Every call of a fake passes through here: it is counted, and fails or waits as a test asks."""

import asyncio
import contextlib
from collections import Counter, defaultdict
from collections.abc import AsyncIterator

from spout_operator.core.errors import SpoutError
from spout_operator.ports import Permit


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

    @contextlib.asynccontextmanager
    async def passes(self, method: str) -> AsyncIterator[None]:
        """Around what a call of a method does."""
        if self.permit is not None:
            self.permit()
        self.calls[method] += 1
        fault = self._faults[method].pop(0) if self._faults[method] else None
        is_late = method in self._late
        self._late.discard(method)
        if method in self._hanging:
            await self._wait(method)
        if (error := self.fails_with or fault) is not None:
            # Without the frames of the calls before.
            raise error.with_traceback(None)
        yield
        if is_late:
            await self._wait(method)

    async def _wait(self, method: str) -> None:
        let_go = asyncio.Event()
        self._waiting[method].append(let_go)
        await let_go.wait()
