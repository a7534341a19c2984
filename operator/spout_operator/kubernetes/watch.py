"""kopf as the informer: its watch, its retries and its start-up, and nothing else of it.

Why `on.event` alone, and stores that store nothing: docs/decisions/0002-kopf-as-informer.md.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import kopf

from spout_operator.core.resource import SpoutResource
from spout_operator.kubernetes import session
from spout_operator.kubernetes.resource import GROUP, PLURAL, VERSION
from spout_operator.kubernetes.session import Pace
from spout_operator.kubernetes.watch_health import WatchHealth
from spout_operator.ports import HandleEvent, Telemetry

LogIn = Callable[..., kopf.ConnectionInfo | None]

IDENTITY = "spout-operator"


class NoProgress(kopf.ProgressStorage):
    """There are no change handlers, so there is no progress of theirs to keep on the resource."""

    def fetch(self, **_: Any) -> None:  # noqa: ANN401 - kopf's interface
        return None

    def store(self, **_: Any) -> None:  # noqa: ANN401 - kopf's interface
        pass

    def purge(self, **_: Any) -> None:  # noqa: ANN401 - kopf's interface
        pass

    def touch(self, **_: Any) -> None:  # noqa: ANN401 - kopf's interface
        pass

    def clear(self, *, essence: Any) -> Any:  # noqa: ANN401 - kopf's interface
        return essence


class NoDiffBase(kopf.DiffBaseStorage):
    """Nothing is diffed by kopf: without this it copies every body of every event (docs/decisions/0002)."""

    def build(self, **_: Any) -> Any:  # noqa: ANN401 - kopf's interface
        return {}

    def fetch(self, **_: Any) -> None:  # noqa: ANN401 - kopf's interface
        return None

    def store(self, **_: Any) -> None:  # noqa: ANN401 - kopf's interface
        pass


def settings() -> kopf.OperatorSettings:
    """kopf, quiet and bounded."""
    chosen = kopf.OperatorSettings()
    chosen.posting.enabled = False
    chosen.scanning.disabled = True
    chosen.persistence.progress_storage = NoProgress()
    chosen.persistence.diffbase_storage = NoDiffBase()
    chosen.persistence.consistency_timeout = 0
    # kopf would kill the whole process where a watch of it does not end: here it is one of several.
    chosen.process.ultimate_exiting_timeout = None
    chosen.watching.server_timeout = 600
    chosen.watching.connect_timeout = 10
    # A page is in memory as a whole, with all that kopf makes of it, and the process keeps that memory for good.
    chosen.watching.chunk_size = 100
    chosen.networking.request_timeout = 30
    chosen.networking.connect_timeout = 10
    # Seconds; a request that still fails then ends the watch, which the informer begins anew with pauses of its own.
    chosen.networking.error_backoffs = (1, 2)
    # Seconds for which kopf keeps a task, and the last event with it, for each object that has had one.
    chosen.queueing.idle_timeout = 0.1
    return chosen


def registry(
    handle_event: HandleEvent, log_in: LogIn, *, telemetry: Telemetry, health: WatchHealth
) -> kopf.OperatorRegistry:
    """The handlers: one that logs in, and one that hands every event on."""
    handlers = kopf.OperatorRegistry()
    pace = Pace()
    given: list[kopf.ConnectionInfo] = []

    @kopf.on.login(registry=handlers)
    async def _log_in(**kwargs: Any) -> kopf.AiohttpSession | None:  # noqa: ANN401 - kopf's interface
        # In a thread: credentials of a kubeconfig may be those that a program gives.
        info = await asyncio.to_thread(log_in, **kwargs)
        # kopf asks again where the API server refuses the credentials. The same ones would be refused for ever, and
        # kopf cannot tell that they are the same (it compares sessions): without any it ends.
        if info is None or info in given:
            return None
        given.append(info)
        return session.counted(info, telemetry, health, pace)

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=handlers)
    async def _hand_on(event: kopf.RawEvent, **_: Any) -> None:  # noqa: ANN401 - kopf's interface
        handle_event(event["type"], SpoutResource.from_body(event["object"]))

    return handlers


async def watch(
    handle_event: HandleEvent,
    log_in: LogIn,
    *,
    telemetry: Telemetry,
    health: WatchHealth,
    namespace: str | None,
    stop: threading.Event,
) -> None:
    """Watch until `stop` is set, or until something ends the watch: it has to be begun anew then.

    At its end kopf cancels every task of its event loop (1.45.2, running.py run_tasks), so it needs a loop of its own.

    Args:
        handle_event: given the event's type (None for what was there before) and the resource.
        log_in: gives the credentials; kopf's own `login_via_client`, or one like it.
        telemetry: told of each request.
        health: told how the watch is.
        namespace: which one; None for all.
        stop: ends the watch; may be set from any thread. It is set afterwards in any case.

    Raises:
        Exception: whatever ended the watch.
    """
    try:
        await kopf.operator(
            registry=registry(handle_event, log_in, telemetry=telemetry, health=health),
            settings=settings(),
            standalone=True,
            # For peering, which is off; without it kopf asks for the user's name, and the image's user has none.
            identity=IDENTITY,  # type: ignore[arg-type] # its type for one is not published
            clusterwide=namespace is None,
            namespaces=[] if namespace is None else [namespace],
            stop_flag=stop,
        )
    finally:
        # kopf waits for it in a thread, and the event loop, at its end, for that thread.
        stop.set()
