"""The endpoints that a kubelet asks: /livez and /readyz."""

from collections.abc import Awaitable, Callable

from aiohttp import web

#: None where all is well, else what is wrong.
Check = Callable[[], str | None]


async def serve(port: int, *, live: Check, ready: Check) -> web.AppRunner:
    """Answer on `port` of all addresses until the returned runner is cleaned up.

    Raises:
        OSError: the port cannot be had.
    """
    app = web.Application()
    app.router.add_get("/livez", _answer(live))
    app.router.add_get("/readyz", _answer(ready))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, port=port).start()
    return runner


def _answer(check: Check) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.StreamResponse:
        wrong = check()
        return web.Response(text=f"{wrong or 'ok'}\n", status=503 if wrong else 200)

    return answer
