"""The reads of all workers' logs take turns. Used from the event loop only."""

import asyncio
import dataclasses

#: All reads together may take one part of this many of the time: pachd asks the API server for each log, five times a
#: second at most, and makes the workers of new pipelines out of the same budget (docs/pachyderm-1.13.md).
SHARE = 10
#: Seconds between two reads of any log, at most.
LONGEST_GAP = 10.0


@dataclasses.dataclass(kw_only=True, slots=True)
class NextRead:
    """When the log of one worker is read next."""

    due: float = 0.0
    """By the loop's time."""
    has_turn: bool = False
    """Whether `due` is its turn among all that wait."""


class LogTurns:
    """Whose log may be read now."""

    def __init__(self) -> None:
        self._gap = 0.0
        """Seconds between two reads of any log."""
        self._next = 0.0
        """By the loop's time."""

    def is_its_turn(self, read: NextRead) -> bool:
        """Whether a log that is due may be read now; else it is due when its turn comes."""
        now = loop_time()
        if not read.has_turn:
            read.due = max(now, self._next)
            self._next = read.due + self._gap
            read.has_turn = read.due > now
            return not read.has_turn
        read.has_turn = False
        return True

    def took(self, seconds: float) -> None:
        """A read has taken so long."""
        self._gap = min(SHARE * seconds, LONGEST_GAP)


def loop_time() -> float:
    """The time of the event loop that runs."""
    return asyncio.get_running_loop().time()
