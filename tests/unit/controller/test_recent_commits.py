"""A server that tells of all recent commits in one call: a poll makes two calls, whatever the number of Spouts."""

import contextlib
from collections.abc import AsyncIterator

from spout_operator.core.model import SpoutKey
from tests.builders import a_name, a_spout_body
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import World

MANY = 50


class Watched:
    """Spouts without a marker, on a server that tells of recent commits."""

    def __init__(self) -> None:
        self.pipelines, self.spouts = MemoryPipelines(runs_at_once=True), MemorySpouts()
        self.pipelines.tells_recent_commits = True
        self.world = World(self.pipelines, self.spouts)
        self.keys = [self.spouts.create(a_spout_body({"spout": {}}, name=f"spout-{n}")) for n in range(MANY)]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run until all Spouts are shown."""
        async with self.world:
            await self.shown(0, *self.keys)
            yield

    async def shown(self, total: int, *keys: SpoutKey) -> None:
        """Wait until so many commits are shown of each."""
        await self.world.until(
            f"{total} commits in the status of {len(keys)} Spouts",
            lambda: all(self.spouts.status(key).get("commits", {}).get("total") == total for key in keys),
        )


async def test_a_poll_at_rest_makes_two_calls_whatever_the_number_of_spouts() -> None:
    watched = Watched()
    async with watched.running():
        await watched.world.poller.poll()
        watched.pipelines.calls.clear()

        await watched.world.poller.poll()

    assert watched.pipelines.calls == {"list": 1, "recently_committed": 1}


async def test_only_the_spout_that_has_committed_is_reconciled() -> None:
    watched = Watched()
    async with watched.running():
        watched.pipelines.commit(a_name("spout-7"))
        watched.pipelines.calls.clear()

        await watched.world.poller.poll()
        await watched.shown(1, watched.keys[7])

    assert watched.pipelines.calls["heads"] == 1
    assert watched.spouts.status(watched.keys[8])["commits"]["total"] == 0


async def test_a_commit_of_a_pipeline_that_no_spout_names_is_of_no_interest() -> None:
    watched = Watched()
    async with watched.running():
        watched.pipelines.make(a_name("somebody-elses"), watched.pipelines.spec_of(a_name("spout-0")), None)
        watched.pipelines.commit(a_name("somebody-elses"))
        await watched.world.poller.poll()
        watched.pipelines.calls.clear()

        await watched.world.poller.poll()

    assert watched.pipelines.calls == {"list": 1, "recently_committed": 1}


async def test_commits_that_the_server_left_open_are_finished_once() -> None:
    watched = Watched()
    name, key = a_name("spout-7"), watched.keys[7]
    async with watched.running():
        for _ in range(2):
            watched.pipelines.commit(name, is_automatic=True, finished_at=None)
        await watched.world.poller.poll()
        await watched.world.until("both to be finished", lambda: watched.pipelines.calls["finish"] == 2)
        watched.pipelines.commit(name)
        await watched.world.poller.poll()
        await watched.shown(1, key)

    assert watched.pipelines.calls["finish"] == 2
