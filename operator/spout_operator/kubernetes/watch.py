"""kopf as the informer: its watch, its retries and its start-up, and nothing else of it.

Why `on.event` alone, and stores that store nothing: docs/decisions/0002-kopf-as-informer.md.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any

import kopf

from spout_operator.kubernetes import session
from spout_operator.kubernetes.resource import GROUP, PLURAL, VERSION
from spout_operator.ports import Telemetry

Observe = Callable[[str | None, Mapping[str, Any]], None]

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
    chosen.watching.server_timeout = 600
    chosen.watching.connect_timeout = 10
    # A page is in memory as a whole, with all that kopf makes of it, and the process keeps that memory for good.
    chosen.watching.chunk_size = 100
    chosen.networking.request_timeout = 30
    chosen.networking.connect_timeout = 10
    # Seconds for which kopf keeps a task, and the last event with it, for each object that has had one.
    chosen.queueing.idle_timeout = 0.1
    return chosen


def registry(observe: Observe, telemetry: Telemetry) -> kopf.OperatorRegistry:
    """The handlers: one, that hands every event on."""
    handlers = kopf.OperatorRegistry()

    @kopf.on.login(registry=handlers)
    async def _log_in(**kwargs: Any) -> kopf.AiohttpSession | None:  # noqa: ANN401 - kopf's interface
        # In a thread: credentials of a kubeconfig may be those that a program gives.
        info = await asyncio.to_thread(kopf.login_via_client, **kwargs)
        return session.counted(info, telemetry) if info is not None else None

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=handlers)
    async def _hand_on(event: kopf.RawEvent, **_: Any) -> None:  # noqa: ANN401 - kopf's interface
        observe(event["type"], dict(event["object"]))

    return handlers


async def watch(observe: Observe, *, telemetry: Telemetry, namespaces: Collection[str], ready: asyncio.Event) -> None:
    """Watch until SIGTERM, SIGINT, or the cancellation of the task.

    Args:
        observe: given the event's type (None for what was there before) and the resource.
        telemetry: told of each request.
        namespaces: which ones; empty for all.
        ready: set once the watch begins.
    """
    await kopf.operator(
        registry=registry(observe, telemetry),
        settings=settings(),
        standalone=True,
        # For peering, which is off; without it kopf asks for the user's name, and the image's user has none.
        identity=IDENTITY,  # type: ignore[arg-type] # its type for one is not published
        clusterwide=not namespaces,
        namespaces=list(namespaces),
        ready_flag=ready,
    )
