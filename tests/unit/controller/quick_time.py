"""An event loop on which a second takes a tenth of one: for tests that wait for the pauses between tries.

What runs in threads, gRPC above all, does not know of it, so its clock cannot jump as `virtual_time`'s does.
"""

import asyncio
import selectors

SPEED = 10


class _QuickSelector(selectors.DefaultSelector):
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found: list[tuple[selectors.SelectorKey, int]] = super().select(timeout and timeout / SPEED)
        return found


class QuickLoop(asyncio.SelectorEventLoop):
    """See above; `@pytest.mark.asyncio(loop_factories=["quick"])` runs a test on it."""

    def __init__(self) -> None:
        super().__init__(_QuickSelector())

    def time(self) -> float:
        return super().time() * SPEED
