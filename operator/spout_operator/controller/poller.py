"""One poller per Pachyderm: a poll lists all pipelines in one call, and finds those whose commits have changed.

A server that can tells of the latter in one call; of another one, the poll reads the branch heads that are due.
"""

import asyncio
import dataclasses
import logging
import time
from collections.abc import Collection, Iterable
from typing import Protocol

from spout_operator.controller.cache import SpoutCache
from spout_operator.controller.observations import ObservationCache
from spout_operator.controller.user_code import UserCode
from spout_operator.core.errors import Failure, NotLeading, SpoutError, Unreachable
from spout_operator.core.model import Heads, Pipeline, PipelineName, SpoutKey
from spout_operator.core.redaction import Secrets
from spout_operator.ports import Pachyderm

logger = logging.getLogger(__name__)

#: Reads of heads at a time: few, so that an outage is noticed after one deadline and not after one for each Spout.
HEAD_READERS = 4


class Enqueue(Protocol):
    """As `KeyedQueue.enqueue`."""

    def __call__(self, key: SpoutKey, *, after: float = 0) -> None:
        """Have a Spout reconciled, `after` seconds from now."""


class Poller:
    """Finds out which Spouts have to be reconciled, and enqueues them. Writes nothing."""

    def __init__(
        self,
        *,
        cache: SpoutCache,
        pachyderm: Pachyderm,
        observations: ObservationCache,
        user_code: UserCode,
        enqueue: Enqueue,
        enqueue_log: Enqueue,
        interval: float,
    ) -> None:
        self._cache = cache
        self._pachyderm = pachyderm
        self._observations = observations
        self._user_code = user_code
        self._enqueue = enqueue
        self._enqueue_log = enqueue_log
        self._interval = interval
        self.last_move: float | None = None
        """Time of the loop at which a request of the poller last ended, well or not; None before the first."""
        self.last_success: float | None = None
        """Seconds since the epoch, when Pachyderm last answered; None where it has not yet."""
        self.is_reached: bool | None = None
        """Whether Pachyderm answered the last poll; None where there was none."""

    @property
    def version(self) -> str | None:
        """The version that Pachyderm told when it last answered; None before."""
        server = self._observations.server
        return server.version if server is not None else None

    async def run(self) -> None:
        """Poll for ever, for the first time after one interval; after an outage the next poll tries again."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        while True:
            await asyncio.sleep(max(0, started + self._interval - loop.time()))
            started = loop.time()
            await self.poll()

    async def poll(self) -> None:
        """Poll once; also without Spouts, as whether Pachyderm can be reached is to be known before there is one."""
        try:
            await self._poll()
            self.is_reached, self.last_success = True, time.time()
        except NotLeading as error:
            # It was not asked, so nothing is known of it.
            logger.debug("%s", error.message)
        except SpoutError as error:
            self.is_reached = False
            self._note_outage(error)
        self._note_move()

    async def _poll(self) -> None:
        # Asked anew after an outage only; one of another version is an outage for as long as it is that.
        self._observations.server = await self._pachyderm.server()
        listed = await self._pachyderm.list()
        self._note_move()
        recent = await self._pachyderm.recently_committed()
        self._note_move()
        claims = dict(self._cache.claims())
        for name in self._observations.compare_with(listed, claims.keys()):
            self._enqueue_claimants(claims[name])
        for name, after in self._user_code.due(claims.keys()).items():
            # Of several Spouts, one is enough: it is the pipeline's log.
            self._enqueue_log(min(claims[name]), after=after)
        due = self._observations.heads.begin_poll(claims.keys())
        if recent is not None:
            for name in recent & claims.keys():
                self._note_move_of(name, claims[name])
            due = []
        names = iter([name for name in due if _is_ours(listed.get(name), claims[name])])

        async def read_heads() -> None:
            for name in names:
                if self._observations.heads.note(name, await self._read_heads(name)):
                    self._note_move_of(name, claims[name])
                self._note_move()

        readers = [asyncio.create_task(read_heads()) for _ in range(HEAD_READERS)]
        try:
            await asyncio.gather(*readers)
        finally:
            # After one that was not answered, no more are asked.
            for task in readers:
                task.cancel()
        self._recover()

    async def _read_heads(self, name: PipelineName) -> Heads | None:
        """The heads, None where they could not be read."""
        try:
            return await self._pachyderm.heads(name)
        except NotLeading:
            raise
        except SpoutError as error:
            # One repo in trouble is no outage; its Spout is reconciled, and its status tells.
            logger.debug("%s", error.message)
            if isinstance(error, Unreachable):
                await self._pachyderm.list()
                self._recover()
            return None

    def _note_move(self) -> None:
        self.last_move = asyncio.get_running_loop().time()

    def _recover(self) -> None:
        """End an outage, if there is one."""
        if self._observations.outage is None:
            return
        logger.info("Pachyderm answers again")
        self.is_reached = True
        self._observations.outage = None
        self._observations.forget_all()
        self._enqueue_all()

    def _note_outage(self, error: SpoutError) -> None:
        outage = self._observations.outage
        # One that goes on for another reason, such as a token that a new pachd does not take, is told anew.
        if outage is None or outage.reason != error.reason:
            # It gets into the status of every Spout, whose own secrets are not all that it can hold.
            failure = dataclasses.replace(Failure.of(error), said=self._cache.secrets().redact(error.said))
            logger.warning("%s", Secrets([]).shown(failure.unredacted))
            self._observations.outage = failure
            self._enqueue_all()

    def _note_move_of(self, name: PipelineName, keys: Iterable[SpoutKey]) -> None:
        """Heads have moved: the reconcile reads them itself, as this answer may come late."""
        self._observations.heads.doubt(name)
        self._enqueue_claimants(keys)

    def _enqueue_claimants(self, keys: Iterable[SpoutKey]) -> None:
        for key in keys:
            self._enqueue(key)

    def _enqueue_all(self) -> None:
        self._enqueue_claimants(self._cache.spouts())


def _is_ours(listed: Pipeline | None, keys: Collection[SpoutKey]) -> bool:
    return listed is not None and listed.owner is not None and listed.owner.spout in keys
