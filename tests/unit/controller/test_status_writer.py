"""The status writer: which status is written, when, how often, and what the next one is built on."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from spout_operator.controller.cache import SpoutCache
from spout_operator.controller.events import EventRecorder
from spout_operator.controller.queue import KeyedQueue
from spout_operator.controller.status_events import StatusEvents
from spout_operator.controller.status_writer import StatusWriter
from spout_operator.core.events import Event, EventReason, EventType
from spout_operator.core.model import SpoutKey
from spout_operator.core.resource import SpoutResource
from spout_operator.telemetry.metrics import Metrics
from tests.builders import a_key, a_spout_body
from tests.fakes.memory_events import MemoryEvents
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import now

KEY, UID = a_key(), "uid-of-ingest-my-spout"
#: Seconds: between two writes of one status, and less than that.
INTERVAL, MOMENT = 100.0, 1.0
EVENT = Event(type=EventType.NORMAL, reason=EventReason.COMMITS_RESUMED, action="Observe", note="a commit came")


class Writing:
    """A status writer that runs, with a Spout that it may write to."""

    def __init__(self) -> None:
        self.spouts, self.events = MemorySpouts(), MemoryEvents()
        self.cache = SpoutCache(lambda _: None)
        self.queue: KeyedQueue[SpoutKey] = KeyedQueue()
        self.recorder = EventRecorder(self.events, telemetry=Metrics(), address="memory", now=now)
        self.told = StatusEvents(self.recorder)
        self.tested = StatusWriter(
            cache=self.cache, spouts=self.spouts, interval=INTERVAL, queue=self.queue, events=self.told
        )

    def learn(self) -> None:
        """The watch tells of the Spout as it is now."""
        self.cache.put(SpoutResource.from_body(self.spouts.resource(KEY) or {}))

    def submit(self, number: int, **fields: Any) -> None:
        self.tested.submit(KEY, UID, a_status(number), **fields)

    @property
    def writes(self) -> int:
        """How often a status was sent."""
        return self.spouts.writes.count("status")

    @property
    def shown(self) -> int | None:
        """What the API server has."""
        total: int | None = self.spouts.status(KEY).get("commits", {}).get("total")
        return total


def a_status(number: int) -> dict[str, Any]:
    return {"commits": {"total": number}}


def current(writing: Writing) -> Any:
    return writing.tested.current(KEY).get("commits", {}).get("total")


@pytest.fixture
async def writing() -> AsyncIterator[Writing]:
    writing = Writing()
    writing.spouts.create(a_spout_body(resourceVersion="1"))
    writing.learn()
    running = [asyncio.ensure_future(part) for part in (writing.tested.run(), writing.recorder.run())]
    yield writing
    for part in running:
        part.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    writing.tested.close()


async def pass_time(seconds: float = MOMENT) -> None:
    """Let time pass: the loop's, which jumps."""
    await asyncio.sleep(seconds)


async def test_a_status_is_written_at_once_and_taken_in(writing: Writing) -> None:
    writing.submit(1)
    assert current(writing) == 1, "the next one is built on it before it is there"

    await pass_time()

    assert (writing.writes, writing.shown) == (1, 1)
    known = writing.cache.get(KEY)
    assert known is not None
    assert known.status == a_status(1), "no event has to tell of it"


async def test_a_status_that_is_shown_already_is_not_written(writing: Writing) -> None:
    writing.submit(1)
    await pass_time()
    writing.submit(1)
    await pass_time(2 * INTERVAL)

    assert writing.writes == 1


async def test_a_status_that_is_taken_back_before_it_is_sent_is_not_written(writing: Writing) -> None:
    writing.submit(1)
    await pass_time()
    writing.submit(2)
    writing.submit(1)
    await pass_time(2 * INTERVAL)

    assert (writing.writes, writing.shown, current(writing)) == (1, 1, 1)


async def test_statuses_within_the_interval_become_one_write_of_the_newest_at_its_end(writing: Writing) -> None:
    writing.submit(1)
    await pass_time()
    for number in (2, 3, 4):
        writing.submit(number)
    await pass_time(INTERVAL - 2 * MOMENT)
    assert (writing.writes, current(writing)) == (1, 4)

    await pass_time(2 * MOMENT)

    assert (writing.writes, writing.shown) == (2, 4)


async def test_after_the_interval_a_status_is_written_at_once(writing: Writing) -> None:
    writing.submit(1)
    await pass_time(INTERVAL + MOMENT)
    writing.submit(2)
    await pass_time()

    assert (writing.writes, writing.shown) == (2, 2)


async def test_a_status_that_comes_while_one_is_sent_is_written_after_it(writing: Writing) -> None:
    writing.spouts.hang()
    writing.submit(1)
    await pass_time()
    assert current(writing) == 1, "what is under way counts"
    writing.submit(2)
    assert current(writing) == 2
    writing.spouts.release()
    await pass_time(INTERVAL + MOMENT)

    assert (writing.writes, writing.shown) == (2, 2)


async def test_a_write_that_fails_is_told_and_made_again_ever_later(
    writing: Writing, caplog: pytest.LogCaptureFixture
) -> None:
    writing.spouts.fail(times=8)
    writing.submit(1)
    await pass_time()
    assert (writing.writes, current(writing)) == (2, 1)
    assert caplog.messages[0] == "Spout ingest/my-spout: 500 as asked for; next try in 1 s"

    await pass_time(8)
    assert (writing.writes, writing.shown) == (4, None), "after 1, 2 and 4 seconds"
    await pass_time(3 * 60)
    assert writing.shown == 1, "never more than a minute"

    writing.spouts.fail(times=1)
    writing.submit(2)
    await pass_time(INTERVAL + 2 * MOMENT)
    assert writing.shown == 2, "one that was written begins anew"


async def test_a_newer_status_takes_the_place_of_one_that_could_not_be_written(writing: Writing) -> None:
    writing.spouts.hang()
    writing.spouts.fail(times=1)
    writing.submit(1)
    await pass_time(0)
    writing.submit(2)
    writing.spouts.release()
    await pass_time(INTERVAL + MOMENT)

    assert (writing.shown, current(writing)) == (2, 2)


async def test_a_write_without_an_answer_is_not_taken_for_done_or_undone(writing: Writing) -> None:
    writing.submit(1)
    await pass_time(INTERVAL)
    writing.spouts.lose_answers(times=1)
    writing.submit(2)
    await pass_time(0.1)
    assert (writing.shown, current(writing)) == (2, 2)
    # The cache still has the first one.
    writing.submit(1)
    await pass_time(INTERVAL + MOMENT)

    assert (writing.shown, current(writing)) == (1, 1)


@pytest.mark.parametrize("is_made_anew", [False, True], ids=["it is gone", "another of that name has come"])
async def test_the_status_of_a_spout_that_is_gone_is_not_written(writing: Writing, *, is_made_anew: bool) -> None:
    writing.submit(1)
    writing.spouts.vanish(KEY)
    writing.cache.drop(KEY, uid=UID)
    if is_made_anew:
        writing.spouts.create(a_spout_body(uid="another"))
        writing.learn()
    assert current(writing) is None

    await pass_time()

    assert (writing.writes, current(writing)) == (0, None)


async def test_a_spout_that_goes_while_its_status_is_written_is_not_tried_again(
    writing: Writing, caplog: pytest.LogCaptureFixture
) -> None:
    writing.spouts.hang()
    writing.spouts.fail(times=1)
    writing.submit(1)
    await pass_time(0)
    writing.cache.drop(KEY, uid=UID)
    writing.spouts.release()
    await pass_time(2 * INTERVAL)

    assert (writing.writes, caplog.messages) == (1, [])
    writing.learn()
    assert current(writing) is None, "where it comes back, it is as the cache has it"


async def test_a_status_that_another_of_that_name_would_get_is_not_taken_for_its_own(writing: Writing) -> None:
    writing.spouts.hang()
    writing.submit(1)
    await pass_time()
    writing.spouts.create(a_spout_body(uid="another"))
    writing.learn()
    assert current(writing) is None
    writing.spouts.release()
    await pass_time()

    assert (writing.shown, current(writing)) == (None, None)


async def test_a_spout_that_was_forgotten_begins_anew(writing: Writing) -> None:
    writing.submit(1)
    await pass_time()
    writing.submit(2, event=EVENT)

    writing.tested.forget(KEY)

    assert current(writing) == 1, "as the cache has it"
    writing.submit(3)
    await pass_time()
    assert (writing.writes, writing.shown) == (2, 3), "at once, without what came before"
    assert writing.events.told == []


async def test_a_spout_that_is_forgotten_before_its_status_is_sent_gets_none(writing: Writing) -> None:
    writing.submit(1)
    writing.tested.forget(KEY)
    await pass_time()
    assert writing.writes == 0

    writing.submit(2)
    await pass_time()
    assert (writing.writes, writing.shown) == (1, 2), "the writer goes on"


async def test_a_spout_that_is_forgotten_while_its_status_is_sent_is_as_the_cache_has_it(writing: Writing) -> None:
    writing.spouts.hang()
    writing.submit(1)
    await pass_time()

    writing.tested.forget(KEY)

    assert current(writing) is None
    writing.spouts.release()
    await pass_time()
    writing.submit(2)
    await pass_time()
    assert writing.shown == 2, "the writer goes on"


async def test_a_spout_that_was_forgotten_waits_as_if_for_the_first_time(
    writing: Writing, caplog: pytest.LogCaptureFixture
) -> None:
    writing.spouts.fail(times=9)
    writing.submit(1)
    await pass_time(INTERVAL)
    assert writing.shown is None, "it fails still"
    writing.tested.forget(KEY)
    caplog.clear()
    writing.spouts.fail(times=1)
    writing.submit(2)
    await pass_time()

    assert caplog.messages == ["Spout ingest/my-spout: 500 as asked for; next try in 1 s"]


async def test_forgetting_a_spout_that_had_no_status_is_no_error(writing: Writing) -> None:
    writing.tested.forget(KEY)

    writing.submit(1)
    await pass_time()
    assert writing.shown == 1


async def test_after_close_nothing_that_was_planned_is_written(writing: Writing) -> None:
    writing.submit(1)
    await pass_time()
    writing.submit(2)

    writing.tested.close()
    await pass_time(2 * INTERVAL)

    assert writing.writes == 1


async def test_an_event_is_told_once_the_status_that_holds_it_is_written(writing: Writing) -> None:
    writing.spouts.hang()
    writing.submit(1, event=EVENT)
    await pass_time()
    assert writing.events.told == []
    writing.spouts.release()
    await pass_time()

    assert writing.events.told == [EVENT.reason]


async def test_an_event_of_a_status_that_is_shown_already_is_not_told_with_a_later_one(writing: Writing) -> None:
    writing.submit(1)
    await pass_time(INTERVAL)
    writing.submit(1, event=EVENT)
    writing.submit(2)
    await pass_time()

    assert writing.shown == 2
    assert writing.events.told == []


async def test_what_became_of_the_pipeline_is_told_from_the_status_before(writing: Writing) -> None:
    ready = {"type": "Ready", "status": "True", "reason": "Running", "message": "the spout is running"}
    writing.tested.submit(KEY, UID, {"conditions": [ready]})
    await pass_time()

    assert writing.events.told == ["Running"]
    assert writing.events.stored[0].uid == UID
