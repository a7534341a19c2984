"""The endpoints that a kubelet and a Prometheus ask: /livez, /readyz and /metrics."""

import logging
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

logger = logging.getLogger(__name__)

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
    # Who comes after a kubelet has restarted the Pod finds only the log.
    app.router.add_get("/livez", _answer("/livez", live, level=logging.WARNING))
    app.router.add_get("/readyz", _answer("/readyz", ready, level=logging.INFO))
    app.router.add_get("/metrics", _metrics(registry))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, port=port).start()
    return runner


def _answer(path: str, checks: Checks, *, level: int) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    told: set[str] = set()

    async def answer(_: web.Request) -> web.StreamResponse:
        """As kube-apiserver's own: a line for each part."""
        found = list(checks())
        wrongs = {name: wrong for name, wrong in found if wrong is not None}
        for name in wrongs.keys() - told:
            logger.log(level, "%s fails: %s: %s", path, name, wrongs[name])
        told.clear()
        told.update(wrongs)
        lines = [f"[+]{name} ok" if wrong is None else f"[-]{name}: {wrong}" for name, wrong in found]
        return web.Response(text="\n".join(lines) + "\n", status=503 if wrongs else 200)

    return answer


def _metrics(registry: CollectorRegistry) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})

    return answer
