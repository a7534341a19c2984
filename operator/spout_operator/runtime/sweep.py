"""Holds the cache against lists: at the start until all Spouts are known, then as proof that the watches move."""

import asyncio
import logging
from collections.abc import Mapping, Sequence

from spout_operator.core.errors import NamespaceUnavailable, SpoutError
from spout_operator.core.model import SpoutKey
from spout_operator.ports import Spouts
from spout_operator.runtime.cache import SpoutCache
from spout_operator.runtime.io import BlockingCalls
from spout_operator.runtime.queue import Backoff

logger = logging.getLogger(__name__)

#: Seconds between two sweeps: one list of metadata for each watched namespace. A change that a watch does not show is
#: listed by one sweep and told by the next, within a minute.
INTERVAL = 20.0
#: Seconds after which a process that can hold no namespace against a list gives up: another replica may be able to.
GIVE_UP_AFTER = 300.0
#: Seconds before the first and the longest pause between two tries to make the first list.
FIRST_RETRY, LONGEST_RETRY = 1.0, 30.0
#: Seconds between two looks at what the watch has shown of the first list, and until that list is made anew: what was
#: deleted in between is never shown.
LOOK, LONGEST_WAIT = 0.01, 10.0


class WentBackError(Exception):
    """The API server has older versions than it had before: what is known must be forgotten, all of it."""


class OutOfSightError(Exception):
    """For minutes no watched namespace could be held against a list: this process knows nothing of its Spouts."""


class Sweep:
    """Finds Spouts that vanished while the watch was interrupted, and changes that the watch has not shown."""

    def __init__(
        self, *, cache: SpoutCache, spouts: Spouts, calls: BlockingCalls, namespaces: Sequence[str | None] = (None,)
    ) -> None:
        """Sweep nothing yet.

        Args:
            cache: what the watch has shown; what is in it and nowhere else is dropped.
            spouts: where to list.
            calls: runs the listing.
            namespaces: those that are watched; None is all of them.
        """
        self._cache = cache
        self._spouts = spouts
        self._calls = calls
        self._namespaces = namespaces
        self._listed: dict[str | None, Mapping[SpoutKey, int]] = {namespace: {} for namespace in namespaces}
        self._overdue: dict[str | None, frozenset[SpoutKey]] = dict.fromkeys(namespaces, frozenset())
        self._in_order_at = 0.0
        self.troubles: dict[str | None, str | None] = dict.fromkeys(namespaces)
        """By namespace: why it could not be listed the last time, None where it could."""
        self.synced = asyncio.Event()
        """Set once the watch has shown all that was there at the start."""

    @property
    def overdue(self) -> frozenset[SpoutKey]:
        """Spouts whose change was listed at the sweep before the last, and has not been shown since."""
        return frozenset().union(*self._overdue.values())

    async def run(self) -> None:
        """Wait for the first lists, then sweep for ever.

        Raises:
            OutOfSightError: for minutes no namespace was in order.
            WentBackError: see `sweep`.
        """
        self._in_order_at = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(GIVE_UP_AFTER):
                await asyncio.gather(*map(self._begin, self._namespaces))
        except TimeoutError:
            raise self._out_of_sight() from None
        self._in_order_at = asyncio.get_running_loop().time()
        self.synced.set()
        while True:
            await asyncio.sleep(INTERVAL)
            await self.sweep()
            if asyncio.get_running_loop().time() - self._in_order_at > GIVE_UP_AFTER:
                raise self._out_of_sight()

    async def sweep(self) -> None:
        """Look once at each namespace. One that cannot be listed hides nothing of the others.

        Raises:
            WentBackError: a Spout is older than it was, as after a restore of etcd. The cache would take every event
                for one that was overtaken, until the versions have caught up.
        """
        for namespace in self._namespaces:
            await self._sweep(namespace)

    async def _begin(self, namespace: str | None) -> None:
        """Return when the watch has shown all Spouts of a namespace, or nobody can tell which there are."""
        pauses: Backoff[None] = Backoff(first=FIRST_RETRY, most=LONGEST_RETRY)
        while True:
            try:
                listed = await self._list(namespace)
            except NamespaceUnavailable:
                return
            except SpoutError:
                await asyncio.sleep(pauses.next(None))
                continue
            if await self._is_shown(listed):
                self._listed[namespace] = listed
                return

    async def _is_shown(self, listed: Mapping[SpoutKey, int]) -> bool:
        """Whether the watch shows within some seconds what was listed."""
        until = asyncio.get_running_loop().time() + LONGEST_WAIT
        while any(self._version(key) < version for key, version in listed.items()):
            if asyncio.get_running_loop().time() > until:
                return False
            await asyncio.sleep(LOOK)
        return True

    async def _sweep(self, namespace: str | None) -> None:
        # What comes while the list is made is not in it, and is not gone either.
        before = {key: uid for key in self._known(namespace) if (uid := self._uid(key)) is not None}
        versions = {key: self._version(key) for key in before}
        overdue = frozenset(key for key, version in self._listed[namespace].items() if self._version(key) < version)
        # Also where the list fails: what the watch owes is known from the one before.
        self._overdue[namespace] = overdue
        try:
            listed = await self._list(namespace)
        except SpoutError:
            return
        # The list is what etcd holds now, so it is no older than what was known before it was asked for.
        older = sorted(str(key) for key, version in versions.items() if listed.get(key, version) < version)
        if older:
            raise WentBackError(f"the API server has an older {older[0]} than before: was its etcd restored?")
        # One that is gone by now could not be shown any more.
        self._overdue[namespace] = overdue & listed.keys()
        self._listed[namespace] = listed
        for key, uid in before.items():
            if key not in listed and self._uid(key) == uid:
                logger.warning("Spout %s: it vanished without an event", key)
                self._cache.drop(key, uid=uid)
        if not self._overdue[namespace]:
            self._in_order_at = asyncio.get_running_loop().time()

    async def _list(self, namespace: str | None) -> Mapping[SpoutKey, int]:
        try:
            listed = await self._calls(self._spouts.versions, namespace)
        except SpoutError as error:
            if error.message != self.troubles[namespace]:
                logger.warning("%s; it is tried again", error.message)
            self.troubles[namespace] = error.message
            raise
        self.troubles[namespace] = None
        return listed

    def _out_of_sight(self) -> OutOfSightError:
        wrong = "; ".join(filter(None, self.troubles.values())) or "the watch does not show what is listed"
        return OutOfSightError(f"for {GIVE_UP_AFTER:.0f} s no Spouts could be held against a list: {wrong}")

    def _known(self, namespace: str | None) -> list[SpoutKey]:
        return [key for key in self._cache.spouts() if namespace in {None, key.namespace}]

    def _uid(self, key: SpoutKey) -> str | None:
        known = self._cache.facts(key)
        return known.uid if known is not None else None

    def _version(self, key: SpoutKey) -> int:
        known = self._cache.facts(key)
        return known.version if known is not None else 0
