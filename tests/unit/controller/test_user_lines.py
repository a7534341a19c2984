"""Lines of the user code are in the conditions of a Spout where the installation asks for them, and nowhere else."""

import asyncio
import dataclasses
import datetime

import pytest

from spout_operator.core.activity import Activity, Ended, Failed, OutputRefused, Started, Stop, WorkerEvent
from spout_operator.core.model import PipelineName
from tests.builders import NOON, a_key, a_spout_body
from tests.fakes.memory_events import MemoryEvents
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import World, now

KEY = a_key()
#: Seconds between two polls.
POLL = 10
SECRET = "hunter22"  # noqa: S105 - no password
SPOUT = a_spout_body({"transform.env": {"PASSWORD": SECRET}})
LINES = ("connecting", f"login with {SECRET} refused", "ERROR: no such topic")
SHOWN = "; the last lines of the user code: login with [redacted] refused | ERROR: no such topic"
#: How code stops, and the reason that its Spout shows.
STOPS = [
    (Failed(at=NOON, exit_code=3), "UserCodeFailing"),
    (Ended(at=NOON), "UserCodeEnded"),
    (OutputRefused(at=NOON, error="archive/tar: invalid tar header"), "OutputRefused"),
]


class Pipelines(MemoryPipelines):
    """Pipelines whose worker logs these events, and whose code writes `LINES` before each stop.

    Each read finds another line before them.
    """

    def __init__(self, *events: WorkerEvent) -> None:
        super().__init__(runs_at_once=True, now=now)
        self.events = events
        self.reads = 0

    async def activity(self, name: PipelineName, *, since: datetime.datetime | None, last_lines: int = 0) -> Activity:  # noqa: ARG002 - as the port has it
        self.reads += 1
        wrote = (f"attempt {self.reads}", *LINES)
        return Activity(
            events=tuple(
                dataclasses.replace(event, last_lines=wrote[-last_lines:] if last_lines else ())
                if isinstance(event, Stop)
                else event
                for event in self.events
                if event.at <= now()
            )
        )


class Told:
    """All that an operator has told of one Spout whose code stops."""

    def __init__(self, stop: WorkerEvent, reason: str, lines: int, caplog: pytest.LogCaptureFixture) -> None:
        self._pipelines, self._spouts, self._events = Pipelines(Started(at=NOON), stop), MemorySpouts(), MemoryEvents()
        self._reason, self._lines, self._caplog = reason, lines, caplog
        caplog.set_level("DEBUG")

    async def run(self) -> "Told":
        async with World(self._pipelines, self._spouts, events=self._events, user_log_lines=self._lines) as world:
            await world.begun()
            self._spouts.create(SPOUT)
            status = await world.shows(KEY, ready="False", reason=self._reason)
            await world.rest()
            self.conditions = {condition["type"]: condition["message"] for condition in status["conditions"]}
            self.status = str({**status, "conditions": ()})
            self.events = str(self._events.stored)
            self.log = self._caplog.text
            self.metrics = str([sample for metric in world.metrics.registry.collect() for sample in metric.samples])
        return self


@pytest.mark.parametrize(("stop", "reason"), STOPS)
async def test_by_default_no_line_of_the_user_code_is_told_anywhere(
    stop: WorkerEvent, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    told = await Told(stop, reason, 0, caplog).run()

    everything = [*told.conditions.values(), told.status, told.events, told.log, told.metrics]
    assert [text for text in everything for line in LINES if line in text or "last lines" in text] == []
    assert reason in told.events, "there was something to tell"
    assert reason in told.log


@pytest.mark.parametrize(("stop", "reason"), STOPS)
async def test_where_they_are_asked_for_the_conditions_end_with_them_and_nothing_else_has_them(
    stop: WorkerEvent, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    told = await Told(stop, reason, 2, caplog).run()

    assert told.conditions.pop("Ready").endswith(SHOWN)
    if stalled := told.conditions.pop("Stalled", None):
        assert stalled.endswith(SHOWN), "it says the same as Ready"
    elsewhere = [*told.conditions.values(), told.status, told.events, told.log, told.metrics]
    assert [text for text in elsewhere for line in LINES if line in text or "last lines" in text] == []
    assert reason in told.events, "there was something to tell"
    assert reason in told.log


async def test_lines_that_change_make_no_further_write() -> None:
    """Code that fails once a minute, and whose log has other lines at each read."""

    async def writes(lines: int) -> int:
        begin = now()
        fails = [Failed(at=begin + datetime.timedelta(minutes=minute), exit_code=3) for minute in range(10)]
        pipelines, spouts = Pipelines(Started(at=begin), *fails), MemorySpouts()
        async with World(pipelines, spouts, user_log_lines=lines) as world:
            await world.begun()
            spouts.create(SPOUT)
            await world.shows(KEY, ready="False", reason="UserCodeFailing")
            while now() < fails[-1].at + datetime.timedelta(minutes=2):
                await asyncio.sleep(POLL)
                await world.ticks()
            assert pipelines.reads > 2 * len(fails), "the log was read more often than the code failed"
            return spouts.writes.count("status")

    assert await writes(len(LINES) + 1) == await writes(0)
