"""The sweep: what a watch that stands still, or was interrupted, did not tell."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from spout_operator.core.model import SpoutKey
from spout_operator.runtime.cache import SpoutCache
from spout_operator.runtime.io import BlockingCalls
from spout_operator.runtime.sweep import Sweep, WentBackError
from tests.builders import a_key, a_spout_body
from tests.unit.runtime.memory_spouts import MemorySpouts

Watched = tuple[MemorySpouts, SpoutCache, Sweep, list[SpoutKey]]


@pytest.fixture
async def watched() -> AsyncIterator[Watched]:
    """Spouts, and a cache that is told of them only by `show`."""
    woken: list[SpoutKey] = []
    spouts, cache, calls = MemorySpouts(), SpoutCache(woken.append), BlockingCalls("test", threads=1)
    yield spouts, cache, Sweep(cache=cache, spouts=spouts, calls=calls), woken
    calls.close()


def show(spouts: MemorySpouts, cache: SpoutCache) -> None:
    """The watch tells of everything."""

    def put(_: str, body: dict[str, Any]) -> None:
        cache.put(body)

    spouts.watch(put)


async def test_where_the_watch_moves_nothing_is_overdue(watched: Watched) -> None:
    spouts, cache, sweep, _ = watched
    key = spouts.create(a_spout_body())
    show(spouts, cache)

    for _ in range(3):
        spouts.edit(key, suspend=True)
        await sweep.sweep()

    assert not sweep.overdue
    assert cache.spouts() == [key]


async def test_a_change_that_was_not_shown_until_the_next_sweep_is_overdue(watched: Watched) -> None:
    spouts, cache, sweep, _ = watched
    key = spouts.create(a_spout_body())
    show(spouts, cache)
    spouts.watch(lambda *_: None)
    spouts.edit(key, suspend=True)

    await sweep.sweep()
    assert not sweep.overdue, "it may be on its way"
    await sweep.sweep()
    assert sweep.overdue == {key}

    show(spouts, cache)
    await sweep.sweep()
    assert not sweep.overdue


async def test_a_spout_that_was_never_shown_is_overdue(watched: Watched) -> None:
    spouts, _, sweep, _ = watched
    key = spouts.create(a_spout_body())

    await sweep.sweep()
    await sweep.sweep()

    assert sweep.overdue == {key}


async def test_one_that_vanished_without_an_event_is_dropped_and_looked_at(watched: Watched) -> None:
    spouts, cache, sweep, woken = watched
    key = spouts.create(a_spout_body())
    show(spouts, cache)
    await sweep.sweep()
    spouts.vanish(key)

    await sweep.sweep()
    await sweep.sweep()

    assert cache.spouts() == []
    assert woken == [key, key], "when it came and when it was gone"
    assert not sweep.overdue


async def test_one_that_comes_while_the_list_is_made_is_not_gone(watched: Watched) -> None:
    _, cache, sweep, woken = watched
    sweeping = asyncio.ensure_future(sweep.sweep())
    await asyncio.sleep(0)
    cache.put({**a_spout_body(), "metadata": {**a_spout_body()["metadata"], "resourceVersion": "1"}})

    await sweeping

    assert cache.spouts() == woken == [a_key()]


async def test_versions_that_went_back_end_the_operator(watched: Watched) -> None:
    """As after a restore of etcd: every event would be taken for one that was overtaken."""
    spouts, cache, sweep, _ = watched
    key = spouts.create(a_spout_body())
    spouts.edit(key, suspend=True)
    show(spouts, cache)
    spouts.restore()

    with pytest.raises(WentBackError, match="older ingest/my-spout than before"):
        await sweep.sweep()
