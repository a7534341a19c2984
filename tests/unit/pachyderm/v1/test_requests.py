"""Which requests each call of the port makes: with many Spouts, a needless one is many. And which it does not make."""

import asyncio
from collections.abc import Awaitable, Callable

import grpc
import pytest

from spout_operator.config import PachdAddress
from spout_operator.core.errors import NotLeading, Unreachable
from spout_operator.core.status import marker as markers
from spout_operator.pachyderm.connection import Connection
from spout_operator.pachyderm.v1.backend import PachydermV1
from spout_operator.telemetry.metrics import Metrics
from spout_testbed.waiting import eventually_async
from tests.builders import a_name, a_spec, an_owner
from tests.memory_pachd import MemoryPachd

NAME, NEW = a_name(), a_name("new")
REPO = NAME.name


class There:
    """A spout with two commits and a marker, and the adapter that has made it."""

    def __init__(self, adapter: PachydermV1, pachd: MemoryPachd) -> None:
        self.port = adapter
        self.first, self.head = (pachd.append_commit(REPO) for _ in range(2))
        self.marker = pachd.write_marker(REPO, {"offset": b"7"})


Call = Callable[[There], Awaitable[object]]


@pytest.fixture
async def there(adapter: PachydermV1, pachd: MemoryPachd) -> There:
    await adapter.create(NAME, a_spec(), an_owner())
    found = There(adapter, pachd)
    pachd.calls.reset()
    return found


#: By method of the port: the call, and the requests that it makes.
REQUESTS: dict[str, tuple[Call, dict[str, int]]] = {
    "server": (lambda there: there.port.server(), {}),
    "list": (lambda there: there.port.list(), {"ListPipeline": 1}),
    "observe": (lambda there: there.port.observe(NAME), {"InspectPipeline": 1}),
    "check": (lambda there: there.port.check(NAME, a_spec()), {}),
    "create": (
        lambda there: there.port.create(NEW, a_spec(), an_owner()),
        {"InspectRepo": 1, "GetVersion": 1, "CreatePipeline": 1},
    ),
    "update": (
        lambda there: there.port.update(NAME, a_spec(), an_owner()),
        {"InspectPipeline": 1, "GetVersion": 1, "CreatePipeline": 1},
    ),
    "start": (lambda there: there.port.start(NAME), {"GetVersion": 1, "StartPipeline": 1}),
    "stop": (lambda there: there.port.stop(NAME), {"GetVersion": 1, "StopPipeline": 1}),
    "delete": (lambda there: there.port.delete(NAME, keep_repo=False), {"GetVersion": 1, "DeletePipeline": 1}),
    "heads": (lambda there: there.port.heads(NAME), {"ListBranch": 1}),
    "recently_committed": (lambda there: there.port.recently_committed(), {}),
    "commits": (
        lambda there: there.port.commits(NAME, there.head, since=None, most=1000),
        {"ListCommitStream": 1},
    ),
    "commits since a known one": (
        lambda there: there.port.commits(NAME, there.head, since=there.first, most=1000),
        {"InspectCommit": 1, "ListCommitStream": 1},
    ),
    "marker": (
        lambda there: there.port.marker(NAME, "offset", there.marker, limits=markers.LIMITS),
        {"InspectCommit": 1, "WalkFile": 1, "GetFile": 1},
    ),
    "marker that is absent": (
        lambda there: there.port.marker(NAME, "another", there.marker, limits=markers.LIMITS),
        {"InspectCommit": 1, "WalkFile": 1},
    ),
}


@pytest.mark.parametrize("method", REQUESTS)
async def test_a_call_makes_no_more_requests_than_it_needs(there: There, pachd: MemoryPachd, method: str) -> None:
    call, requests = REQUESTS[method]

    await call(there)

    assert pachd.calls == requests


def not_leading() -> float:
    raise NotLeading("this replica no longer holds the Lease")


@pytest.mark.parametrize("method", [method for method, (_, requests) in REQUESTS.items() if requests])
async def test_a_call_that_the_permit_refuses_makes_no_request(there: There, pachd: MemoryPachd, method: str) -> None:
    """A leader that was paused has no Lease until it is renewed."""
    call, _ = REQUESTS[method]
    pachd_of = PachdAddress.parse(pachd.address)
    there.port = PachydermV1(Connection(pachd=pachd_of, telemetry=Metrics(), permit=not_leading))

    with pytest.raises(NotLeading):
        await call(there)

    assert not pachd.calls


async def test_an_outage_names_the_address_of_pachyderm(there: There, pachd: MemoryPachd) -> None:
    pachd.fail("ListPipeline", grpc.StatusCode.UNAVAILABLE, "down")

    with pytest.raises(Unreachable, match="did not answer") as caught:
        await there.port.list()

    assert pachd.address in caught.value.message
    assert caught.value.said == "UNAVAILABLE: down"


async def test_the_adapter_has_ended_when_the_call_under_way_has(there: There, pachd: MemoryPachd) -> None:
    pachd.hang("InspectPipeline")
    observing = asyncio.create_task(there.port.observe(NAME))
    await eventually_async(lambda: pachd.calls["InspectPipeline"], what="the call", seconds=5, interval=0.005)
    there.port.close()
    ending = asyncio.create_task(there.port.ended())
    await asyncio.wait({ending}, timeout=0.02)
    assert not ending.done()

    pachd.release("InspectPipeline")

    await asyncio.wait_for(ending, timeout=5)
    assert await observing is not None
