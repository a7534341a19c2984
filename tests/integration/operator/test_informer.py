"""Watches of an API server that refuses them, ends them or restarts: each continues or is restarted in time."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import kopf
import pytest

from spout_operator.core.resource import SpoutResource
from spout_operator.kubernetes.informer import KopfInformer
from spout_operator.telemetry.metrics import Metrics
from spout_testbed.waiting import eventually_async
from tests.fakes.scripted_api import FORBIDDEN, GONE, SERVER_ERROR, ScriptedApi

#: Seconds: kopf needs three to give up a request, and five to end.
PATIENCE = 30.0
#: Seconds for which requests are counted.
A_WHILE = 6.0
#: Seconds for a watch to be granted.
GRANT_WITHIN = 10.0


class Watched:
    """A running informer, and what it reported."""

    def __init__(self, api: ScriptedApi, *namespaces: str) -> None:
        self.api = api
        self.credentials = "first"
        self.told: list[str] = []
        self.informer = KopfInformer(
            telemetry=Metrics(),
            namespaces=namespaces,
            log_in=self._log_in,
            first_pause=0.1,
            grant_within=GRANT_WITHIN,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Watched"]:
        running = asyncio.ensure_future(self.informer.run(self._handle_event))
        try:
            yield self
        finally:
            running.cancel()
            async with asyncio.timeout(3):
                await asyncio.gather(running, return_exceptions=True)

    async def until(self, what: str, holds: Callable[[], object]) -> None:
        await eventually_async(holds, what=what, seconds=PATIENCE, interval=0.02, details=self._details)

    def _details(self) -> str:
        return f"told {self.told}, requests {dict(self.api.requests)}, troubles {self.informer.troubles()}"

    def trouble(self, namespace: str | None) -> str:
        """Why a namespace is not watched; empty where it is."""
        return self.informer.troubles()[namespace] or ""

    def _log_in(self, **_: Any) -> kopf.ConnectionInfo:
        return kopf.ConnectionInfo(server=self.api.url, token=self.credentials)

    def _handle_event(self, _: str | None, resource: SpoutResource) -> None:
        assert threading.current_thread() is threading.main_thread(), "the state belongs to the event loop"
        self.told.append(str(resource.key))


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The operator's own warnings. It does not log those of kopf (telemetry/logs.py)."""
    return [
        record.message
        for record in caplog.records
        if record.name.startswith("spout_operator") and record.levelno >= logging.WARNING
    ]


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    async with ScriptedApi().running() as api:
        yield api


async def test_a_forbidden_namespace_does_not_affect_the_others_and_recovers(
    api: ScriptedApi, caplog: pytest.LogCaptureFixture
) -> None:
    api.refused = {"b"}
    async with Watched(api, "a", "b").running() as watched:
        await watched.until("the refusal to be reported", lambda: str(FORBIDDEN) in watched.trouble("b"))
        await watched.until("the refused watch to be restarted", lambda: api.requests["list b"] > 3)

        await api.create("a", "one")
        await watched.until("the other namespace's Spout", lambda: "a/one" in watched.told)
        assert watched.trouble("a") == ""
        assert api.requests["watch a"] == 1

        api.refused = set()
        await api.create("b", "two")
        await watched.until("the Spout of the namespace that came back", lambda: "b/two" in watched.told)
        await watched.until("its trouble to end", lambda: not watched.trouble("b"))

    (told,) = warnings(caplog)
    assert "the namespace 'b'" in told


async def test_refused_credentials_are_retried_with_growing_pauses_until_new_ones_arrive(
    api: ScriptedApi, caplog: pytest.LogCaptureFixture
) -> None:
    api.tokens = {"second"}
    async with Watched(api).running() as watched:
        await watched.until("the refusal to be reported", lambda: "401 Unauthorized" in watched.trouble(None))
        await asyncio.sleep(A_WHILE)
        assert api.requests.total() <= 12, "it was 60 a second"
        assert len(warnings(caplog)) == 1, "what is wrong is said once"

        watched.credentials = "second"
        await api.create("*", "one")
        await watched.until("the new credentials to be used", lambda: watched.told)


async def test_renewed_credentials_are_used_without_a_new_list(api: ScriptedApi) -> None:
    async with Watched(api).running() as watched:
        await watched.until("a watch", lambda: not watched.trouble(None))
        api.tokens, watched.credentials = {"second"}, "second"
        await api.end_watches()
        await watched.until("the watch to be resumed", lambda: api.requests["watch *"] > 1)

        await api.create("*", "one")
        await watched.until("a new Spout", lambda: "*/one" in watched.told)

    assert api.requests["list *"] == 1


@pytest.mark.parametrize("code", [SERVER_ERROR, GONE], ids=["etcd has no leader", "the version is too old"])
async def test_an_error_event_restarts_the_watch_and_nothing_else(api: ScriptedApi, code: int) -> None:
    api.stream_error = code
    async with Watched(api).running() as watched:
        await watched.until("the watch to be restarted", lambda: api.requests["watch *"] > 1)

        api.stream_error = None
        await api.create("*", "one")
        await watched.until("the Spout that came meanwhile", lambda: "*/one" in watched.told)
        await watched.until("the trouble to end", lambda: not watched.trouble(None))


@pytest.mark.parametrize(
    ("code", "closes"), [(SERVER_ERROR, False), (GONE, False), (None, True)], ids=["error", "gone", "closed at once"]
)
async def test_a_watch_that_always_ends_at_once_is_restarted_slowly(
    api: ScriptedApi, code: int | None, *, closes: bool
) -> None:
    api.stream_error, api.closes_watches = code, closes
    async with Watched(api).running() as watched:
        await watched.until("the first watch", lambda: api.requests["watch *"])
        await asyncio.sleep(A_WHILE)

    assert api.requests["watch *"] + api.requests["list *"] <= 12


async def test_a_server_that_does_not_serve_spouts_yet_is_asked_again(api: ScriptedApi) -> None:
    """kopf reads the served resources once, and would wait for ever for Spouts that appear later."""
    api.serves_spouts = False
    async with Watched(api).running() as watched:
        await watched.until("its trouble", lambda: "does the API server serve Spouts?" in watched.trouble(None))

        api.serves_spouts = True
        await api.create("*", "one")
        await watched.until("the Spout", lambda: "*/one" in watched.told)
        await watched.until("its trouble to end", lambda: not watched.trouble(None))


async def test_a_cancelled_informer_leaves_no_thread(api: ScriptedApi) -> None:
    before = set(threading.enumerate())
    async with Watched(api, "a", "b", "c").running() as watched:
        await watched.until("all watches", lambda: not any(watched.informer.troubles().values()))

    # The last thing that the informer's thread does is to log that it has ended.
    left = set(threading.enumerate()) - before
    for thread in left:
        thread.join(timeout=5)
    assert [thread.name for thread in left if thread.is_alive() and thread.name.startswith("watch ")] == []
