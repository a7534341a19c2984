"""The queue before the API server: which Events it drops, how loud that is, and what it shows of a Spout."""

import asyncio
import datetime
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from spout_operator.controller.events import PAUSE, TRIES, EventRecorder
from spout_operator.core.errors import EventRefused, Retryable, SpoutError
from spout_operator.core.events import Event, EventReason, EventType
from spout_operator.core.model import SpoutKey
from spout_operator.core.reasons import Reason
from spout_operator.ports import Dropped
from spout_operator.telemetry.metrics import Metrics
from tests.builders import a_resource
from tests.fakes.memory_events import MemoryEvents
from tests.unit.controller.world import now

ADDRESS = "pachd.example.com:650"
#: Seconds: longer than all tries of an Event take.
A_WHILE = TRIES * PAUSE + 1
REFUSED = EventRefused("403 as asked for")
NO_ANSWER = Retryable(Reason.INTERNAL_ERROR, "no answer, as asked for")


def an_event(note: str = "note") -> Event:
    return Event(type=EventType.NORMAL, reason=EventReason.RUNNING, action="Observe", note=note)


class Recording:
    """A recorder that writes, where the test lets it: while `run` is awaited."""

    def __init__(self, events: MemoryEvents | None, *, most_waiting: int = 2) -> None:
        self.metrics = Metrics()
        self.tested = EventRecorder(events, telemetry=self.metrics, address=ADDRESS, now=now, most_waiting=most_waiting)

    def record(self, *notes: str, **spout: Any) -> None:
        for note in notes:
            self.tested.record(a_resource(**spout), an_event(note))

    async def run(self) -> None:
        """Write what was recorded, until it is written or dropped."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.tested.run(), timeout=A_WHILE)

    @property
    def dropped(self) -> dict[str, float]:
        """How many Events were dropped, by cause."""
        name = "spout_operator_events_dropped_total"
        found = {cause: self.metrics.registry.get_sample_value(name, {"cause": cause}) for cause in Dropped}
        return {str(cause): count for cause, count in found.items() if count}


class Defective(MemoryEvents):
    """An adapter with a defect."""

    async def write(self, key: SpoutKey, uid: str, event: Event, at: datetime.datetime) -> None:  # noqa: ARG002 - as the port has it
        raise ZeroDivisionError


def failing(error: SpoutError, *, times: int = 1) -> MemoryEvents:
    events = MemoryEvents()
    events.fail("write", error, times=times)
    return events


@pytest.mark.parametrize(
    ("api_server", "notes", "dropped", "says"),
    [
        (partial(failing, REFUSED), 1, Dropped.REFUSED, "the Event Running is dropped: 403 as asked for. Further"),
        (
            partial(failing, NO_ANSWER, times=TRIES),
            1,
            Dropped.UNANSWERED,
            "the Event Running is dropped: no answer, as",
        ),
        (MemoryEvents, 3, Dropped.QUEUE_FULL, "the Event Running is dropped: 2 others wait to be written. Further"),
        (Defective, 1, Dropped.REFUSED, "unexpected error while an Event was written"),
    ],
    ids=["refused", "not answered", "one more than may wait", "a defect"],
)
async def test_an_event_that_is_dropped_is_counted_by_its_cause_and_logged_with_its_spout(
    api_server: Callable[[], MemoryEvents], notes: int, dropped: Dropped, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    recording = Recording(api_server())
    recording.record(*map(str, range(notes)))
    await recording.run()

    assert recording.dropped == {dropped: 1}
    (line,) = caplog.messages
    assert line.startswith(f"Spout ingest/my-spout: {says}")


async def test_of_a_row_of_dropped_events_the_first_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    events = failing(REFUSED, times=2)
    recording = Recording(events)
    recording.record("dropped", "dropped too")
    await recording.run()
    assert (len(caplog.messages), recording.dropped) == (1, {"refused": 2})

    recording.record("written")
    await recording.run()
    events.fail("write", REFUSED)
    recording.record("dropped, in another row")
    await recording.run()
    assert (len(caplog.messages), recording.dropped) == (2, {"refused": 3})


async def test_where_nobody_wants_events_none_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    recording = Recording(None)
    recording.record(*map(str, range(5)))
    recording.tested.close()
    await recording.tested.ended()

    assert (recording.dropped, caplog.messages) == ({}, [])


async def test_what_waits_when_the_operator_ends_is_counted_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    recording = Recording(MemoryEvents())
    recording.record("note")
    recording.tested.close()

    assert caplog.messages == ["1 Events are not written: the operator ends"]


async def test_a_note_holds_no_secret_of_its_spout_and_the_address_of_pachyderm_is_none() -> None:
    events = MemoryEvents()
    recording = Recording(events)
    recording.record(f"no swordfish at {ADDRESS}", changes={"transform.env": {"KEY": "swordfish", "PACHD": ADDRESS}})
    await recording.run()

    assert events.note("Running") == f"no [redacted] at {ADDRESS}"
