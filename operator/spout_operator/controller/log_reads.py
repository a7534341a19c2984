"""Reads the logs of quiet workers in their turns: a log that tells nothing new costs no reconcile."""

import logging

from spout_operator.controller.cache import SpoutCache
from spout_operator.controller.poller import Enqueue
from spout_operator.controller.queue import KeyedQueue
from spout_operator.controller.user_code import UserCode
from spout_operator.core.errors import NotLeading
from spout_operator.core.model import SpoutKey

logger = logging.getLogger(__name__)


class LogReads:
    """Used from the event loop only; `run` has to be running."""

    def __init__(
        self, *, queue: KeyedQueue[SpoutKey], cache: SpoutCache, user_code: UserCode, enqueue: Enqueue
    ) -> None:
        """Read nothing yet.

        Args:
            queue: the Spouts whose log has its turn.
            cache: tells which pipeline that is.
            user_code: reads logs.
            enqueue: told of each Spout that has to be reconciled for what its log tells.
        """
        self._queue = queue
        self._cache = cache
        self._user_code = user_code
        self._enqueue = enqueue

    def close(self) -> None:
        """Drop what was planned; the next poll plans anew."""
        self._queue.close()

    async def run(self) -> None:
        """Read one log after the other, for ever."""
        await self._queue.work(self._read)

    async def _read(self, key: SpoutKey) -> None:
        facts = self._cache.facts(key)
        if facts is None:
            return
        try:
            is_as_told = await self._user_code.is_as_told(facts.pipeline_name)
        except NotLeading as error:
            # Nothing was asked. The next poll gives it another turn.
            logger.debug("Spout %s: %s", key, error.message)
            return
        except Exception:
            # The boundary: one log's defect must not end the operator.
            logger.exception("Spout %s: unexpected error", key)
            is_as_told = False
        # It may have gone meanwhile.
        if not is_as_told and self._cache.facts(key) is not None:
            for each in self._cache.rivals(key) | {key}:
                self._enqueue(each)
