"""Each Event is written exactly once, whatever polls, restarts and failovers come after it. Nobody waits for one."""

import asyncio
import datetime
from collections.abc import Callable, Sequence
from typing import Self

import pytest

from spout_operator.controller.events import PAUSE, TRIES
from spout_operator.core.activity import Activity, Failed, Started, WorkerEvent
from spout_operator.core.errors import NotLeading, Retryable, Stalled
from spout_operator.core.events import EventType
from spout_operator.core.model import Owner, PipelineName
from spout_operator.core.reasons import Reason
from spout_operator.ports import Dropped
from tests.builders import NOON, a_key, a_name, a_resource, a_spec, a_spout_body
from tests.fakes.memory_events import MemoryEvents
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import CLUSTER, World, now

KEY, NAME = a_key(), a_name()
NO_ANSWER = Retryable(Reason.INTERNAL_ERROR, "no answer, as asked for")
#: Seconds: longer than it takes until the log of a worker is read again, and than code must run to have recovered.
A_WHILE = 120
#: Else commits alone would be trouble: its marker does not move.
WITHOUT_MARKER: dict[str, object] = {"spout": {}}


class Pipelines(MemoryPipelines):
    """Pipelines whose worker logs what a test says."""

    def __init__(self) -> None:
        super().__init__(runs_at_once=True, now=now)
        self.log: list[WorkerEvent] = []

    async def activity(self, name: PipelineName, *, since: datetime.datetime | None, last_lines: int = 0) -> Activity:  # noqa: ARG002 - as the port has it
        return Activity(events=tuple(self.log) or (Started(at=NOON - datetime.timedelta(seconds=30)),))

    def starts_code(self) -> None:
        self.log.append(Started(at=now()))

    def code_fails(self) -> None:
        self.log.append(Failed(at=now(), exit_code=3))


class Telling(World):
    """An operator that writes Events."""

    def __init__(self, pipelines: Pipelines, spouts: MemorySpouts, events: MemoryEvents) -> None:
        super().__init__(pipelines, spouts, events=events)
        self.events = events

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        await self.begun()
        return self

    async def tells(self, *reasons: str) -> None:
        """Wait until these Events were written, and no others."""

        def details() -> str:
            return f"told: {self.events.told}; it shows {self.spouts.status(KEY)}"

        await self.until(f"the Events {reasons}", lambda: self.events.told == [*reasons], details=details)
        await self.rest()
        assert self.events.told == [*reasons]

    async def goes_on(self, ticks: int = 1) -> None:
        """Let a while pass, and polls come."""
        for _ in range(ticks):
            await asyncio.sleep(A_WHILE)
            await self.ticks()

    def dropped(self, why: Dropped) -> float:
        return self.metrics.registry.get_sample_value("spout_operator_events_dropped_total", {"cause": why}) or 0


@pytest.fixture
def pipelines() -> Pipelines:
    return Pipelines()


@pytest.fixture
def events() -> MemoryEvents:
    return MemoryEvents()


@pytest.fixture
def world(pipelines: Pipelines, spouts: MemorySpouts, events: MemoryEvents) -> Telling:
    return Telling(pipelines, spouts, events)


async def test_a_whole_life_is_told_each_step_once(
    world: Telling, pipelines: Pipelines, spouts: MemorySpouts, events: MemoryEvents
) -> None:
    story: list[str] = []

    async def tells(*more: str) -> None:
        story.extend(more)
        await world.tells(*story)

    async with world:
        spouts.create(a_spout_body())
        await tells("Created", "Running")
        spouts.edit(KEY, description="edited")
        await tells("Updated", "Running")
        spouts.edit(KEY, restartNonce="once more")
        await tells("Restarted", "Running")
        spouts.edit(KEY, suspend=True)
        await tells("Suspended")
        spouts.edit(KEY, suspend=False)
        await tells("Resumed", "Running")
        pipelines.starts_code()
        pipelines.code_fails()
        await world.goes_on()
        await tells("UserCodeFailing")
        pipelines.starts_code()
        await world.goes_on(2)
        await tells("UserCodeRecovered")
        spouts.delete(KEY)
        await world.until("the Spout to be gone", lambda: spouts.resource(KEY) is None)
        await tells("Deleted")

    assert events.note("Updated") == "updated the pipeline, which restarts the spout: description"
    assert "exit code 3" in events.note("UserCodeFailing")
    assert {stored.key for stored in events.stored} == {KEY}
    assert {stored.uid for stored in events.stored} == {a_resource().uid}


async def test_what_was_told_is_told_again_by_no_poll_no_restart_and_no_failover(
    world: Telling, pipelines: Pipelines, spouts: MemorySpouts, events: MemoryEvents
) -> None:
    async with world:
        spouts.create(a_spout_body())
        await world.tells("Created", "Running")
        pipelines.starts_code()
        pipelines.code_fails()
        await world.goes_on()
        await world.tells("Created", "Running", "UserCodeFailing")
        await world.goes_on(10)
    # The memory of the process is gone; what it wrote is not.
    for _ in range(2):
        async with Telling(pipelines, spouts, events) as next_one:
            await next_one.goes_on(3)

    assert events.told == ["Created", "Running", "UserCodeFailing"]


async def test_at_rest_no_request_is_made_for_events(
    world: Telling, pipelines: Pipelines, spouts: MemorySpouts, events: MemoryEvents
) -> None:
    async with world:
        spouts.create(a_spout_body(WITHOUT_MARKER))
        await world.tells("Created", "Running")
        events.calls.clear()
        for _ in range(10):
            pipelines.commit(NAME)
            await world.goes_on()

    assert spouts.status(KEY)["commits"]["total"] == 10
    assert events.calls["write"] == 0


async def test_the_first_commit_after_a_silence_is_told_and_the_next_one_is_not(
    world: Telling, pipelines: Pipelines, spouts: MemorySpouts, events: MemoryEvents
) -> None:
    async with world:
        spouts.create(a_spout_body(WITHOUT_MARKER))
        await world.tells("Created", "Running")
        pipelines.commit(NAME)
        await world.goes_on()
        await asyncio.sleep(2 * 3600)
        pipelines.commit(NAME)
        pipelines.commit(NAME)
        await world.goes_on()
        pipelines.commit(NAME)
        await world.goes_on()
        await world.tells("Created", "Running", "CommitsResumed")
    async with Telling(pipelines, spouts, events) as next_one:
        await next_one.goes_on()
        await next_one.tells("Created", "Running", "CommitsResumed")

    assert events.note("CommitsResumed") == "a commit came after 2 h 2 min without one; 3 commits in total"


async def test_commits_that_came_while_no_operator_looked_end_no_silence(
    world: Telling, pipelines: Pipelines, spouts: MemorySpouts, events: MemoryEvents
) -> None:
    async with world:
        spouts.create(a_spout_body(WITHOUT_MARKER))
        await world.tells("Created", "Running")
        pipelines.commit(NAME)
        await world.goes_on()
    for _ in range(5):
        await asyncio.sleep(1800)
        pipelines.commit(NAME)
    async with Telling(pipelines, spouts, events) as next_one:
        await next_one.goes_on()

    assert spouts.status(KEY)["commits"]["total"] == 6
    assert events.told == ["Created", "Running"]


async def test_commits_that_are_late_are_told_once_and_the_next_commit_too(
    world: Telling, pipelines: Pipelines, spouts: MemorySpouts, events: MemoryEvents
) -> None:
    async with world:
        spouts.create(a_spout_body(WITHOUT_MARKER | {"freshness": {"maxCommitAge": "10m"}}))
        await world.tells("Created", "Running")
        pipelines.commit(NAME)
        await asyncio.sleep(1800)
        await world.tells("Created", "Running", "CommitTooOld")
    async with Telling(pipelines, spouts, events) as next_one:
        await next_one.goes_on()
        await next_one.tells("Created", "Running", "CommitTooOld")
        pipelines.commit(NAME)
        await next_one.goes_on()
        await next_one.tells("Created", "Running", "CommitTooOld", "CommitsResumed")

    assert events.note("CommitTooOld").startswith("no commit since ")


async def test_a_marker_or_data_that_stand_still_are_told_once_and_so_is_their_end(
    world: Telling, pipelines: Pipelines, spouts: MemorySpouts, events: MemoryEvents
) -> None:
    sizes = iter(range(1, 100))

    def data() -> None:
        pipelines.commit(NAME, size=next(sizes))

    def marker() -> None:
        pipelines.write_marker(NAME, {"offset": b"1"})

    async def goes_on(world: Telling, *kinds: Callable[[], None]) -> None:
        for _ in range(3):
            for write in kinds:
                write()
            await world.goes_on()

    story = ["Created", "Running"]
    async with world:
        spouts.create(a_spout_body({"freshness": {"markerStalledAfter": "3m", "outputStalledAfter": "3m"}}))
        await world.tells(*story)
        await goes_on(world, data, marker)
        await world.tells(*story)
        await goes_on(world, data)
        await world.tells(*story, "CommitsWithoutMarker")
        await goes_on(world, data, marker)
        await world.tells(*story, "CommitsWithoutMarker", "MarkerResumed")
        await goes_on(world, marker)
        story += ["CommitsWithoutMarker", "MarkerResumed", "MarkerWithoutCommits"]
        await world.tells(*story)
    async with Telling(pipelines, spouts, events) as next_one:
        await next_one.goes_on()
        await next_one.tells(*story)
        await goes_on(next_one, data, marker)
        await next_one.tells(*story, "OutputResumed")


async def test_a_status_whose_answer_was_lost_is_told_once(
    world: Telling, pipelines: Pipelines, spouts: MemorySpouts, events: MemoryEvents
) -> None:
    async with world:
        spouts.create(a_spout_body())
        await world.tells("Created", "Running")
        spouts.lose_answers(2)
        pipelines.starts_code()
        pipelines.code_fails()
        await world.goes_on(2)
        await world.tells("Created", "Running", "UserCodeFailing")


async def test_an_operator_that_ends_before_the_status_is_written_leaves_the_event_to_the_next_one(
    world: Telling, pipelines: Pipelines, spouts: MemorySpouts, events: MemoryEvents
) -> None:
    async with world:
        spouts.create(a_spout_body(WITHOUT_MARKER))
        await world.tells("Created", "Running")
        pipelines.commit(NAME)
        await world.goes_on()
        await asyncio.sleep(2 * 3600)
        spouts.fail(1000)
        pipelines.commit(NAME)
        await world.goes_on()
        assert events.told == ["Created", "Running"]
    spouts.fail(0)
    async with Telling(pipelines, spouts, events) as next_one:
        await next_one.goes_on()
        await next_one.tells("Created", "Running", "CommitsResumed")


async def test_a_spout_that_is_stalled_tells_why_and_after_an_edit_what_else_is_wrong(
    world: Telling, spouts: MemorySpouts, events: MemoryEvents
) -> None:
    async with world:
        spouts.create(a_spout_body({"resourceRequests": {"cpu": "none"}}))
        await world.tells("Stalled")
        spouts.edit(KEY, resourceRequests={"memory": "none"})
        await world.tells("Stalled", "Stalled")

    first, second = (stored.event for stored in events.stored)
    assert first.type is EventType.WARNING
    assert first.note.startswith("InvalidSpec: spec.resourceRequests.cpu")
    assert second.note.startswith("InvalidSpec: spec.resourceRequests.memory")


async def test_a_deletion_that_is_blocked_is_told_once_for_all_its_tries(
    world: Telling, pipelines: Pipelines, spouts: MemorySpouts, events: MemoryEvents
) -> None:
    async with world:
        spouts.create(a_spout_body())
        await world.tells("Created", "Running")
        pipelines.fail("delete", Stalled(Reason.DELETION_BLOCKED, "the pipeline 'edges' reads its repo"), times=3)
        spouts.delete(KEY)
        await world.tells("Created", "Running", "DeletionBlocked")
        await asyncio.sleep(3 * 400)
        await world.tells("Created", "Running", "DeletionBlocked", "Deleted")

    assert events.note("DeletionBlocked") == "the pipeline 'edges' reads its repo"


@pytest.mark.parametrize(
    ("policy", "told"),
    [("Delete", "Deleted"), ("KeepRepo", "Deleted"), ("Orphan", "Released")],
)
async def test_the_end_of_a_spout_says_what_became_of_its_pipeline(
    world: Telling, spouts: MemorySpouts, policy: str, told: str
) -> None:
    async with world:
        spouts.create(a_spout_body({"deletionPolicy": policy}))
        await world.tells("Created", "Running")
        spouts.delete(KEY)
        await world.tells("Created", "Running", told)


async def test_a_pipeline_that_is_gone_already_is_neither_deleted_nor_released(
    world: Telling, pipelines: Pipelines, spouts: MemorySpouts
) -> None:
    async with world:
        spouts.create(a_spout_body())
        await world.tells("Created", "Running")
        await pipelines.delete(NAME, keep_repo=False)
        spouts.delete(KEY)
        await world.until("the Spout to be gone", lambda: spouts.resource(KEY) is None)
        await world.tells("Created", "Running")


async def test_a_pipeline_without_an_owner_that_is_taken_over_is_told(
    world: Telling, pipelines: Pipelines, spouts: MemorySpouts
) -> None:
    pipelines.make(NAME, a_spec(), None)
    async with world:
        spouts.create(a_spout_body({"adoptionPolicy": "IfUnowned"}))
        await world.tells("Adopted", "Running")


async def test_a_pipeline_that_was_there_already_was_not_created(
    world: Telling, pipelines: Pipelines, spouts: MemorySpouts
) -> None:
    """An earlier call, whose answer was lost, has made it."""
    async with world:
        pipelines.hang("create")
        spouts.create(a_spout_body())
        await world.until("the call to create", lambda: pipelines.calls["create"] == 1)
        pipelines.make(NAME, a_spec(), Owner(cluster=CLUSTER, spout=KEY))
        pipelines.release("create")
        await world.tells("Running")


async def test_an_outage_of_pachyderm_is_told_of_no_spout(
    world: Telling, pipelines: Pipelines, spouts: MemorySpouts
) -> None:
    async with world:
        spouts.create(a_spout_body())
        await world.tells("Created", "Running")
        pipelines.fails_with = Retryable(Reason.PACHYDERM_ERROR, "as asked for")
        await world.goes_on()
        await world.shows(KEY, reason="PachydermError")
        pipelines.fails_with = None
        await world.goes_on(3)
        await world.shows(KEY, ready="True")
        await world.tells("Created", "Running")


async def test_an_api_server_that_takes_no_events_holds_nothing_up(
    world: Telling, pipelines: Pipelines, spouts: MemorySpouts, events: MemoryEvents
) -> None:
    events.hang("write")
    async with world:
        spouts.create(a_spout_body())
        await world.shows(KEY, ready="True")
        spouts.edit(KEY, description="edited")
        await world.shows(KEY, ready="True", version=2)
        assert events.calls["write"] == 1
        events.release("write")
        await world.tells("Created", "Running", "Updated", "Running")


async def test_an_operator_without_the_right_says_so_once_and_counts_what_it_drops(
    world: Telling, spouts: MemorySpouts, events: MemoryEvents, caplog: pytest.LogCaptureFixture
) -> None:
    events.refuses = True
    async with world:
        spouts.create(a_spout_body())
        await world.until("both to be dropped", lambda: world.dropped(Dropped.REFUSED) == 2)
        await world.shows(KEY, ready="True")
        events.refuses = False
        spouts.edit(KEY, description="edited")
        await world.tells("Updated", "Running")

    lines = [line for line in caplog.messages if "is dropped" in line]
    assert len(lines) == 1
    assert "403 as asked for" in lines[0]
    assert "spout_operator_events_dropped_total" in lines[0]


@pytest.mark.parametrize(
    ("failures", "told", "dropped"),
    [(TRIES - 1, ["Created", "Running"], 0), (TRIES, ["Running"], 1)],
    ids=["the last try succeeds", "no try succeeds"],
)
async def test_an_event_that_is_not_answered_is_tried_again_before_it_is_dropped(
    world: Telling, spouts: MemorySpouts, failures: int, told: Sequence[str], dropped: int
) -> None:
    world.events.fail("write", NO_ANSWER, times=failures)
    async with world:
        spouts.create(a_spout_body())
        await asyncio.sleep(TRIES * PAUSE + 1)
        await world.tells(*told)
        assert world.dropped(Dropped.UNANSWERED) == dropped


async def test_a_replica_that_does_not_lead_writes_none(
    world: Telling, spouts: MemorySpouts, events: MemoryEvents
) -> None:
    def not_leading() -> float:
        raise NotLeading("another replica may be acting")

    events.permit = not_leading
    async with world:
        spouts.create(a_spout_body())
        await world.shows(KEY, ready="True")
        await world.goes_on()

    assert (events.told, events.calls["write"]) == ([], 0)


async def test_a_note_holds_no_value_of_the_spouts_environment(
    world: Telling, pipelines: Pipelines, spouts: MemorySpouts, events: MemoryEvents
) -> None:
    pipelines.fail("create", Stalled(Reason.PIPELINE_REJECTED, "Pachyderm refuses it", said="bad swordfish"))
    async with world:
        spouts.create(a_spout_body({"transform": {"image": "i", "cmd": ["c"], "env": {"KEY": "swordfish"}}}))
        await world.tells("Stalled")

    assert events.note("Stalled") == "PipelineRejected: Pachyderm refuses it (bad [redacted])"
