"""Compares the informer cache with lists: first until all Spouts are known, then to see that the watches move."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from spout_operator.controller.cache import SpoutCache
from spout_operator.controller.queue import Backoff
from spout_operator.core.errors import NamespaceUnavailable, SpoutError
from spout_operator.core.facts import Facts
from spout_operator.core.model import SpoutKey
from spout_operator.ports import Spouts

logger = logging.getLogger(__name__)

#: Seconds between two resyncs: one list of metadata for each watched namespace. A change that a watch does not show is
#: listed by one resync and told by the next, within a minute.
INTERVAL = 20.0
#: Seconds after which a process that can hold no namespace against a list gives up: another replica may be able to.
GIVE_UP_AFTER = 300.0
#: Seconds before the first and the longest pause between two tries to make the first list.
FIRST_RETRY, LONGEST_RETRY = 1.0, 30.0
#: Seconds between two checks of what the watch has shown of the first list, and until that list is made anew: what was
#: deleted in between is never shown.
CHECK_EVERY, LONGEST_WAIT = 0.01, 10.0
#: Seconds for which the namespaces that are known wait for one whose list fails.
LONGEST_WAIT_FOR_OTHERS = 60.0


class WentBackError(Exception):
    """The API server has older versions than it had before: what is known must be forgotten, all of it."""


class NothingListedError(Exception):
    """For minutes no watched namespace could be held against a list: this process knows nothing of its Spouts."""


class Resync:
    """Finds Spouts that vanished while the watch was interrupted, and changes that the watch has not shown."""

    def __init__(
        self,
        *,
        cache: SpoutCache,
        spouts: Spouts,
        namespaces: Sequence[str | None] = (None,),
        enqueue: Callable[[SpoutKey], None] = lambda _: None,
    ) -> None:
        """Compare nothing yet.

        Args:
            cache: what the watch has shown; what is in it and nowhere else is dropped.
            spouts: where to list.
            namespaces: those that are watched; None is all of them.
            enqueue: told of each Spout of a namespace once all of its Spouts are known.
        """
        self._cache = cache
        self._spouts = spouts
        self._namespaces = namespaces
        self._enqueue = enqueue
        self._known_whole: set[str | None] = set()
        """Namespaces of which the watch has shown all that was listed."""
        self._listed: dict[str | None, Mapping[SpoutKey, int]] = {namespace: {} for namespace in namespaces}
        self._overdue: dict[str | None, frozenset[SpoutKey]] = {}
        self._wrong_since: dict[str | None, float] = {}
        """Namespaces that are not in order, and since when."""
        self._errors: dict[str | None, SpoutError | None] = dict.fromkeys(namespaces)
        """By namespace: how the last list of it failed, None where it did not."""
        self.synced = asyncio.Event()
        """Set once the Spouts of every namespace are known, but for those that cannot be listed."""

    @property
    def overdue(self) -> frozenset[SpoutKey]:
        """Spouts whose change was listed at the resync before the last, and has not been shown since."""
        return frozenset().union(*self._overdue.values())

    @property
    def troubles(self) -> Mapping[str | None, str | None]:
        """By namespace: why it could not be listed the last time, None where it could."""
        return {namespace: error.message if error else None for namespace, error in self._errors.items()}

    def knows_all_beside(self, key: SpoutKey) -> bool:
        """Whether all Spouts of the namespace of this one are known."""
        return not self._known_whole.isdisjoint({None, key.namespace})

    async def run(self) -> None:
        """Hold all namespaces against lists, for ever.

        Raises:
            NothingListedError: for minutes no namespace was in order.
            WentBackError: see `resync`.
        """
        parts = [asyncio.ensure_future(self._hold(namespace)) for namespace in self._namespaces]
        parts.append(asyncio.ensure_future(self._open()))
        try:
            await asyncio.gather(*parts)
        finally:
            for part in parts:
                part.cancel()

    async def resync(self) -> None:
        """Compare each namespace once. One that cannot be listed hides nothing of the others.

        Raises:
            WentBackError: a Spout is older than it was, as after a restore of etcd. The cache would take every event
                for one that was overtaken, until the versions have caught up.
        """
        for namespace in self._namespaces:
            await self._compare(namespace)

    async def _hold(self, namespace: str | None) -> None:
        """Hold one namespace against lists; one that goes away and comes back is begun anew."""
        while True:
            await self._begin(namespace)
            self._known_whole.add(namespace)
            for facts in self._known(namespace):
                self._enqueue(facts.key)
            is_there = True
            while is_there:
                await asyncio.sleep(INTERVAL)
                is_there = await self._compare(namespace)
            self._known_whole.discard(namespace)

    async def _open(self) -> None:
        """Set `synced`: of two Spouts that name one pipeline, the older can be in any namespace.

        One that fails in another way than by being refused is waited for, but not for ever: the others go on.
        """
        until = asyncio.get_running_loop().time() + LONGEST_WAIT_FOR_OTHERS
        while not self._known_whole or (  # noqa: ASYNC110 - three things are waited for, one of them a time
            asyncio.get_running_loop().time() < until
            and any(self._is_awaited(namespace) for namespace in self._namespaces)
        ):
            await asyncio.sleep(CHECK_EVERY)
        self.synced.set()

    def _is_awaited(self, namespace: str | None) -> bool:
        is_unavailable = isinstance(self._errors[namespace], NamespaceUnavailable)
        return namespace not in self._known_whole and not is_unavailable

    def _note(self, namespace: str | None, *, is_in_order: bool) -> None:
        """Take in how a comparison ended.

        Raises:
            NothingListedError: no namespace was in order for minutes.
        """
        now = asyncio.get_running_loop().time()
        if is_in_order:
            self._wrong_since.pop(namespace, None)
            return
        # From the first comparison that failed, not from the last that did not: a process that was paused made none.
        self._wrong_since.setdefault(namespace, now)
        if len(self._wrong_since) < len(self._namespaces) or now - max(self._wrong_since.values()) <= GIVE_UP_AFTER:
            return
        wrong = "; ".join(filter(None, self.troubles.values())) or "the watch does not show what is listed"
        raise NothingListedError(f"for {GIVE_UP_AFTER:.0f} s no Spouts could be held against a list: {wrong}")

    async def _begin(self, namespace: str | None) -> None:
        """Return when the watch has shown all Spouts of a namespace."""
        pauses: Backoff[None] = Backoff(first=FIRST_RETRY, most=LONGEST_RETRY)
        while True:
            try:
                listed = await self._list(namespace)
            except SpoutError:
                self._note(namespace, is_in_order=False)
                await asyncio.sleep(pauses.next(None))
                continue
            is_shown = await self._is_shown(listed)
            self._note(namespace, is_in_order=is_shown)
            if is_shown:
                self._listed[namespace] = listed
                return

    async def _is_shown(self, listed: Mapping[SpoutKey, int]) -> bool:
        """Whether the watch shows within some seconds what was listed."""
        until = asyncio.get_running_loop().time() + LONGEST_WAIT
        while any(self._version(key) < version for key, version in listed.items()):
            if asyncio.get_running_loop().time() > until:
                return False
            await asyncio.sleep(CHECK_EVERY)
        return True

    async def _compare(self, namespace: str | None) -> bool:
        """Compare a namespace once; False where it cannot be listed for a reason of its own."""
        # What comes while the list is made is not in it, and is not gone either.
        before = self._known(namespace)
        shown = {facts.key: facts.version for facts in before}
        overdue = frozenset(key for key, version in self._listed[namespace].items() if shown.get(key, 0) < version)
        # Also where the list fails: what the watch owes is known from the one before.
        self._overdue[namespace] = overdue
        try:
            listed = await self._list(namespace)
        except NamespaceUnavailable as error:
            self._overdue[namespace] = frozenset()
            self._listed[namespace] = {}
            if error.is_gone:
                self._drop(before, why="its namespace is gone")
            return False
        except SpoutError:
            self._note(namespace, is_in_order=False)
            return True
        # The list is what etcd holds now, so it is no older than what was known before it was asked for.
        older = sorted(str(key) for key, version in shown.items() if listed.get(key, version) < version)
        if older:
            raise WentBackError(f"the API server has an older {older[0]} than before: was its etcd restored?")
        # One that is gone by now could not be shown any more.
        self._overdue[namespace] = overdue & listed.keys()
        self._listed[namespace] = listed
        self._drop([facts for facts in before if facts.key not in listed], why="it vanished without an event")
        self._note(namespace, is_in_order=not self._overdue[namespace])
        return True

    def _drop(self, gone: Iterable[Facts], *, why: str) -> None:
        """Forget Spouts, unless others of their names have come since."""
        for facts in gone:
            known = self._cache.facts(facts.key)
            if known is not None and known.uid == facts.uid:
                logger.warning("Spout %s: %s", facts.key, why)
                self._cache.drop(facts.key, uid=facts.uid)

    async def _list(self, namespace: str | None) -> Mapping[SpoutKey, int]:
        try:
            listed = await self._spouts.versions(namespace)
        except SpoutError as error:
            if error.message != self.troubles[namespace]:
                logger.warning("%s; it is tried again", error.message)
            # Without the frames that it was raised through, which would be kept with it.
            self._errors[namespace] = error.with_traceback(None)
            raise
        self._errors[namespace] = None
        return listed

    def _known(self, namespace: str | None) -> list[Facts]:
        return [facts for facts in self._cache.all_facts() if namespace in {None, facts.key.namespace}]

    def _version(self, key: SpoutKey) -> int:
        known = self._cache.facts(key)
        return known.version if known is not None else 0
