"""The endpoints that a kubelet and a Prometheus ask: /livez, /readyz and /metrics."""

from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

#: The name of a part with what is wrong with it, or None where all is well.
Check = tuple[str, str | None]
Checks = Callable[[], Iterable[Check]]


async def serve(port: int, *, live: Checks, ready: Checks, registry: CollectorRegistry) -> web.AppRunner:
    """Answer on `port` of all addresses until the returned runner is cleaned up.

    Everything is answered on the event loop itself: where that stands still, so does /livez, and the kubelet's
    patience ends.

    Raises:
        OSError: the port cannot be had.
    """
    app = web.Application()
    app.router.add_get("/livez", _answer(live))
    app.router.add_get("/readyz", _answer(ready))
    app.router.add_get("/metrics", _metrics(registry))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, port=port).start()
    return runner


def _answer(checks: Checks) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.StreamResponse:
        """As kube-apiserver's own: a line for each part."""
        found = list(checks())
        lines = [f"[+]{name} ok" if wrong is None else f"[-]{name}: {wrong}" for name, wrong in found]
        is_well = all(wrong is None for _, wrong in found)
        return web.Response(text="\n".join(lines) + "\n", status=200 if is_well else 503)

    return answer


def _metrics(registry: CollectorRegistry) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})

    return answer
