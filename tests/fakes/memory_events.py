"""The port `Events` in memory, as the API server keeps them."""

import dataclasses
import datetime

from spout_operator.core.errors import EventRefused, Retryable
from spout_operator.core.events import Event
from spout_operator.core.model import SpoutKey
from spout_operator.core.reasons import Reason
from tests.fakes.gate import Gate, gated

#: As in the adapter.
SERIES = datetime.timedelta(minutes=6)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stored:
    """An Event as somebody finds it who looks: `count` is 1 where it is no series."""

    key: SpoutKey
    uid: str
    event: Event
    first: datetime.datetime
    last: datetime.datetime
    count: int = 1


class MemoryEvents(Gate):
    """`stored` are the Events, oldest first; `calls["write"]` counts what was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.stored: list[Stored] = []
        self.told: list[str] = []
        """The reasons in the order in which they came, those that only made a series longer among them."""
        self.refuses = False
        """Whether the operator may write none."""
        self.is_down = False
        """Whether nothing is answered."""

    def note(self, reason: str) -> str:
        """The note of the only Event with this reason."""
        (note,) = [stored.event.note for stored in self.stored if stored.event.reason == reason]
        return note

    @gated
    def write(self, key: SpoutKey, uid: str, event: Event, at: datetime.datetime) -> None:
        if self.is_down:
            raise Retryable(Reason.INTERNAL_ERROR, "nobody answers")
        if self.refuses:
            raise EventRefused(f"could not create an Event of the Spout {key}: 403 as asked for")
        self._write(key, uid, event, at)

    def close(self) -> None:
        """Nothing is under way."""

    async def ended(self) -> None:
        """Nothing is under way."""

    def _write(self, key: SpoutKey, uid: str, event: Event, at: datetime.datetime) -> None:
        for number, known in enumerate(self.stored):
            if (known.uid, known.event) == (uid, event) and at - known.last <= SERIES:
                if at != known.last:
                    self.told.append(str(event.reason))
                    self.stored[number] = dataclasses.replace(known, last=at, count=known.count + 1)
                return
        self.told.append(str(event.reason))
        self.stored.append(Stored(key=key, uid=uid, event=event, first=at, last=at))
