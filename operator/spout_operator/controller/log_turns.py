"""The reads of all workers' logs take turns. Used from the event loop only."""

import asyncio
import dataclasses

#: All reads together may take one part of this many of the time: pachd asks the API server for each log, five times a
#: second at most, and makes the workers of new pipelines out of the same budget (docs/pachyderm-1.13.md).
SHARE = 10
#: Seconds between two reads of any log, at least and at most. A read is up to two GetLogs where the code runs, and each
#: takes two of the five requests, so for long no pachd can answer them more often than at the least.
LEAST_GAP, LONGEST_GAP = 0.8, 10.0


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
        self._gap = LEAST_GAP
        """Seconds between two reads of any log."""
        self.next = 0.0
        """By the loop's time: the first turn that nobody has taken."""

    def take(self, read: NextRead) -> None:
        """Give the next turn to a log that is due."""
        read.due = max(loop_time(), self.next)
        read.has_turn = True
        self.next = read.due + self._gap

    def is_its_turn(self, read: NextRead) -> bool:
        """Whether a log that is due may be read now; else it is due when its turn comes."""
        if not read.has_turn:
            self.take(read)
        if read.due > loop_time():
            return False
        read.has_turn = False
        return True

    def took(self, seconds: float) -> None:
        """A read has taken so long."""
        self._gap = min(max(SHARE * seconds, LEAST_GAP), LONGEST_GAP)


def loop_time() -> float:
    """The time of the event loop that runs."""
    return asyncio.get_running_loop().time()
