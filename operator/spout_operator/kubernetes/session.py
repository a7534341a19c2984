"""kopf's way to the API server, as it would make it of its credentials: counted, paced, and watched itself."""

import asyncio
import collections
import time
from collections.abc import Callable
from types import SimpleNamespace

import aiohttp
import kopf

from spout_operator.kubernetes.resource import PLURAL
from spout_operator.kubernetes.watch_health import WatchHealth
from spout_operator.ports import Telemetry

#: How many lists and watches are begun at once, and the seconds in which no more are begun. A watch that is well begins
#: anew every ten minutes. One that the API server, or a proxy before it, ends at once must not become a flood.
BURST, WINDOW = 10, 60.0


class Pace:
    """Bounds how often something is begun: `burst` times within `window` seconds."""

    def __init__(self, *, burst: int = BURST, window: float = WINDOW) -> None:
        self._begun: collections.deque[float] = collections.deque(maxlen=burst)
        self._window = window

    async def wait(self) -> None:
        """Return when it may be begun once more."""
        if len(self._begun) == self._begun.maxlen:
            await asyncio.sleep(max(self._begun[0] + self._window - time.monotonic(), 0))
        self._begun.append(time.monotonic())


def counted(info: kopf.ConnectionInfo, telemetry: Telemetry, health: WatchHealth, pace: Pace) -> kopf.AiohttpSession:
    """The session that kopf 1.45.2 would make of `info` (its APIContext), with its requests told to others.

    kopf closes it when the credentials expire, and at its end.

    Args:
        info: the credentials.
        telemetry: told of each request.
        health: told of each answer and of each failure.
        pace: asked before each list and watch.
    """
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=info.as_ssl_context()),
        headers=info.as_http_headers(),
        proxy=info.proxy_url,
        trust_env=info.trust_env,
        trace_configs=[_trace(telemetry, health, pace)],
    )
    return kopf.AiohttpSession(
        server=info.server,
        priority=info.priority,
        default_namespace=info.default_namespace,
        expiration=info.expiration,
        aiohttp_session=session,
    )


def _trace(telemetry: Telemetry, health: WatchHealth, pace: Pace) -> aiohttp.TraceConfig:
    trace = aiohttp.TraceConfig()

    async def start(_: object, context: SimpleNamespace, request: aiohttp.TraceRequestStartParams) -> None:
        context.verb, resource = _kind(request)
        if context.verb != "get" and "continue" not in request.url.query:
            await pace.wait()
        context.ended = telemetry.requesting("kubernetes", context.verb, resource)

    async def end(_: object, context: SimpleNamespace, request: aiohttp.TraceRequestEndParams) -> None:
        """Of a watch: it was granted. What it then streams has no end to speak of."""
        context.ended(str(request.response.status))
        health.answered(context.verb, request.response.status)

    async def fail(
        session: aiohttp.ClientSession, context: SimpleNamespace, request: aiohttp.TraceRequestExceptionParams
    ) -> None:
        ended: Callable[[str], None] = context.ended
        ended("error")
        # kopf closes a session whose credentials were refused, and so ends what else was under way: that is no news.
        if not session.closed:
            health.failed(request.exception)

    trace.on_request_start.append(start)
    trace.on_request_end.append(end)
    trace.on_request_exception.append(fail)
    return trace


def _kind(request: aiohttp.TraceRequestStartParams) -> tuple[str, str]:
    """Verb and resource, as Kubernetes has them; everything but Spouts is asked while kopf finds out what is served."""
    if not request.url.path.endswith(f"/{PLURAL}"):
        return "get", "discovery"
    return "watch" if request.url.query.get("watch") == "true" else "list", PLURAL
