"""The finalizer: it comes and goes beside those of others, and never at the cost of what others wrote."""

import dataclasses

import pytest

from spout_operator.controller.cache import SpoutCache
from spout_operator.controller.finalizers import FINALIZER, Finalizers
from spout_operator.core.errors import Outdated
from spout_operator.core.model import SpoutKey
from spout_operator.core.resource import SpoutResource
from tests.builders import a_key, a_spout_body
from tests.fakes.memory_spouts import MemorySpouts

KEY = a_key()
THEIRS = "example.com/backup"


@dataclasses.dataclass
class Known:
    """A Spout on the API server, which the informer cache knows, and the finalizers under test."""

    finalizers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.spouts, self.enqueued = MemorySpouts(), list[SpoutKey]()
        self.cache = SpoutCache(self.enqueued.append)
        self.tested = Finalizers(cache=self.cache, spouts=self.spouts)
        self.spouts.create(a_spout_body(finalizers=list(self.finalizers)))
        self.learn()
        self.enqueued.clear()

    @property
    def on_server(self) -> list[str] | None:
        """The finalizers that the API server has; None where the Spout is gone."""
        body = self.spouts.resource(KEY)
        return body["metadata"].get("finalizers", []) if body is not None else None

    @property
    def in_cache(self) -> tuple[str, ...] | None:
        """The finalizers that the cache has; None where it does not know the Spout."""
        known = self.cache.get(KEY)
        return known.finalizers if known is not None else None

    def learn(self) -> SpoutResource:
        """The watch tells of the Spout as it is now."""
        resource = SpoutResource.from_body(self.spouts.resource(KEY) or {})
        self.cache.put(resource)
        return resource

    async def others_write(self, *finalizers: str) -> None:
        """Somebody else writes finalizers."""
        there = SpoutResource.from_body(self.spouts.resource(KEY) or {})
        await self.spouts.write_finalizers(KEY, there.uid, there.resource_version, finalizers)


async def test_the_finalizer_is_added_to_those_of_others() -> None:
    known = Known(finalizers=(THEIRS,))

    written = await known.tested.add(known.learn())

    assert written == known.cache.get(KEY), "what follows is based on the answer"
    assert known.on_server == [THEIRS, FINALIZER]
    assert known.in_cache == (THEIRS, FINALIZER)
    assert known.enqueued == [], "it was the operator itself"


async def test_a_spout_that_is_gone_gets_no_finalizer_and_is_forgotten() -> None:
    known = Known()
    resource = known.learn()
    known.spouts.vanish(KEY)

    assert await known.tested.add(resource) is None
    assert known.in_cache is None


async def test_the_last_finalizer_that_is_removed_lets_the_spout_go() -> None:
    known = Known(finalizers=(FINALIZER,))
    known.spouts.delete(KEY)

    await known.tested.remove(known.learn())

    assert known.on_server is None
    assert known.in_cache is None, "no event has to tell of it"


async def test_a_spout_that_others_still_hold_stays_known() -> None:
    known = Known(finalizers=(THEIRS, FINALIZER))
    known.spouts.delete(KEY)

    await known.tested.remove(known.learn())

    assert known.on_server == [THEIRS]
    assert known.in_cache == (THEIRS,)


@pytest.mark.parametrize("is_known", [True, False], ids=["the cache is newer", "the cache knows nothing of it"])
async def test_the_operators_own_status_updates_are_no_conflict(*, is_known: bool) -> None:
    known = Known()
    resource = known.learn()
    if is_known:
        await known.spouts.write_status(KEY, resource.uid, {"commits": {"total": 1}})
        known.learn()
    else:
        known.cache.drop(KEY, uid=resource.uid)

    written = await known.tested.add(resource)

    assert written is not None
    assert known.on_server == [FINALIZER]
    assert known.spouts.reads == 0, "nothing had to be read again"


@pytest.mark.parametrize("is_told", [True, False], ids=["the watch has told", "the watch is late"])
async def test_finalizers_that_others_wrote_meanwhile_are_not_overwritten(*, is_told: bool) -> None:
    known = Known()
    resource = known.learn()
    await known.others_write(THEIRS)
    if is_told:
        known.learn()

    with pytest.raises(Outdated):
        await known.tested.add(resource)

    assert known.on_server == [THEIRS]
    assert known.in_cache == (THEIRS,), "the next try is based on what they wrote"
    assert known.spouts.reads == 1


async def test_a_spout_that_was_made_anew_meanwhile_is_left_alone() -> None:
    known = Known()
    resource = known.learn()
    known.spouts.create(a_spout_body(uid="another"))
    anew = known.learn()

    with pytest.raises(Outdated):
        await known.tested.add(resource)

    assert known.on_server == []
    assert known.cache.get(KEY) == anew


async def test_what_is_read_again_is_taken_in() -> None:
    known = Known()
    uid = known.learn().uid
    await known.others_write(THEIRS)

    assert await known.tested.read_again(KEY, uid=uid)
    assert known.in_cache == (THEIRS,)


@pytest.mark.parametrize("is_made_anew", [False, True], ids=["it is gone", "another of that name has come"])
async def test_a_spout_that_is_not_there_any_more_is_forgotten(*, is_made_anew: bool) -> None:
    known = Known()
    uid = known.learn().uid
    known.spouts.vanish(KEY)
    if is_made_anew:
        known.spouts.create(a_spout_body(uid="another"))

    assert not await known.tested.read_again(KEY, uid=uid)
    assert known.in_cache is None
    assert known.enqueued == [KEY]
