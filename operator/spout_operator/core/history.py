"""The events of one worker's user code, folded into what a verdict needs. Pure; the newest event counts most."""

import dataclasses
import datetime
from collections.abc import Iterable

from spout_operator.core.activity import Ended, Failed, OutputRefused, Started, WorkerEvent

#: User code that has run for so long after a failure has overcome it, unless its failures are further apart.
LEAST_RECOVERY = datetime.timedelta(minutes=1)
#: User code that fails more rarely than this is ready in between.
LONGEST_RECOVERY = datetime.timedelta(minutes=10)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """Failures, or refusals of the output, in a row: the user code never ran for long in between."""

    newest: Failed | OutputRefused
    since: datetime.datetime
    """When the first of them happened."""
    times: int
    gap: datetime.timedelta | None
    """Between the newest and the one before it, also where that is no longer of this row."""

    @property
    def recovery(self) -> datetime.timedelta:
        """For how long the user code has to run until the trouble is over.

        Twice the time between two failures: user code that dies every 30 seconds is not ready in between.
        """
        if self.gap is None:
            return LEAST_RECOVERY
        return min(max(2 * self.gap, LEAST_RECOVERY), LONGEST_RECOVERY)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """What is known of the user code of one worker."""

    started_at: datetime.datetime | None = None
    """When it was last started."""
    ended: Ended | None = None
    """Its end in a way after which Pachyderm does not start it again, if it was not started since."""
    trouble: Trouble | None = None
    """The newest trouble, also where it was overcome."""
    read_to: datetime.datetime | None = None
    """The time of the newest event."""
    newest: tuple[WorkerEvent, ...] = ()
    """The events of that time; a set takes four times the memory."""

    @property
    def ended_at(self) -> datetime.datetime | None:
        """When it ended with exit code 0, if it was not started since."""
        return self.ended.at if self.ended is not None else None

    def after(self, events: Iterable[WorkerEvent]) -> "History":
        """With more events, oldest first; those that were read before change nothing."""
        history = self
        for event in events:
            if history.read_to is None or event.at > history.read_to:
                history = dataclasses.replace(history.with_one(event), read_to=event.at, newest=(event,))
            elif event.at == history.read_to and event not in history.newest:
                history = dataclasses.replace(history.again(event), newest=(*history.newest, event))
        return history

    def again(self, event: WorkerEvent) -> "History":
        """With an event of the time of the newest; a failure that was read before may only now tell of the next try."""
        trouble = self.trouble
        if trouble is None or type(event) is not type(trouble.newest) or event.at != trouble.newest.at:
            return self.with_one(event)
        known = dataclasses.replace(event, last_lines=event.last_lines or trouble.newest.last_lines)
        return dataclasses.replace(self, trouble=dataclasses.replace(trouble, newest=known))

    def with_one(self, event: WorkerEvent) -> "History":
        """With an event that was not read before."""
        match event:
            case Started():
                return dataclasses.replace(self, started_at=event.at, ended=None)
            case Ended():
                return dataclasses.replace(self, ended=event)
            case Failed() | OutputRefused():
                return dataclasses.replace(self, trouble=self._trouble(event))

    def _trouble(self, event: Failed | OutputRefused) -> Trouble:
        before = self.trouble
        if before is None:
            return Trouble(newest=event, since=event.at, times=1, gap=None)
        gap = event.at - before.newest.at
        ran_from = max(self.started_at or before.newest.at, before.newest.at)
        if event.at - ran_from >= before.recovery or type(event) is not type(before.newest):
            return Trouble(newest=event, since=event.at, times=1, gap=gap)
        return Trouble(newest=event, since=before.since, times=before.times + 1, gap=gap)


NOTHING_KNOWN = History()
