"""An API server that answers what a test asks for: errors that a real one gives only when it has a defect."""

import asyncio
import collections
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

GROUP = "/apis/spout-operator.io/v1alpha1"
FORBIDDEN, UNAUTHORIZED, GONE, SERVER_ERROR = 403, 401, 410, 500


class ScriptedApi:
    """Serves discovery, and the Spouts of namespaces as lists and watches."""

    def __init__(self) -> None:
        self.url = ""
        self.tokens: set[str] | None = None
        """Those that are taken; None where all are."""
        self.serves_spouts = True
        """Whether discovery tells of them."""
        self.refused: set[str] = set()
        """Namespaces that are answered 403."""
        self.stream_error: int | None = None
        """The code of an ERROR event that every watch begins with."""
        self.closes_watches = False
        """Whether every watch is ended as soon as it began."""
        self.requests: collections.Counter[str] = collections.Counter()
        """By kind: discovery, `list NAMESPACE`, `watch NAMESPACE`."""
        self._spouts: dict[str, list[dict[str, Any]]] = collections.defaultdict(list)
        self._watchers: dict[str, list[web.StreamResponse]] = collections.defaultdict(list)
        self._end = asyncio.Event()
        self._version = 100

    async def create(self, namespace: str, name: str) -> None:
        """Add a Spout, and send an event to the watches."""
        self._version += 1
        metadata = {
            "namespace": namespace,
            "name": name,
            "uid": name,
            "resourceVersion": str(self._version),
            "creationTimestamp": "2026-01-31T12:00:00Z",
        }
        body = {"apiVersion": "spout-operator.io/v1alpha1", "kind": "Spout", "metadata": metadata, "spec": {}}
        self._spouts[namespace].append(body)
        for watcher in self._watchers[namespace]:
            await self._send(watcher, "ADDED", body)

    async def end_watches(self) -> None:
        """End the current watches, as an API server does after some minutes."""
        self._end.set()
        self._end = asyncio.Event()
        self._watchers.clear()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["ScriptedApi"]:
        """Serve until the context ends."""
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        kind, namespace = self._kind(request)
        self.requests[f"{kind} {namespace}".strip()] += 1
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.tokens is not None and token not in self.tokens:
            return _status(UNAUTHORIZED)
        if kind == "discovery":
            found = _DISCOVERY.get(request.path, {"resources": []})
            return web.json_response(found if self.serves_spouts or request.path != "/apis" else {"groups": []})
        if namespace in self.refused:
            return _status(FORBIDDEN)
        if kind == "list":
            metadata = {"resourceVersion": str(self._version)}
            return web.json_response({"kind": "SpoutList", "metadata": metadata, "items": self._spouts[namespace]})
        return await self._watch(request, namespace)

    async def _watch(self, request: web.Request, namespace: str) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        if self.stream_error is not None:
            await self._send(
                response, "ERROR", {"kind": "Status", "code": self.stream_error, "message": "as asked for"}
            )
        elif not self.closes_watches:
            self._watchers[namespace].append(response)
            since = int(request.query["resourceVersion"])
            for body in self._spouts[namespace]:
                if int(body["metadata"]["resourceVersion"]) > since:
                    await self._send(response, "ADDED", body)
            await self._end.wait()
        return response

    @staticmethod
    async def _send(watcher: web.StreamResponse, kind: str, body: dict[str, Any]) -> None:
        await watcher.write(json.dumps({"type": kind, "object": body}).encode() + b"\n")

    @staticmethod
    def _kind(request: web.Request) -> tuple[str, str]:
        place, _, last = request.path.rpartition("/")
        if last != "spouts":
            return "discovery", ""
        namespace = place.rpartition("/")[2] if place != GROUP else "*"
        return ("watch" if "watch" in request.query else "list"), namespace


def _status(code: int) -> web.Response:
    return web.json_response({"kind": "Status", "code": code, "message": "as asked for"}, status=code)


_DISCOVERY: dict[str, Any] = {
    "/api": {"versions": ["v1"]},
    "/api/v1": {
        "resources": [
            {"name": "namespaces", "kind": "Namespace", "singularName": "namespace", "namespaced": False, "verbs": []}
        ]
    },
    "/apis": {
        "groups": [
            {
                "name": "spout-operator.io",
                "versions": [{"version": "v1alpha1"}],
                "preferredVersion": {"version": "v1alpha1"},
            }
        ]
    },
    GROUP: {
        "resources": [
            {
                "name": "spouts",
                "kind": "Spout",
                "singularName": "spout",
                "namespaced": True,
                "verbs": ["get", "list", "patch", "watch"],
            }
        ]
    },
}
