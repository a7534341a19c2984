"""Which Events a status brings once it is written, whatever was submitted, sent and lost before."""

import asyncio
from contextlib import suppress

import pytest

from spout_operator.controller.events import EventRecorder
from spout_operator.controller.status_events import StatusEvents
from spout_operator.core.events import Event, EventReason, EventType
from spout_operator.telemetry.metrics import Metrics
from tests.builders import a_resource
from tests.fakes.memory_events import MemoryEvents
from tests.unit.controller.world import STEP, now

SPOUT = a_resource()
KEY, UID = SPOUT.key, SPOUT.uid


class Telling:
    """The Events of statuses, and where they are written."""

    def __init__(self) -> None:
        self._events = MemoryEvents()
        self._recorder = EventRecorder(self._events, telemetry=Metrics(), address="memory", now=now)
        self.tested = StatusEvents(self._recorder)

    def submit(self, note: str, uid: str = UID) -> None:
        event = Event(type=EventType.NORMAL, reason=EventReason.COMMITS_RESUMED, action="Observe", note=note)
        self.tested.submitted(KEY, uid, event)

    async def told(self) -> list[str]:
        """The notes of what was told, each as often as it was."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._recorder.run(), timeout=STEP)
        return [stored.event.note for stored in self._events.stored for _ in range(stored.count)]


@pytest.fixture
def telling() -> Telling:
    return Telling()


async def test_statuses_that_become_one_write_tell_of_all_that_they_held(telling: Telling) -> None:
    telling.submit("one")
    telling.submit("two")
    telling.tested.sent(SPOUT)
    telling.tested.written(SPOUT, {})

    assert await telling.told() == ["one", "two"]


async def test_what_is_submitted_while_a_status_is_sent_is_told_with_the_next_one(telling: Telling) -> None:
    telling.submit("one")
    telling.tested.sent(SPOUT)
    telling.submit("two")
    telling.tested.written(SPOUT, {})
    assert await telling.told() == ["one"]

    telling.tested.sent(SPOUT)
    telling.tested.written(SPOUT, {})
    assert await telling.told() == ["one", "two"]


async def test_what_a_write_without_an_answer_held_is_told_once_the_next_one_is_answered(telling: Telling) -> None:
    telling.submit("one")
    telling.tested.sent(SPOUT)
    telling.submit("two")
    telling.tested.sent(SPOUT)
    telling.tested.written(SPOUT, {})

    assert await telling.told() == ["one", "two"]


async def test_of_a_spout_that_was_made_anew_nothing_older_is_told(telling: Telling) -> None:
    telling.submit("of the one before")
    anew = a_resource(uid="another")
    telling.submit("of this one", uid="another")
    telling.tested.sent(anew)
    telling.tested.written(anew, {})

    assert await telling.told() == ["of this one"]
