"""/livez, asked over HTTP, tells which loop stands still: that the port answers says nothing of them."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable

import pytest

from spout_operator.controller.resync import NothingListedError
from spout_operator.core.errors import NamespaceUnavailable
from spout_operator.process.election import Election
from tests.builders import a_spout_body
from tests.fakes.memory_leases import MemoryLeases, MemoryLeasesPort
from tests.unit.controller.world import now
from tests.unit.process.processes import Process

#: Seconds, more than any part may take to come round.
AGES = 400.0


class HurryingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time can be put forward, so that what stands still has stood for long."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


@pytest.fixture
def process(unused_tcp_port: int) -> Process:
    return Process(http_port=unused_tcp_port)


def while_it_runs(process: Process, scenario: Callable[[HurryingLoop], Awaitable[None]]) -> None:
    """Run `scenario` beside the operator, which must then end when it is told to."""

    async def run() -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        assert isinstance(loop, HurryingLoop)
        running = asyncio.create_task(process.operator().run(stop))
        try:
            await until("the operator to answer", is_live(process))
            await scenario(loop)
        finally:
            for method in ("list", "observe"):
                process.pipelines.release(method)
            stop.set()
            await running

    with asyncio.Runner(loop_factory=HurryingLoop) as runner:
        runner.run(run())


async def until(what: str, holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it holds."""
    for _ in range(500):
        if await holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"waited in vain for {what}")


async def livez(process: Process) -> tuple[int, str]:
    """Status and text; 0 where nothing answers yet."""
    return await asked(process, "livez")


async def asked(process: Process, path: str) -> tuple[int, str]:
    def ask() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{process.http_port}/{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    return await asyncio.to_thread(ask)


def called(process: Process, method: str, *, more_than: int = 0) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        return process.pipelines.calls[method] > more_than

    return holds


def fails_to_list(process: Process) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        await livez(process)
        return process.controllers[0].resync.troubles[None] is not None

    return holds


def is_held(leases: MemoryLeases, *, by: str) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return leases.lease is not None and leases.lease.holder == by

    return look


def is_live(process: Process) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        return (await livez(process))[0] == 200

    return holds


def test_all_loops_move(process: Process) -> None:
    process.spouts.create(a_spout_body())

    async def scenario(loop: HurryingLoop) -> None:
        await until("a look", called(process, "observe"))
        assert await livez(process) == (
            200,
            "[+]poller ok\n[+]queue reconcile ok\n[+]queue status ok\n[+]queue log ok\n[+]watch ok\n",
        )

        loop.ahead = AGES
        await until("/livez after a long rest", is_live(process))

    while_it_runs(process, scenario)


def test_a_poller_and_a_reconcile_that_never_end_are_told_each_by_its_name(
    process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    process.spouts.create(a_spout_body())
    process.pipelines.hang("observe")

    async def scenario(loop: HurryingLoop) -> None:
        await until("a reconcile to hang", called(process, "observe"))
        process.pipelines.hang("list")
        looks = process.pipelines.calls["list"]
        loop.ahead = AGES
        await until("the poller to hang", called(process, "list", more_than=looks))
        loop.ahead += AGES

        status, text = await livez(process)

        assert status == 503
        assert "[-]poller: Pachyderm was not polled for 80" in text
        assert "[-]queue reconcile: nothing has moved, or one Spout is worked on, for 80" in text
        assert "[+]queue status ok" in text
        assert "[+]watch ok" in text
        assert (await livez(process))[0] == 503

    while_it_runs(process, scenario)

    told = [record.message for record in caplog.records if "/livez" in record.message]
    assert len(told) == 2, "once each, for who comes after the kubelet has restarted it"
    assert any(line.startswith("/livez fails: poller: Pachyderm was not polled for 80") for line in told)


def test_a_watch_that_shows_nothing_is_told_with_what_it_did_not_show(process: Process) -> None:
    async def scenario(_: HurryingLoop) -> None:
        process.spouts.watch(lambda *_: None)
        process.spouts.create(a_spout_body())
        resync = process.controllers[0].resync
        await resync.resync()
        assert (await livez(process))[0] == 200, "it may be on its way"

        await resync.resync()

        status, text = await livez(process)
        assert status == 503
        assert "[-]watch: it has not shown changes of: ingest/my-spout" in text
        assert "[+]poller ok" in text

    while_it_runs(process, scenario)


def test_a_refused_namespace_does_not_fail_livez(process: Process) -> None:
    async def scenario(_: HurryingLoop) -> None:
        process.spouts.watch(lambda *_: None)
        process.spouts.create(a_spout_body())
        resync = process.controllers[0].resync
        await resync.resync()
        await resync.resync()
        assert (await livez(process))[0] == 503

        process.informer.trouble = "the API server answered 403 Forbidden"

        assert (await livez(process))[0] == 200
        assert (await asked(process, "readyz"))[0] == 503

    while_it_runs(process, scenario)


def test_a_watch_that_has_not_begun_is_no_reason_to_start_anew_but_to_wait(process: Process) -> None:
    process.spouts.create(a_spout_body())
    process.informer.trouble = "the API server answered 403 Forbidden"

    async def scenario(_: HurryingLoop) -> None:
        assert await asked(process, "readyz") == (
            503,
            (
                "[-]watch: the API server answered 403 Forbidden\n"
                "[-]spouts: not all Spouts of the first list are known yet\n"
            ),
        )
        assert (await livez(process))[0] == 200

    while_it_runs(process, scenario)


def test_a_replica_that_sees_no_namespace_for_minutes_gives_up_its_lease_and_ends(unused_tcp_port: int) -> None:
    leases = MemoryLeases()

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, HurryingLoop)
        election = Election(MemoryLeasesPort(leases), name="ns/lease", identity="one", now=now, retry_period=0.005)
        process = Process(http_port=unused_tcp_port, election=election)
        running = asyncio.ensure_future(process.operator().run(asyncio.Event()))
        await until("the Lease to be held", is_held(leases, by="one"))
        await until("the operator to answer", is_live(process))
        process.spouts.refusals[None] = NamespaceUnavailable("403 for all of them")

        loop.ahead = AGES
        await until("a look that fails", fails_to_list(process))
        assert not running.done(), "it may have been paused"
        loop.ahead += AGES

        with pytest.raises(NothingListedError, match="403 for all of them"):
            await running

    with asyncio.Runner(loop_factory=HurryingLoop) as runner:
        runner.run(scenario())

    assert leases.lease is not None
    assert leases.lease.holder == "", "the next replica need not wait"
