"""Whether the user code of each spout runs: when its worker's log is read, and what it told.

Used from the event loop only.
"""

import dataclasses
import datetime
import logging
import zlib
from collections.abc import Callable, Collection, Mapping
from typing import Any

from spout_operator.controller.log_turns import LogTurns, NextRead, loop_time
from spout_operator.controller.worker_starts import WorkerStarts
from spout_operator.core import user_lines
from spout_operator.core.activity import Activity, Failed
from spout_operator.core.errors import NotLeading, SpoutError
from spout_operator.core.history import NOTHING_KNOWN, History
from spout_operator.core.model import Pipeline, PipelineName
from spout_operator.core.reasons import Reason
from spout_operator.core.redaction import Secrets
from spout_operator.core.resource import condition_of
from spout_operator.core.status import conditions, health
from spout_operator.core.status.conditions import READY
from spout_operator.core.status.health import TRUE, UNKNOWN, Health
from spout_operator.core.timestamps import read_time
from spout_operator.ports import Pachyderm

logger = logging.getLogger(__name__)

#: Seconds between two reads of the log of user code that was just started, or whose log tells nothing. Each pause is
#: twice the one before it, and so the first one is twice this.
FIRST_PAUSE = 2.0
#: Seconds between two reads of a log in which something may have changed by now.
PAUSE = 10.0
#: Seconds between two reads of the log of a spout that is quiet: at first and at most. A commit proves life too.
QUIET_PAUSE, LONGEST_PAUSE = 60.0, 600.0
#: The pause is this part of the time for which the spout has been quiet.
PART = 4
#: Seconds after which a quiet spout is reconciled though its log tells nothing new: what somebody else has written into
#: its status is mended then.
RECONCILE_AFTER = 3600.0
#: Seconds for which quiet spouts get turns in advance, so a new one waits no longer than that for all of them together.
AHEAD = 10.0


@dataclasses.dataclass(kw_only=True, slots=True)
class _Known(NextRead):
    version: int
    """Of the pipeline; each version has a worker of its own."""
    since: datetime.datetime
    """From when on the worker is known to be up: a commit that was finished later is its own."""
    history: History = NOTHING_KNOWN
    unknown: str | None = None
    committed_at: datetime.datetime | None = None
    """When its newest own commit was finished."""
    told: float = 0.0
    """By the loop's time: when `health` last told of it."""
    shown: Health | None = None
    """The trouble that the status tells of, until the log was read once."""
    pause: float = FIRST_PAUSE


class UserCode:
    """The health of each spout's user code."""

    def __init__(self, pachyderm: Pachyderm, *, now: Callable[[], datetime.datetime], last_lines: int = 0) -> None:
        """Know nothing yet.

        Args:
            pachyderm: hands out the log of each worker.
            now: the time of day.
            last_lines: so many of the lines that the user code itself wrote are shown; with 0 nobody asks for them.
        """
        self._pachyderm = pachyderm
        self._now = now
        self._last_lines = last_lines
        self._known: dict[PipelineName, _Known] = {}
        self._turns = LogTurns()
        self._starts = WorkerStarts(pachyderm, self._turns, now=now)

    async def health(
        self, pipeline: Pipeline, shown: Mapping[str, Any], committed_at: datetime.datetime | None, secrets: Secrets
    ) -> tuple[Health | None, float | None]:
        """What is known of the user code; its worker's log is read where that is due.

        Args:
            pipeline: as it was observed.
            shown: the status as it is, from which a restarted operator goes on.
            committed_at: when its newest commit was finished.
            secrets: what must not be among the lines of the user code.

        Returns:
            The health, None where nothing is known of a pipeline that is not up; and the seconds until it is to be
            asked for again, None where `due` tells.
        """
        if not health.is_up(pipeline):
            self._known.pop(pipeline.name, None)
            return await self._starts.health(pipeline, shown), None
        self._starts.forget(pipeline.name)
        known = self._known.get(pipeline.name)
        if known is None or known.version != pipeline.version:
            known = self._known[pipeline.name] = self._begin(pipeline, shown, committed_at)
        own = known.committed_at = committed_at if committed_at is not None and committed_at > known.since else None
        proven_for = QUIET_PAUSE - self._seconds_since(own) if own is not None else 0.0
        if proven_for > 0:
            known.due = max(known.due, loop_time() + proven_for)
            known.has_turn = False
        is_due = known.due <= loop_time() and self._is_its_turn(known)
        if is_due:
            await self._read(pipeline.name, known)
        found, known.told = self._found(known), loop_time()
        if is_due:
            self._plan(pipeline.name, known, found)
        is_soon = known.pause < QUIET_PAUSE or known.has_turn
        found = dataclasses.replace(found, message=user_lines.add_to(found.message, found.last_lines, secrets))
        if known.shown is not None and found.ready == UNKNOWN:
            found = known.shown
        return found, (max(0.0, known.due - loop_time()) if is_soon else None)

    def due(self, names: Collection[PipelineName]) -> Mapping[PipelineName, float]:
        """The quiet pipelines whose log is to be read soon, by `is_as_told`; the others ask for their turn in `health`.

        Args:
            names: those that are watched; the others are forgotten.

        Returns:
            Seconds until the turn of each.
        """
        for gone in self._known.keys() - names:
            del self._known[gone]
        self._starts.keep(names)
        now = loop_time()
        waiting = [name for name, known in self._known.items() if known.due <= now and not known.has_turn]
        turns = {}
        for name in sorted(waiting, key=lambda name: self._known[name].due):
            if self._turns.next >= now + AHEAD:
                break
            self._turns.take(self._known[name])
            turns[name] = self._known[name].due - now
        return turns

    async def is_as_told(self, name: PipelineName) -> bool:
        """Read the log of a quiet pipeline whose turn has come.

        Returns:
            Whether `health` would tell what it told before, and that is not long ago.
        """
        known = self._known.get(name)
        if known is None or not known.has_turn:
            return True
        known.has_turn = False
        before = self._found(known)
        await self._read(name, known)
        found = self._found(known)
        self._plan(name, known, found)
        return found == before and loop_time() - known.told < RECONCILE_AFTER

    def _begin(self, pipeline: Pipeline, shown: Mapping[str, Any], committed_at: datetime.datetime | None) -> _Known:
        """Where the status tells of the user code of this very worker, that holds until its log is read."""
        ready = condition_of(shown, READY)
        is_same = (shown.get("pipeline") or {}).get("version") == pipeline.version
        since = read_time(ready.get("lastTransitionTime"))
        if since is None or not is_same or (ready.get("status"), ready.get("reason")) != (TRUE, Reason.RUNNING):
            trouble = conditions.trouble_of_user_code(shown) if is_same else None
            return _Known(version=pipeline.version, since=self._now(), shown=trouble)
        # By then it had run for as long as it takes to be called running.
        history = History(started_at=since - health.FIRST_SECONDS)
        known = _Known(version=pipeline.version, since=since, history=history, committed_at=committed_at)
        known.pause = self._quiet_pause(pipeline.name, known)
        known.due = loop_time() + known.pause
        return known

    def _is_its_turn(self, known: _Known) -> bool:
        """Whether its log may be read now; else it is due when its turn comes, which `due` tells a quiet one."""
        if known.pause >= QUIET_PAUSE and not known.has_turn:
            return False
        return self._turns.is_its_turn(known)

    async def _read(self, name: PipelineName, known: _Known) -> None:
        begin = loop_time()
        try:
            activity = await self._pachyderm.activity(name, since=known.history.read_to, last_lines=self._last_lines)
        except NotLeading:
            raise
        except SpoutError as error:
            logger.debug("Pipeline %s: its worker's log cannot be read: %s", name, error.message)
            activity = Activity(unknown=error.unredacted)
        else:
            known.shown = None
        known.history = known.history.after(activity.events)
        known.unknown = activity.unknown
        self._turns.took(loop_time() - begin)

    def _found(self, known: _Known) -> Health:
        return health.of_user_code(
            known.history, committed_at=known.committed_at, unknown=known.unknown, now=self._now()
        )

    def _plan(self, name: PipelineName, known: _Known, found: Health) -> None:
        """Plan the next read, after one that found this."""
        known.pause = self._pause(name, known, found)
        known.due = loop_time() + known.pause

    def _pause(self, name: PipelineName, known: _Known, found: Health) -> float:
        """Seconds until the next read, after one that found this."""
        trouble = known.history.trouble
        match found.reason:
            case Reason.USER_CODE_UNKNOWN if known.history.started_at is not None:
                return health.FIRST_SECONDS.total_seconds()
            case Reason.USER_CODE_UNKNOWN if self._seconds_since(known.since) < QUIET_PAUSE:
                return min(2 * known.pause, PAUSE)
            case Reason.USER_CODE_UNKNOWN:
                return QUIET_PAUSE
            case Reason.RUNNING if self._seconds_since(known.history.started_at or known.since) < QUIET_PAUSE:
                return PAUSE
            case Reason.USER_CODE_FAILING if trouble is not None and isinstance(trouble.newest, Failed):
                next_try_in = -self._seconds_since(
                    trouble.newest.at + (trouble.newest.retry_in or datetime.timedelta())
                )
                return min(PAUSE + max(next_try_in, 0), QUIET_PAUSE - 1)
            case Reason.OUTPUT_REFUSED:
                return PAUSE
            case _:
                return self._quiet_pause(name, known)

    def _quiet_pause(self, name: PipelineName, known: _Known) -> float:
        """A part of the time for which nothing has happened; each pipeline has a place of its own within it."""
        moments = (known.committed_at, known.since, known.history.started_at, known.history.ended_at)
        quiet = min(self._seconds_since(moment) for moment in moments if moment is not None)
        longest = min(max(quiet / PART, QUIET_PAUSE), LONGEST_PAUSE)
        return max(QUIET_PAUSE, longest * (1 - zlib.crc32(str(name).encode()) % 1000 / 4000))

    def _seconds_since(self, moment: datetime.datetime) -> float:
        return (self._now() - moment).total_seconds()
