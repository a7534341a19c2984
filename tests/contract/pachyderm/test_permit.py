"""A replica that no longer leads sends nothing more: each request asks the permit first, and ends with it."""

import dataclasses
import time
from collections.abc import Callable

import pytest

from spout_operator.core.errors import NotLeading, Unreachable
from spout_operator.core.status import marker as markers
from tests.contract.pachyderm.harness import HEIR, NO_COMMIT, OWNER, PLAIN, Port, Side
from tests.memory_pachd.base import MemoryServer

#: Each method of the port that makes requests: those of both adapters, and those of one.
METHODS: dict[str, Callable[[Port, str], object]] = {
    "server": lambda port, _: port.server(),
    "observe": lambda port, name: port.observe(name),
    "list": lambda port, _: port.list(),
    "create": lambda port, name: port.create(name, PLAIN, OWNER),
    "update": lambda port, name: port.update(name, PLAIN, OWNER),
    "start": lambda port, name: port.start(name),
    "stop": lambda port, name: port.stop(name),
    "delete": lambda port, name: port.delete(name, keep_repo=True),
    "heads": lambda port, name: port.heads(name),
    "commits": lambda port, name: port.commits(name, NO_COMMIT, since=None, most=1),
}
METHODS_OF_ONE: dict[str, Callable[[Port, str], object]] = {
    "marker": lambda port, name: port.marker(name, "offset", NO_COMMIT, limits=markers.LIMITS),
}
METHODS_OF_TWO: dict[str, Callable[[Port, str], object]] = {
    "take_over": lambda port, name: port.take_over(name, HEIR),
    "finish": lambda port, name: port.finish(name, NO_COMMIT),
    "recently_committed": lambda port, _: port.recently_committed(),
}
CALLS = [
    *(("memory-1.13", method, call) for method, call in (METHODS | METHODS_OF_ONE).items()),
    *(("memory-2.12", method, call) for method, call in (METHODS | METHODS_OF_TWO).items()),
]


@dataclasses.dataclass
class Leadership:
    """A permit that counts how often it was asked."""

    left: float | None = 10.0
    asked: int = 0

    def __call__(self) -> float:
        self.asked += 1
        if self.left is None:
            raise NotLeading("another replica leads")
        return self.left


@pytest.mark.parametrize(
    ("pachd", "method", "call"), CALLS, indirect=["pachd"], ids=[f"{pachd}-{method}" for pachd, method, _ in CALLS]
)
def test_without_the_permit_no_request_is_sent(
    memory_side: Side, pachd: MemoryServer, method: str, call: Callable[[Port, str], object]
) -> None:
    name = memory_side.created()
    pachd.calls.reset()

    with pytest.raises(NotLeading):
        call(memory_side.connect(permit=Leadership(left=None)), name)

    assert pachd.calls == {}, method


def test_the_permit_is_asked_before_each_request(memory_side: Side, pachd: MemoryServer) -> None:
    name, leadership = memory_side.created(), Leadership()
    port = memory_side.connect(permit=leadership)
    pachd.calls.reset()

    port.update(name, PLAIN, OWNER)
    port.list()
    port.heads(name)

    assert leadership.asked == sum(pachd.calls.values()) > 3


def test_the_permit_that_is_lost_between_two_requests_stops_the_second(memory_side: Side, pachd: MemoryServer) -> None:
    """A write asks for the version first; the process can be paused right after the answer."""
    name, leadership = memory_side.created(), Leadership()

    def once() -> float:
        left = leadership()
        leadership.left = None
        return left

    pachd.calls.reset()

    with pytest.raises(NotLeading):
        memory_side.connect(permit=once).stop(name)

    assert pachd.calls == {"GetVersion": 1}


@pytest.mark.parametrize("method", ["InspectPipeline", "ListPipeline"])
def test_a_request_ends_with_the_permit(memory_side: Side, pachd: MemoryServer, method: str) -> None:
    name = memory_side.created()
    port = memory_side.connect(permit=Leadership(left=0.05))
    pachd.hang(method)
    asked = time.monotonic()

    with pytest.raises(Unreachable):
        METHODS["observe" if method == "InspectPipeline" else "list"](port, name)

    assert time.monotonic() - asked < 5
    pachd.release(method)
