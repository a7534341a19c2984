"""The resync: what a watch that stands still, or was interrupted, did not tell."""

import asyncio
from typing import Any

import pytest

from spout_operator.controller.cache import SpoutCache
from spout_operator.controller.resync import (
    GIVE_UP_AFTER,
    INTERVAL,
    LONGEST_RETRY,
    NothingListedError,
    Resync,
    WentBackError,
)
from spout_operator.core.errors import NamespaceUnavailable, Retryable, SpoutError
from spout_operator.core.model import SpoutKey
from spout_operator.core.reasons import Reason
from spout_operator.core.resource import SpoutResource
from tests.builders import a_key, a_resource, a_spout_body
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.virtual_time import now, run

Watched = tuple[MemorySpouts, SpoutCache, Resync, list[SpoutKey]]


@pytest.fixture
async def watched() -> Watched:
    """Spouts, and a cache that is told of them only by `show`."""
    woken: list[SpoutKey] = []
    spouts, cache = MemorySpouts(), SpoutCache(woken.append)
    return spouts, cache, Resync(cache=cache, spouts=spouts), woken


def show(spouts: MemorySpouts, cache: SpoutCache) -> None:
    """The watch tells of everything."""

    def put(_: str, body: dict[str, Any]) -> None:
        cache.put(SpoutResource.from_body(body))

    spouts.watch(put)


async def test_a_watch_that_moves_has_nothing_overdue(watched: Watched) -> None:
    spouts, cache, resync, _ = watched
    key = spouts.create(a_spout_body())
    show(spouts, cache)

    for _ in range(3):
        spouts.edit(key, suspend=True)
        await resync.resync()

    assert not resync.overdue
    assert cache.spouts() == [key]


async def test_a_change_that_was_not_shown_until_the_next_sweep_is_overdue(watched: Watched) -> None:
    spouts, cache, resync, _ = watched
    key = spouts.create(a_spout_body())
    show(spouts, cache)
    spouts.watch(lambda *_: None)
    spouts.edit(key, suspend=True)

    await resync.resync()
    assert not resync.overdue, "it may be on its way"
    await resync.resync()
    assert resync.overdue == {key}

    show(spouts, cache)
    await resync.resync()
    assert not resync.overdue


async def test_a_spout_that_was_never_shown_is_overdue(watched: Watched) -> None:
    spouts, _, resync, _ = watched
    key = spouts.create(a_spout_body())

    await resync.resync()
    await resync.resync()

    assert resync.overdue == {key}


async def test_a_spout_that_vanished_without_an_event_is_dropped_and_enqueued(watched: Watched) -> None:
    spouts, cache, resync, woken = watched
    key = spouts.create(a_spout_body())
    show(spouts, cache)
    await resync.resync()
    spouts.vanish(key)

    await resync.resync()
    await resync.resync()

    assert cache.spouts() == []
    assert woken == [key, key], "when it came and when it was gone"
    assert not resync.overdue


async def test_a_spout_that_comes_while_the_list_is_made_is_not_gone(watched: Watched) -> None:
    _, cache, resync, woken = watched
    comparing = asyncio.ensure_future(resync.resync())
    await asyncio.sleep(0)
    cache.put(a_resource(resourceVersion="1"))

    await comparing

    assert cache.spouts() == woken == [a_key()]


async def test_versions_that_went_back_end_the_operator(watched: Watched) -> None:
    """As after a restore of etcd: every event would be taken for one that was overtaken."""
    spouts, cache, resync, _ = watched
    key = spouts.create(a_spout_body())
    spouts.edit(key, suspend=True)
    show(spouts, cache)
    spouts.restore()

    with pytest.raises(WentBackError, match="older ingest/my-spout than before"):
        await resync.resync()


#: More than the seconds in which a process without any sight of its Spouts gives up.
AGES = GIVE_UP_AFTER + 2 * INTERVAL


@pytest.fixture
async def two_namespaces() -> Watched:
    """As `watched`, for two namespaces."""
    woken: list[SpoutKey] = []
    spouts, cache = MemorySpouts(), SpoutCache(woken.append)
    return spouts, cache, Resync(cache=cache, spouts=spouts, namespaces=("a", "b")), woken


async def test_a_namespace_that_cannot_be_listed_hides_nothing_of_the_others(
    two_namespaces: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    spouts, cache, resync, _ = two_namespaces
    spouts.refusals["a"] = NamespaceUnavailable("403 for a")
    gone, unshown = (spouts.create(a_spout_body(name=name, namespace="b")) for name in ("gone", "unshown"))
    show(spouts, cache)
    spouts.watch(lambda *_: None)
    spouts.vanish(gone)
    spouts.edit(unshown, suspend=True)

    await resync.resync()
    await resync.resync()

    assert cache.spouts() == [unshown]
    assert resync.overdue == {unshown}
    assert resync.troubles == {"a": "403 for a", "b": None}
    assert [record.message for record in caplog.records if "403" in record.message] == ["403 for a; it is tried again"]


async def test_an_overdue_change_is_told_though_later_lists_fail(watched: Watched) -> None:
    spouts, cache, resync, _ = watched
    key = spouts.create(a_spout_body())
    show(spouts, cache)
    spouts.watch(lambda *_: None)
    spouts.edit(key, suspend=True)
    await resync.resync()
    spouts.refusals[None] = Retryable(Reason.INTERNAL_ERROR, "500")

    await resync.resync()

    assert resync.overdue == {key}


async def test_spouts_of_a_namespace_that_cannot_be_listed_are_not_taken_for_gone(two_namespaces: Watched) -> None:
    spouts, cache, resync, _ = two_namespaces
    key = spouts.create(a_spout_body(namespace="a"))
    show(spouts, cache)
    spouts.refusals["a"] = NamespaceUnavailable("403 for a")
    spouts.vanish(key)

    await resync.resync()

    assert cache.spouts() == [key]


async def beginning(resync: Resync) -> asyncio.Task[None]:
    """The resync, running, once it has asked for its first lists."""
    running = asyncio.ensure_future(resync.run())
    await asyncio.wait({running}, timeout=0.05)
    return running


async def test_all_is_known_once_the_watch_has_shown_what_was_listed(watched: Watched) -> None:
    spouts, cache, resync, _ = watched
    spouts.create(a_spout_body(name="one"))
    spouts.create(a_spout_body(name="two"))
    running = await beginning(resync)
    assert not resync.synced.is_set()
    cache.put(SpoutResource.from_body(spouts.resource(a_key("one")) or {}))
    await asyncio.sleep(0.05)
    assert not resync.synced.is_set(), "one is missing"

    cache.put(SpoutResource.from_body(spouts.resource(a_key("two")) or {}))

    async with asyncio.timeout(5):
        await resync.synced.wait()
    running.cancel()


@pytest.mark.parametrize(
    ("refusal", "is_waited_for"),
    [
        pytest.param(Retryable(Reason.INTERNAL_ERROR, "500"), True, id="the list fails: it may hold the older Spout"),
        pytest.param(NamespaceUnavailable("403"), False, id="nobody may list it: that would be waited for for ever"),
    ],
)
async def test_a_namespace_is_waited_for_unless_it_cannot_be_listed(
    two_namespaces: Watched, refusal: SpoutError, *, is_waited_for: bool
) -> None:
    spouts, cache, resync, _ = two_namespaces
    spouts.refusals["a"] = refusal
    spouts.create(a_spout_body(namespace="b"))
    show(spouts, cache)

    running = await beginning(resync)

    assert resync.synced.is_set() is not is_waited_for
    running.cancel()


@pytest.mark.parametrize(
    "refusal", [Retryable(Reason.INTERNAL_ERROR, "500"), NamespaceUnavailable("403")], ids=["fails", "is refused"]
)
def test_a_process_that_sees_no_namespace_for_minutes_ends(refusal: SpoutError) -> None:
    """And so gives up its Lease: another replica may see more."""

    async def scenario() -> None:
        spouts, cache = MemorySpouts(), SpoutCache(lambda _: None)
        resync = Resync(cache=cache, spouts=spouts, namespaces=("a", "b"))
        spouts.refusals = {"a": refusal, "b": refusal}
        begun = asyncio.get_running_loop().time()

        with pytest.raises(NothingListedError, match=f"could be held against a list: {refusal.message}"):
            await resync.run()

        assert GIVE_UP_AFTER <= asyncio.get_running_loop().time() - begun <= AGES

    run(scenario())


def test_a_process_whose_watch_shows_nothing_for_minutes_ends() -> None:
    async def scenario() -> None:
        spouts, cache = MemorySpouts(), SpoutCache(lambda _: None)
        resync = Resync(cache=cache, spouts=spouts)
        running = asyncio.ensure_future(resync.run())
        await resync.synced.wait()
        spouts.create(a_spout_body())

        with pytest.raises(NothingListedError, match="the watch does not show what is listed"):
            await running

    run(scenario())


def test_a_process_that_sees_one_of_its_namespaces_goes_on() -> None:
    async def scenario() -> None:
        spouts, cache = MemorySpouts(), SpoutCache(lambda _: None)
        resync = Resync(cache=cache, spouts=spouts, namespaces=("a", "b"))
        spouts.refusals["a"] = NamespaceUnavailable("403 for a")
        running = asyncio.ensure_future(resync.run())

        await asyncio.sleep(10 * AGES)

        assert not running.done()
        running.cancel()

    run(scenario())


def test_a_namespace_whose_list_fails_for_ever_holds_up_the_others_for_a_minute_and_no_longer() -> None:
    async def scenario() -> None:
        spouts, cache = MemorySpouts(), SpoutCache(lambda _: None)
        key = spouts.create(a_spout_body(namespace="b"))
        show(spouts, cache)
        spouts.refusals["a"] = Retryable(Reason.INTERNAL_ERROR, "500")
        resync = Resync(cache=cache, spouts=spouts, namespaces=("a", "b"))
        running = asyncio.ensure_future(resync.run())

        await resync.synced.wait()

        assert 60 <= now() < 70
        assert resync.knows_all_beside(key)
        assert not resync.knows_all_beside(a_key(namespace="a"))
        await asyncio.sleep(10 * AGES)
        assert not running.done()
        running.cancel()

    run(scenario())


def test_the_spouts_of_a_namespace_that_comes_later_are_enqueued_once_all_of_them_are_known() -> None:
    async def scenario() -> None:
        enqueued: list[SpoutKey] = []
        spouts, cache = MemorySpouts(), SpoutCache(lambda _: None)
        spouts.refusals["a"] = NamespaceUnavailable("403")
        resync = Resync(cache=cache, spouts=spouts, namespaces=("a", "b"), enqueue=enqueued.append)
        running = asyncio.ensure_future(resync.run())
        await resync.synced.wait()
        one, two = (spouts.create(a_spout_body(name=name, namespace="a")) for name in ("one", "two"))
        cache.put(SpoutResource.from_body(spouts.resource(one) or {}))
        spouts.refusals.clear()
        await asyncio.sleep(60)
        assert enqueued == [], "the other may be the older of two that name one pipeline"
        assert not resync.knows_all_beside(one)

        cache.put(SpoutResource.from_body(spouts.resource(two) or {}))
        await asyncio.sleep(60)

        assert enqueued == [one, two]
        assert resync.knows_all_beside(one)
        running.cancel()

    run(scenario())


async def test_no_namespace_that_can_be_listed_means_not_synced(watched: Watched) -> None:
    spouts, _, resync, _ = watched
    spouts.refusals[None] = NamespaceUnavailable("403, as an API server says while it starts")

    running = await beginning(resync)

    assert not resync.synced.is_set()
    running.cancel()


@pytest.mark.parametrize("is_gone", [True, False], ids=["it does not exist", "it may not be listed"])
async def test_of_a_namespace_that_is_gone_no_spout_is_kept(two_namespaces: Watched, *, is_gone: bool) -> None:
    spouts, cache, resync, woken = two_namespaces
    gone, stays = (spouts.create(a_spout_body({"name": f"in-{place}"}, namespace=place)) for place in ("a", "b"))
    show(spouts, cache)
    woken.clear()
    spouts.refusals["a"] = NamespaceUnavailable("no", is_gone=is_gone)

    await resync.resync()

    assert cache.spouts() == ([stays] if is_gone else [gone, stays])
    assert woken == ([gone] if is_gone else [])
    assert not resync.overdue


@pytest.mark.parametrize(
    "refusal", [Retryable(Reason.INTERNAL_ERROR, "500"), NamespaceUnavailable("403")], ids=["fails", "is refused"]
)
def test_a_process_that_has_seen_its_namespaces_and_sees_none_any_more_ends(refusal: SpoutError) -> None:
    async def scenario() -> None:
        spouts = MemorySpouts()
        resync = Resync(cache=SpoutCache(lambda _: None), spouts=spouts, namespaces=("a", "b"))
        running = asyncio.ensure_future(resync.run())
        await resync.synced.wait()
        await asyncio.sleep(10 * AGES)
        spouts.refusals = {"a": refusal, "b": refusal}
        begun = now()

        with pytest.raises(NothingListedError) as error:
            await running

        says = f"for 300 s no Spouts could be held against a list: {refusal.message}; {refusal.message}"
        assert str(error.value) == says
        assert GIVE_UP_AFTER <= now() - begun <= GIVE_UP_AFTER + INTERVAL + LONGEST_RETRY

    run(scenario())


def test_a_process_whose_list_fails_now_and_then_goes_on() -> None:
    async def scenario() -> None:
        spouts = MemorySpouts()
        resync = Resync(cache=SpoutCache(lambda _: None), spouts=spouts, namespaces=("ingest",))
        running = asyncio.ensure_future(resync.run())
        await resync.synced.wait()
        for _ in range(10):
            spouts.refusals = {"ingest": Retryable(Reason.INTERNAL_ERROR, "500")}
            await asyncio.sleep(GIVE_UP_AFTER / 2)
            assert resync.knows_all_beside(a_key()), "the watch goes on"
            spouts.refusals = {}
            await asyncio.sleep(2 * INTERVAL)

        assert not running.done()
        running.cancel()

    run(scenario())


def test_a_namespace_that_goes_away_and_comes_back_is_begun_anew() -> None:
    async def scenario() -> None:
        enqueued: list[SpoutKey] = []
        spouts, cache = MemorySpouts(), SpoutCache(lambda _: None)
        resync = Resync(cache=cache, spouts=spouts, namespaces=("a", "b"), enqueue=enqueued.append)
        before = spouts.create(a_spout_body(name="before", namespace="a"))
        show(spouts, cache)
        running = asyncio.ensure_future(resync.run())
        await resync.synced.wait()
        assert enqueued == [before]
        spouts.refusals["a"] = NamespaceUnavailable("it is gone", is_gone=True)
        spouts.vanish(before)
        await asyncio.sleep(2 * INTERVAL)
        assert not resync.knows_all_beside(before), "nobody can tell"
        assert cache.spouts() == []

        spouts.refusals.clear()
        after = spouts.create(a_spout_body(name="after", namespace="a"))
        await asyncio.sleep(3 * INTERVAL)
        assert enqueued == [before, after]
        assert resync.knows_all_beside(after)
        await asyncio.sleep(AGES)
        assert not running.done()
        running.cancel()

    run(scenario())


async def test_a_namespace_that_was_refused_owes_nothing_of_what_was_listed_before(two_namespaces: Watched) -> None:
    spouts, cache, resync, _ = two_namespaces
    key = spouts.create(a_spout_body(namespace="a"))
    show(spouts, cache)
    spouts.watch(lambda *_: None)
    spouts.edit(key, suspend=True)
    await resync.resync()
    spouts.refusals["a"] = NamespaceUnavailable("403 for a")
    await resync.resync()
    spouts.refusals.clear()

    await resync.resync()

    assert not resync.overdue, "it was listed just now"
    await resync.resync()
    assert resync.overdue == {key}


async def test_a_spout_that_vanished_is_told_and_why(two_namespaces: Watched, caplog: pytest.LogCaptureFixture) -> None:
    spouts, cache, resync, _ = two_namespaces
    one, other = (spouts.create(a_spout_body(name=f"in-{place}", namespace=place)) for place in ("a", "b"))
    show(spouts, cache)
    spouts.vanish(one)
    spouts.vanish(other)
    spouts.refusals["b"] = NamespaceUnavailable("404 for b", is_gone=True)

    await resync.resync()

    assert caplog.messages == [
        "Spout a/in-a: it vanished without an event",
        "404 for b; it is tried again",
        "Spout b/in-b: its namespace is gone",
    ]


async def test_a_spout_whose_end_is_told_while_the_list_is_made_has_not_vanished(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    spouts, cache, resync, woken = watched
    key = spouts.create(a_spout_body())
    show(spouts, cache)
    comparing = asyncio.ensure_future(resync.resync())
    await asyncio.sleep(0)
    spouts.vanish(key)
    cache.drop(key, uid=a_resource().uid)

    await comparing

    assert cache.spouts() == []
    assert woken == [key, key], "when it came and when it was gone"
    assert caplog.messages == []


def test_before_the_first_list_nothing_is_overdue() -> None:
    async def scenario() -> None:
        resync = Resync(cache=SpoutCache(lambda _: None), spouts=MemorySpouts(), namespaces=("a", "b"))

        assert resync.overdue == frozenset()
        assert resync.troubles == {"a": None, "b": None}

    run(scenario())


def test_a_process_whose_watch_has_shown_nothing_of_any_namespace_for_minutes_ends() -> None:
    async def scenario() -> None:
        spouts = MemorySpouts()
        for namespace in ("a", "b"):
            spouts.create(a_spout_body(namespace=namespace))

        with pytest.raises(NothingListedError, match="the watch does not show what is listed"):
            async with asyncio.timeout(AGES):
                await Resync(cache=SpoutCache(lambda _: None), spouts=spouts, namespaces=("a", "b")).run()

        assert now() >= GIVE_UP_AFTER

    run(scenario())
