"""kopf's way to the API server, as it would make it of its credentials, with its requests counted."""

from collections.abc import Callable
from types import SimpleNamespace

import aiohttp
import kopf

from spout_operator.kubernetes.resource import PLURAL
from spout_operator.ports import Telemetry


def counted(info: kopf.ConnectionInfo, telemetry: Telemetry) -> kopf.AiohttpSession:
    """The session that kopf 1.45.2 would make of `info` (its APIContext), with each request told to `telemetry`.

    kopf closes it when the credentials expire, and at its end.
    """
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=info.as_ssl_context()),
        headers=info.as_http_headers(),
        proxy=info.proxy_url,
        trust_env=info.trust_env,
        trace_configs=[_trace(telemetry)],
    )
    return kopf.AiohttpSession(
        server=info.server,
        priority=info.priority,
        default_namespace=info.default_namespace,
        expiration=info.expiration,
        aiohttp_session=session,
    )


def _trace(telemetry: Telemetry) -> aiohttp.TraceConfig:
    trace = aiohttp.TraceConfig()

    async def start(_: object, context: SimpleNamespace, request: aiohttp.TraceRequestStartParams) -> None:
        context.ended = telemetry.requesting("kubernetes", *_kind(request))

    async def end(_: object, context: SimpleNamespace, request: aiohttp.TraceRequestEndParams) -> None:
        """Of a watch: it was granted. What it then streams has no end to speak of."""
        context.ended(str(request.response.status))

    async def fail(_: object, context: SimpleNamespace, __: aiohttp.TraceRequestExceptionParams) -> None:
        ended: Callable[[str], None] = context.ended
        ended("error")

    trace.on_request_start.append(start)
    trace.on_request_end.append(end)
    trace.on_request_exception.append(fail)
    return trace


def _kind(request: aiohttp.TraceRequestStartParams) -> tuple[str, str]:
    """Verb and resource, as Kubernetes has them; everything but Spouts is asked while kopf finds out what is served."""
    if not request.url.path.endswith(f"/{PLURAL}"):
        return "get", "discovery"
    return "watch" if request.url.query.get("watch") == "true" else "list", PLURAL
