"""One poller per Pachyderm: one ListPipeline a tick for all Spouts, and a look at the heads of those that are due."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable

from spout_operator.blocking import BlockingCalls
from spout_operator.controller.cache import SpoutCache
from spout_operator.controller.observations import PipelineKnowledge
from spout_operator.core.errors import NotLeading, SpoutError, Unreachable
from spout_operator.core.model import Heads, Pipeline, SpoutKey
from spout_operator.core.redaction import Secrets
from spout_operator.ports import Pachyderm

logger = logging.getLogger(__name__)

#: Looks at heads at a time: few, so that an outage is noticed after one deadline and not after one for each Spout.
LOOKS = 4


class Poller:
    """Finds out which Spouts have to be looked at, and has them looked at. Writes nothing."""

    def __init__(
        self,
        *,
        cache: SpoutCache,
        pachyderm: Pachyderm,
        knowledge: PipelineKnowledge,
        calls: BlockingCalls,
        enqueue: Callable[[SpoutKey], None],
        interval: float,
    ) -> None:
        self._cache = cache
        self._pachyderm = pachyderm
        self._knowledge = knowledge
        self._calls = calls
        self._enqueue = enqueue
        self._interval = interval
        self.last_move: float | None = None
        """Time of the loop at which a look of the poller's last ended, well or not; None before the first."""
        self.last_success: float | None = None
        """Seconds since the epoch, when Pachyderm last answered; None where it has not yet."""
        self.is_reached: bool | None = None
        """Whether Pachyderm answered the last look; None where there was none."""

    async def run(self) -> None:
        """Tick for ever, for the first time after a pause; an outage is noted and the next tick tries again."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        while True:
            await asyncio.sleep(max(0, started + self._interval - loop.time()))
            started = loop.time()
            await self.tick()

    async def tick(self) -> None:
        """Look once; also without Spouts, as whether Pachyderm can be reached is to be known before there is one."""
        try:
            await self._look()
            self.is_reached, self.last_success = True, time.time()
        except NotLeading as error:
            # It was not asked, so nothing is known of it.
            logger.debug("%s", error.message)
        except SpoutError as error:
            self.is_reached = False
            self._note_outage(error)
        self._note_move()

    async def _look(self) -> None:
        # Asked anew after an outage only; one of another version is an outage for as long as it is that.
        self._knowledge.server = await self._calls(self._pachyderm.server)
        listed = await self._calls(self._pachyderm.list)
        self._note_move()
        claims = dict(self._cache.claims())
        for name in self._knowledge.hold_against(listed, claims.keys()):
            self._enqueue_claimants(claims[name])
        due = self._knowledge.heads.tick(claims.keys())
        names = iter([name for name in due if _is_ours(listed.get(name), claims[name])])

        async def look() -> None:
            for name in names:
                if self._knowledge.heads.note(name, await self._read_heads(name)):
                    self._enqueue_claimants(claims[name])
                self._note_move()

        looks = [asyncio.create_task(look()) for _ in range(LOOKS)]
        try:
            await asyncio.gather(*looks)
        finally:
            # After one that was not answered, no more are asked.
            for task in looks:
                task.cancel()
        self._recover()

    async def _read_heads(self, name: str) -> Heads | None:
        """The heads, None where they could not be read."""
        try:
            return await self._calls(self._pachyderm.heads, name)
        except NotLeading:
            raise
        except SpoutError as error:
            # One repo in trouble is no outage; its Spout is looked at, and tells.
            logger.debug("%s", error.message)
            if isinstance(error, Unreachable):
                await self._calls(self._pachyderm.list)
                self._recover()
            return None

    def _note_move(self) -> None:
        self.last_move = asyncio.get_running_loop().time()

    def _recover(self) -> None:
        """End an outage, if there is one."""
        if self._knowledge.outage is None:
            return
        logger.info("Pachyderm answers again")
        self.is_reached = True
        self._knowledge.outage = None
        self._knowledge.forget_all()
        self._enqueue_all()

    def _note_outage(self, error: SpoutError) -> None:
        outage = self._knowledge.outage
        # One that goes on for another reason, such as a token that a new pachd does not take, is told anew.
        if outage is None or outage.reason != error.reason:
            # It is shown on every Spout, whose own secrets are not all that it can hold.
            error.said = self._cache.secrets().redact(error.said)
            logger.warning("%s", Secrets([]).shown(error.unredacted))
            self._knowledge.outage = error
            self._enqueue_all()

    def _enqueue_claimants(self, keys: Iterable[SpoutKey]) -> None:
        for key in keys:
            self._enqueue(key)

    def _enqueue_all(self) -> None:
        self._enqueue_claimants(self._cache.spouts())


def _is_ours(listed: Pipeline | None, keys: Collection[SpoutKey]) -> bool:
    return listed is not None and listed.owner is not None and listed.owner.spout in keys
