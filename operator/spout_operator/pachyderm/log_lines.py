"""The lines of a worker's log, from the LogMessages in which pachd hands them out.

Which of them the user code wrote is the server's word. They may hold anything, the words of a worker too, so they are
only read where they are asked for.
"""

import dataclasses
import datetime

from spout_operator.core.activity import LONGEST_LINE
from spout_operator.pachyderm import wire


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """What was said, and when."""

    at: datetime.datetime
    message: str
    is_of_user: bool = False
    """Whether the user code said it, and not the worker."""


Sized = tuple[int, Line | None]
"""The size of a LogMessage in bytes, and its line; None where nobody asked for lines of that kind."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class LogMessages:
    """Reads the LogMessages of a version, whose fields have these numbers."""

    user: int
    message: int
    at: int

    def of_worker(self, message: bytes) -> Sized:
        """A line that the worker wrote."""
        return len(message), (None if wire.number(message, self.user) else self._line(message))

    def of_user(self, message: bytes) -> Sized:
        """A line that the user code wrote."""
        return len(message), (self._line_of_user(message) if wire.number(message, self.user) else None)

    def of_both(self, message: bytes) -> Sized:
        """A line, whoever wrote it."""
        is_of_user = wire.number(message, self.user)
        return len(message), (self._line_of_user(message) if is_of_user else self._line(message))

    def _line(self, message: bytes) -> Line:
        return Line(at=self._moment(message), message=wire.text(message, self.message))

    def _line_of_user(self, message: bytes) -> Line:
        content = next(wire.values(message, self.message), b"")
        # A character has four bytes at most. Whatever the code writes, the log can be read.
        text = content[: 4 * LONGEST_LINE + 4].decode(errors="replace")
        if len(text) > LONGEST_LINE:
            text = text[: LONGEST_LINE - 1] + "…"
        return Line(at=self._moment(message), message=text, is_of_user=True)

    def _moment(self, message: bytes) -> datetime.datetime:
        return moment(next(wire.values(message, self.at), b""))


def moment(timestamp: bytes) -> datetime.datetime:
    """A google.protobuf.Timestamp as a time; what is finer than a microsecond is left out."""
    seconds, nanoseconds = wire.number(timestamp, 1), wire.number(timestamp, 2)
    found = datetime.datetime.fromtimestamp(seconds, tz=datetime.UTC)
    return found.replace(microsecond=nanoseconds // 1000)
