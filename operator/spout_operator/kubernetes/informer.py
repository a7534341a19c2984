"""The port `Informer`: a kopf for each watched namespace, each in a thread of its own, begun anew whenever it ends.

One for all of them would end all watches for the fault of one namespace (kopf 1.45.2, orchestration.py).
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import kopf

from spout_operator.controller.queue import Backoff
from spout_operator.core.resource import SpoutResource
from spout_operator.kubernetes.watch import LogIn, watch
from spout_operator.kubernetes.watch_health import WatchHealth
from spout_operator.ports import HandleEvent, Telemetry

logger = logging.getLogger(__name__)

#: Seconds before the first and the longest pause until a watch that ended is begun anew. One that lived longer than
#: the longest pause counts as new.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
#: Seconds for the API server to grant a watch; what kopf tries before that takes up to 93 s.
GRANT_WITHIN = 120.0
#: Seconds for a watch to end when it is told to. Its thread does not keep the process from ending.
LAST_MOMENTS = 5.0


class KopfInformer:
    """See `spout_operator.ports.Informer` for the contract."""

    def __init__(
        self,
        *,
        telemetry: Telemetry,
        namespaces: Sequence[str],
        log_in: LogIn = kopf.login_via_client,
        first_pause: float = FIRST_PAUSE,
        grant_within: float = GRANT_WITHIN,
    ) -> None:
        """Watch nothing yet.

        Args:
            telemetry: told of each request.
            namespaces: which ones; none for all.
            log_in: gives the credentials.
            first_pause: seconds before a watch that ended for the first time is begun anew.
            grant_within: seconds for the API server to grant a watch.
        """
        self._telemetry = telemetry
        self._log_in = _one_at_a_time(log_in)
        self._first_pause = first_pause
        self._grant_within = grant_within
        watched: Sequence[str | None] = namespaces or [None]
        self._healths = {namespace: WatchHealth(_what(namespace)) for namespace in watched}

    async def run(self, handle_event: HandleEvent) -> None:
        async with asyncio.TaskGroup() as keepers:
            for namespace, health in self._healths.items():
                keepers.create_task(self._keep(namespace, health, handle_event))

    def troubles(self) -> Mapping[str | None, str | None]:
        return {namespace: health.trouble for namespace, health in self._healths.items()}

    async def _keep(self, namespace: str | None, health: WatchHealth, handle_event: HandleEvent) -> None:
        """Watch one namespace for ever."""
        pauses: Backoff[None] = Backoff(first=self._first_pause, most=LONGEST_PAUSE)
        while True:
            begun = time.monotonic()
            health.ended(await self._watch(namespace, health, handle_event))
            if time.monotonic() - begun > LONGEST_PAUSE:
                pauses.reset(None)
            await asyncio.sleep(pauses.next(None))

    async def _watch(
        self, namespace: str | None, health: WatchHealth, handle_event: HandleEvent
    ) -> BaseException | None:
        """Watch one namespace once, in a thread; returns what ended it."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[BaseException | None] = loop.create_future()
        stop = threading.Event()

        def hand_on(kind: str | None, resource: SpoutResource) -> None:
            # Where the loop has ended nobody is there to be told.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(handle_event, kind, resource)

        async def watch_quietly() -> None:
            # What kopf leaves behind when a watch ends is told by its health, and not by a traceback for each task.
            asyncio.get_running_loop().set_exception_handler(_note_leftover)
            await watch(hand_on, self._log_in, telemetry=self._telemetry, health=health, namespace=namespace, stop=stop)

        def work() -> None:
            error: BaseException | None = None
            try:
                asyncio.run(watch_quietly())
            except BaseException as raised:  # noqa: BLE001 - it is handed on, whatever it is
                error = raised
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(ended.set_result, error)

        health.begin()
        threading.Thread(target=work, name=f"watch {namespace or 'all'}", daemon=True).start()
        try:
            await asyncio.wait({ended}, timeout=self._grant_within)
            if not ended.done() and not health.is_granted:
                # kopf asks once which resources there are, and waits for ever where Spouts are not among them.
                late = TimeoutError(
                    f"no watch was granted within {self._grant_within:.0f} s; does the API server serve Spouts?"
                )
                health.failed(late)
                return late
            return await asyncio.shield(ended)
        finally:
            if not ended.done():
                stop.set()
                await asyncio.wait({ended}, timeout=LAST_MOMENTS)


def _note_leftover(_: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    logger.debug("left over by a watch: %s", context.get("exception") or context.get("message"))


def _what(namespace: str | None) -> str:
    return f"the Spouts of the namespace {namespace!r}" if namespace is not None else "the Spouts of all namespaces"


def _one_at_a_time(log_in: LogIn) -> LogIn:
    """The official client keeps what it read of a kubeconfig in one place, for one thread at a time to write."""
    lock = threading.Lock()

    def locked(**kwargs: Any) -> kopf.ConnectionInfo | None:  # noqa: ANN401 - kopf's interface
        with lock:
            return log_in(**kwargs)

    return locked
