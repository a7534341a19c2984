"""Of a Spout that is gone nothing is kept: many come and go in all ways there are; every collection is as before.

The collections are found by walking what the controller is made of, so a new one is looked at by itself.
"""

import functools
import itertools
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from types import FunctionType, MethodType

import pytest

from spout_operator.core.errors import Unreachable
from spout_operator.core.model import SpoutKey
from spout_operator.core.reasons import Reason
from spout_operator.ports import Result
from spout_operator.telemetry.metrics import Metrics
from tests.builders import a_failure, a_key, a_name, a_spout_body, an_owner
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import World

FIRST, MORE = 10, 30
COLLECTIONS = (dict, list, set, frozenset, deque, tuple)
#: Whose objects are looked into, besides collections and functions.
MADE_OF = ("spout_operator.", "prometheus_client.", "asyncio.queues")


def sizes(root: object, *, without: tuple[object, ...]) -> Counter[str]:
    """How many items are in all collections that are reached from an object, by the way to them."""
    found: Counter[str] = Counter()
    seen = {id(passed) for passed in without}
    waiting: deque[tuple[str, object]] = deque([("controller", root)])
    while waiting:
        path, value = waiting.popleft()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, COLLECTIONS):
            found[path] += len(value)
            items = list(value.values() if isinstance(value, Mapping) else value)
            waiting += [(f"{path}[]", item) for item in items]
        else:
            waiting += [(f"{path}.{name}", part) for name, part in _parts(value)]
    return found


def _parts(value: object) -> Iterator[tuple[str, object]]:
    """What an object is made of: its attributes, and what a function or method holds."""
    if isinstance(value, MethodType):
        yield "self", value.__self__
    elif isinstance(value, functools.partial):
        yield "args", value.args
    elif isinstance(value, FunctionType):
        yield from ((f"cell{number}", cell.cell_contents) for number, cell in enumerate(value.__closure__ or ()))
    elif type(value).__module__.startswith(MADE_OF):
        yield from getattr(value, "__dict__", {}).items()
        slots = {name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ()) if name[:2] != "__"}
        yield from ((name, getattr(value, name, None)) for name in slots)


class Cluster:
    """An operator over Spouts and pipelines in memory, that does all that is due when it is asked to."""

    def __init__(self) -> None:
        self.pipelines = MemoryPipelines(runs_at_once=True)
        self.spouts = MemorySpouts()
        self.world = World(self.pipelines, self.spouts)
        self.controller = self.world.controller

    def total(self, key: SpoutKey) -> int | None:
        """The commits that its status shows."""
        total: int | None = self.spouts.status(key).get("commits", {}).get("total")
        return total

    async def settle(self) -> None:
        """A tick, a resync, and the end of all that is due."""
        await self.controller.poller.poll()
        await self.controller.resync.resync()
        await self.quiet()

    async def quiet(self) -> None:
        """Wait until nothing is due."""
        await self.world.rest()

    async def until(self, look: Callable[[], bool]) -> None:
        """Wait until `look()` is true."""
        await self.world.until("the Spouts to come and go", look)

    def sizes(self) -> Counter[str]:
        """Of all collections."""
        return sizes(self.controller, without=(self.pipelines, self.spouts))


Way = Callable[[Cluster, list[SpoutKey]], Awaitable[None]]


async def deleted(cluster: Cluster, keys: list[SpoutKey]) -> None:
    """As most are."""
    for key in keys:
        cluster.spouts.delete(key)


async def with_their_repo_kept(cluster: Cluster, keys: list[SpoutKey]) -> None:
    for key in keys:
        cluster.spouts.edit(key, deletionPolicy="KeepRepo")
        cluster.spouts.delete(key)


async def without_their_pipeline(cluster: Cluster, keys: list[SpoutKey]) -> None:
    for key in keys:
        cluster.spouts.edit(key, deletionPolicy="Orphan")
        cluster.spouts.delete(key)
    await cluster.quiet()
    for key in keys:
        await cluster.pipelines.delete(a_name(key.name), keep_repo=False)


async def without_their_finalizer(cluster: Cluster, keys: list[SpoutKey]) -> None:
    """Somebody else takes it off one that is there, and deletes it: the pipeline stays."""
    for key in keys:
        cluster.spouts.purge(key)
    await cluster.quiet()
    for key in keys:
        await cluster.pipelines.delete(a_name(key.name), keep_repo=False)


async def without_an_event(cluster: Cluster, keys: list[SpoutKey]) -> None:
    """The watch was interrupted; the resync finds out."""
    for key in keys:
        cluster.spouts.vanish(key)
    await cluster.settle()
    for key in keys:
        await cluster.pipelines.delete(a_name(key.name), keep_repo=False)


async def with_their_pipeline_gone_before(cluster: Cluster, keys: list[SpoutKey]) -> None:
    for key in keys:
        await cluster.pipelines.delete(a_name(key.name), keep_repo=False)
    await cluster.controller.poller.poll()
    for key in keys:
        cluster.spouts.delete(key)


async def made_anew_meanwhile(cluster: Cluster, keys: list[SpoutKey]) -> None:
    """Another one of the name has come, with another pipeline, when the first one's deletion is told."""
    cluster.spouts.withhold()
    for key in keys:
        cluster.spouts.purge(key)
        cluster.spouts.create(a_spout_body({"name": f"{key.name}-anew"}, name=key.name, uid=f"{key.name}-anew"))
    cluster.spouts.deliver()
    await cluster.settle()
    for key in keys:
        cluster.spouts.delete(key)
        await cluster.pipelines.delete(a_name(key.name), keep_repo=False)


async def while_their_status_cannot_be_written(cluster: Cluster, keys: list[SpoutKey]) -> None:
    """The write was under way when they went, and failed."""
    for key in keys:
        cluster.pipelines.commit(a_name(key.name))
    cluster.spouts.hang()
    cluster.spouts.fail(times=len(keys))
    await cluster.controller.poller.poll()
    for key in keys:
        cluster.spouts.purge(key)
    reconcile = cluster.controller.queues["reconcile"]
    await cluster.until(lambda: not cluster.controller.spouts() and not reconcile.depth and not reconcile.still_for)
    cluster.spouts.release()
    await cluster.settle()
    cluster.spouts.fail(times=0)
    for key in keys:
        await cluster.pipelines.delete(a_name(key.name), keep_repo=False)


async def while_pachyderm_is_away(cluster: Cluster, keys: list[SpoutKey]) -> None:
    cluster.pipelines.fails_with = Unreachable("down")
    await cluster.settle()
    for key in keys:
        cluster.spouts.purge(key)
    await cluster.settle()
    cluster.pipelines.fails_with = None
    for key in keys:
        await cluster.pipelines.delete(a_name(key.name), keep_repo=False)


async def with_a_spec_that_cannot_be(cluster: Cluster, keys: list[SpoutKey]) -> None:
    for key in keys:
        cluster.spouts.edit(key, transform={})
    await cluster.quiet()
    for key in keys:
        cluster.spouts.delete(key)


async def whose_pipeline_is_somebody_elses(cluster: Cluster, keys: list[SpoutKey]) -> None:
    for key in keys:
        cluster.pipelines.change(a_name(key.name), owner=an_owner(cluster="another"))
    await cluster.settle()
    for key in keys:
        cluster.spouts.delete(key)
    await cluster.quiet()
    for key in keys:
        await cluster.pipelines.delete(a_name(key.name), keep_repo=False)


async def that_the_policy_denies(cluster: Cluster, keys: list[SpoutKey]) -> None:
    for key in keys:
        cluster.spouts.edit(key, podPatch="[]")
    await cluster.quiet()
    for key in keys:
        cluster.spouts.delete(key)


async def with_a_commit_that_is_open(cluster: Cluster, keys: list[SpoutKey]) -> None:
    for key in keys:
        cluster.pipelines.commit(a_name(key.name), finished_at=None)
    await cluster.settle()
    for key in keys:
        cluster.spouts.delete(key)


async def whose_worker_is_coming_up(cluster: Cluster, keys: list[SpoutKey]) -> None:
    for key in keys:
        cluster.pipelines.change(a_name(key.name), workers=(0, 1), version=2)
    await cluster.settle()
    for key in keys:
        cluster.spouts.delete(key)


async def whose_marker_cannot_be_read(cluster: Cluster, keys: list[SpoutKey]) -> None:
    cluster.pipelines.fail("marker", a_failure(), times=len(keys))
    for key in keys:
        cluster.pipelines.write_marker(a_name(key.name), {"offset": b"1"})
    await cluster.settle()
    for key in keys:
        cluster.spouts.delete(key)


async def before_what_was_written_is_observed(cluster: Cluster, keys: list[SpoutKey]) -> None:
    """The update is answered, and the look at what came of it fails."""
    for key in keys:
        cluster.pipelines.fail("observe", a_failure(), after=1)
        cluster.spouts.edit(key, description="edited")
        await cluster.quiet()
        cluster.spouts.delete(key)
        await cluster.quiet()


WAYS: tuple[Way, ...] = (
    deleted,
    with_their_repo_kept,
    without_their_pipeline,
    without_their_finalizer,
    without_an_event,
    with_their_pipeline_gone_before,
    made_anew_meanwhile,
    while_their_status_cannot_be_written,
    while_pachyderm_is_away,
    with_a_spec_that_cannot_be,
    whose_pipeline_is_somebody_elses,
    that_the_policy_denies,
    with_a_commit_that_is_open,
    whose_worker_is_coming_up,
    whose_marker_cannot_be_read,
    before_what_was_written_is_observed,
)


async def come_and_go(cluster: Cluster, way: Way, prefix: str, spouts: int) -> None:
    """So many Spouts are made, commit, are shown, and go."""
    keys = [cluster.spouts.create(a_spout_body(name=f"{prefix}-{number}")) for number in range(spouts)]
    await cluster.until(lambda: all(cluster.total(key) == 0 for key in keys))
    for key in keys:
        cluster.pipelines.commit(a_name(key.name))
    await cluster.settle()
    await cluster.until(lambda: all(cluster.total(key) == 1 for key in keys))
    await way(cluster, keys)
    await cluster.until(lambda: not cluster.spouts.keys() and not cluster.controller.spouts())
    await cluster.settle()


def make_all_labels(metrics: Metrics) -> None:
    """Which results and reasons there are is bounded; which of them a round brings is a matter of timing."""
    for result, reason in itertools.product(Result, Reason):
        with metrics.reconciling(a_key()) as outcome:
            outcome.result, outcome.reason = result, reason


@pytest.fixture(autouse=True)
def _without_logs(caplog: pytest.LogCaptureFixture) -> None:
    """A line for each Spout takes more time than all the rest."""
    caplog.set_level(logging.CRITICAL, logger="spout_operator")


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_no_collection_keeps_anything_of_a_spout_that_is_gone(way: Way) -> None:
    cluster = Cluster()
    async with cluster.world:
        make_all_labels(cluster.world.metrics)
        # What is made once, such as a thread, is made by the first few.
        await come_and_go(cluster, way, "first", FIRST)
        before = cluster.sizes()

        await come_and_go(cluster, way, "more", MORE)

        grown = {path: (before[path], size) for path, size in cluster.sizes().items() if size > before[path]}
        assert not grown, "the collection: its size before and after"
