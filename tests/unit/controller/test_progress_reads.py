"""How a history is counted that is too long for one look: slice by slice, each commit once, and edits in between."""

import datetime
from typing import Any

import pytest

from spout_operator.controller.head_reads import HeadReads
from spout_operator.controller.progress import PAGE, PAGES, Progress
from spout_operator.core.errors import Missing, SpoutError
from spout_operator.core.redaction import Secrets
from spout_operator.core.status.commits import to_status
from tests.builders import a_failure, a_spec, a_spout, a_spout_body, an_outage, an_owner
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import World, now

SPOUT = a_spout()
NAME = SPOUT.pipeline_name


@pytest.fixture(autouse=True)
async def pipeline(pipelines: MemoryPipelines) -> None:
    """It is there, and owned."""
    await pipelines.create(NAME, a_spec(), an_owner())


class Reader:
    """Looks with pages of two commits, two pages at most, and keeps the status. Before each look, heads have moved."""

    def __init__(self, pipelines: MemoryPipelines) -> None:
        self._heads = HeadReads(interval=10, quiet_interval=300)
        self.progress = Progress(pipelines, heads=self._heads, now=now, page=2, pages=2)
        self.status: dict[str, Any] = {}

    async def look(self) -> bool:
        """One look; whether it saw all."""
        self._heads.doubt(NAME)
        reading = await self.progress.read(SPOUT, self.status, Secrets([]))
        if reading.commits is not None:
            self.status = {"commits": to_status(reading.commits)}
        return reading.is_whole

    @property
    def total(self) -> int:
        return int(self.status["commits"]["total"])


@pytest.fixture
def reader(pipelines: MemoryPipelines) -> Reader:
    return Reader(pipelines)


async def test_a_short_history_is_counted_in_one_reconcile(pipelines: MemoryPipelines, reader: Reader) -> None:
    for _ in range(4):
        pipelines.commit(NAME)

    assert await reader.look()
    assert reader.total == 4


async def test_a_longer_history_is_counted_in_several_and_shown_when_it_is_whole(
    pipelines: MemoryPipelines, reader: Reader
) -> None:
    for _ in range(9):
        pipelines.commit(NAME)

    assert not await reader.look()
    assert not reader.status, "not a count that is none"
    assert not await reader.look()
    assert await reader.look()
    assert reader.total == 9


async def test_a_commit_that_comes_during_a_count_is_counted_once(pipelines: MemoryPipelines, reader: Reader) -> None:
    for _ in range(5):
        pipelines.commit(NAME)
    assert not await reader.look()
    newest = [pipelines.commit(NAME) for _ in range(3)][-1]

    assert not await reader.look(), "the head is another by now"
    assert reader.total == 5
    assert await reader.look()
    assert reader.total == 8
    assert reader.status["commits"]["last"]["id"] == newest


async def test_many_new_commits_are_counted_on_in_several(pipelines: MemoryPipelines, reader: Reader) -> None:
    pipelines.commit(NAME)
    assert await reader.look()
    for _ in range(6):
        pipelines.commit(NAME)

    assert not await reader.look()
    assert reader.total == 1
    assert await reader.look()
    assert reader.total == 7


async def test_the_count_begins_anew_with_a_pipeline_that_is_made_anew(
    pipelines: MemoryPipelines, reader: Reader
) -> None:
    for _ in range(6):
        pipelines.commit(NAME)
    assert not await reader.look()
    await pipelines.delete(NAME, keep_repo=False)
    await pipelines.create(NAME, a_spec(), an_owner())
    pipelines.commit(NAME)

    with pytest.raises(Missing, match="could not list the commits"):
        await reader.look()

    assert await reader.look()
    assert reader.total == 1


@pytest.mark.parametrize(
    "error", [an_outage("UNAVAILABLE: down"), a_failure("etcdserver: request timed out")], ids=["outage", "failure"]
)
async def test_a_page_that_fails_costs_none_that_was_read(
    pipelines: MemoryPipelines, reader: Reader, error: SpoutError
) -> None:
    for _ in range(7):
        pipelines.commit(NAME)
    pipelines.fail("commits", error, after=1)
    with pytest.raises(SpoutError) as caught:
        await reader.look()
    assert caught.value is error

    assert not await reader.look()
    assert await reader.look()
    assert reader.total == 7
    assert pipelines.calls["commits"] == 5, "four pages, and the one that failed"


async def test_a_marker_that_cannot_be_read_costs_no_page_either(pipelines: MemoryPipelines, reader: Reader) -> None:
    for _ in range(4):
        pipelines.commit(NAME)
    pipelines.write_marker(NAME, {"offset": b"4"})
    pipelines.fail("marker", an_outage())
    still_out = an_outage("UNAVAILABLE: still down")
    pipelines.fail("heads", still_out, after=1)
    with pytest.raises(SpoutError) as caught:
        await reader.look()
    assert caught.value is still_out

    assert await reader.look()
    assert reader.total == 4
    assert pipelines.calls["commits"] == 2


async def test_a_walk_is_forgotten_with_its_spout(pipelines: MemoryPipelines, reader: Reader) -> None:
    for _ in range(6):
        pipelines.commit(NAME)
    assert not await reader.look()

    reader.progress.forget(SPOUT.key)

    assert not await reader.look(), "from the beginning"
    assert await reader.look()
    assert reader.total == 6


@pytest.mark.parametrize("is_up", [True, False], ids=["its worker is up", "its worker comes up"])
async def test_the_reconciler_looks_without_a_pause_until_all_is_counted(
    pipelines: MemoryPipelines, *, is_up: bool
) -> None:
    length = PAGE * PAGES + 1
    for _ in range(length):
        pipelines.commit(NAME)
    if is_up:
        pipelines.come_up(NAME)
    spouts = MemorySpouts()
    async with World(pipelines, spouts) as world:
        await world.begun()
        begun = now()
        key = spouts.create(a_spout_body())
        await world.shows(key, synced="True", total=length)

    assert now() - begun < datetime.timedelta(seconds=0.5)
    assert pipelines.calls["commits"] == PAGES + 1


async def test_a_history_that_is_gone_when_it_is_listed_is_missing(pipelines: MemoryPipelines, reader: Reader) -> None:
    pipelines.commit(NAME)
    gone = Missing("could not list the commits", said="repo my-spout not found")
    pipelines.fail("commits", gone)

    with pytest.raises(Missing) as caught:
        await reader.look()

    assert caught.value is gone
    assert await reader.look()
    assert reader.total == 1
