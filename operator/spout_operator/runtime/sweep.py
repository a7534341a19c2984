"""Holds the cache against a list now and then: proof that the watch moves, and what it cannot tell of."""

import asyncio
import logging
from collections.abc import Mapping

from spout_operator.core.errors import SpoutError
from spout_operator.core.model import SpoutKey
from spout_operator.ports import Spouts
from spout_operator.runtime.cache import SpoutCache
from spout_operator.runtime.io import BlockingCalls

logger = logging.getLogger(__name__)

#: Seconds between two sweeps: one list of metadata each.
INTERVAL = 60.0


class WentBackError(Exception):
    """The API server has older versions than it had before: what is known must be forgotten, all of it."""


class Sweep:
    """Finds Spouts that vanished while the watch was interrupted, and changes that the watch has not shown."""

    def __init__(self, *, cache: SpoutCache, spouts: Spouts, calls: BlockingCalls) -> None:
        """Sweep nothing yet.

        Args:
            cache: what the watch has shown; what is in it and nowhere else is dropped.
            spouts: where to list.
            calls: runs the listing.
        """
        self._cache = cache
        self._spouts = spouts
        self._calls = calls
        self._listed: Mapping[SpoutKey, int] = {}
        self.overdue: frozenset[SpoutKey] = frozenset()
        """Spouts whose change was listed at the sweep before the last, and has not been shown since."""

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            await asyncio.sleep(INTERVAL)
            await self.sweep()

    async def sweep(self) -> None:
        """Look once.

        Raises:
            WentBackError: a Spout is older than it was, as after a restore of etcd. The cache would take every event
                for one that was overtaken, until the versions have caught up.
        """
        # What comes while the list is made is not in it, and is not gone either.
        before = {key: uid for key in self._cache.spouts() if (uid := self._uid(key)) is not None}
        versions = {key: self._version(key) for key in before}
        overdue = frozenset(key for key, version in self._listed.items() if self._version(key) < version)
        try:
            listed = await self._calls(self._spouts.versions)
        except SpoutError as error:
            logger.warning("%s; it is tried again in %.0f s", error.message, INTERVAL)
            return
        # The list is what etcd holds now, so it is no older than what was known before it was asked for.
        older = sorted(str(key) for key, version in versions.items() if listed.get(key, version) < version)
        if older:
            raise WentBackError(f"the API server has an older {older[0]} than before: was its etcd restored?")
        # One that is gone by now could not be shown any more.
        self.overdue = overdue & listed.keys()
        self._listed = listed
        for key, uid in before.items():
            if key not in listed and self._uid(key) == uid:
                logger.warning("Spout %s: it vanished without an event", key)
                self._cache.drop(key, uid=uid)

    def _uid(self, key: SpoutKey) -> str | None:
        known = self._cache.facts(key)
        return known.uid if known is not None else None

    def _version(self, key: SpoutKey) -> int:
        known = self._cache.facts(key)
        return known.version if known is not None else 0
