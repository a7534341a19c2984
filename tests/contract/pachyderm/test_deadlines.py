"""No call waits for ever: each has a deadline, whatever the server does."""

import dataclasses
import socket
import time
from collections.abc import Callable

import pytest

from spout_operator.config import PachdAddress
from spout_operator.core.errors import Unreachable
from spout_operator.core.reasons import Reason
from spout_operator.core.status import marker as markers
from spout_operator.pachyderm import connection
from tests.contract.pachyderm.harness import NO_COMMIT, OWNER, PLAIN, Port, Side
from tests.contract.pachyderm.sides_1 import SideOne
from tests.memory_pachd.base import MemoryServer


@dataclasses.dataclass(frozen=True, kw_only=True)
class Subject:
    """A pipeline whose branches have heads."""

    name: str
    output: str
    marker: str = ""


Call = Callable[[Port, Subject], object]

#: The requests of both adapters, by the name of the method of gRPC; those of one only are below.
BOTH: dict[str, Call] = {
    "GetVersion": lambda port, _: port.server(),
    "InspectPipeline": lambda port, on: port.observe(on.name),
    "ListPipeline": lambda port, _: port.list(),
    "StartPipeline": lambda port, on: port.start(on.name),
    "StopPipeline": lambda port, on: port.stop(on.name),
    "DeletePipeline": lambda port, on: port.delete(on.name, keep_repo=False),
    "ListBranch": lambda port, on: port.heads(on.name),
}
OF_ONE: dict[str, Call] = {
    "InspectRepo": lambda port, on: port.create(on.name, PLAIN, OWNER),
    "CreatePipeline": lambda port, on: port.update(on.name, PLAIN, OWNER),
    "ListCommitStream": lambda port, on: port.commits(on.name, on.output, since=None, most=100),
    "InspectCommit": lambda port, on: port.marker(on.name, "offset", on.marker, limits=markers.LIMITS),
    "WalkFile": lambda port, on: port.marker(on.name, "offset", on.marker, limits=markers.LIMITS),
    "GetFile": lambda port, on: port.marker(on.name, "offset", on.marker, limits=markers.LIMITS),
}
OF_TWO: dict[str, Call] = {
    "CreatePipelineV2": lambda port, on: port.create(on.name, PLAIN, OWNER),
    "EditMetadata": lambda port, on: port.take_over(on.name, OWNER),
    "InspectCommit": lambda port, on: port.commits(on.name, on.output, since=NO_COMMIT, most=100),
    "ListCommit": lambda port, on: port.commits(on.name, on.output, since=None, most=100),
    "FinishCommit": lambda port, on: port.finish(on.name, on.output),
    "ListCommitSet": lambda port, _: port.recently_committed(),
}
CALLS = [
    *(("memory-1.13", method, call) for method, call in (BOTH | OF_ONE).items()),
    *(("memory-2.12", method, call) for method, call in (BOTH | OF_TWO).items()),
]


def subject_of(side: Side) -> Subject:
    # One without an owner, which can be taken over.
    name = side.someones_spout()
    marker = side.spout.marker(name, {"offset/0": b"1"}) if isinstance(side, SideOne) else ""
    return Subject(name=name, output=side.commit(name, finished=False), marker=marker)


@pytest.mark.parametrize(
    ("pachd", "method", "call"), CALLS, indirect=["pachd"], ids=[f"{pachd}-{method}" for pachd, method, _ in CALLS]
)
def test_no_call_waits_longer_than_its_deadline(
    memory_side: Side, pachd: MemoryServer, method: str, call: Call
) -> None:
    subject = subject_of(memory_side)
    impatient = memory_side.connect(deadline=0.05)
    pachd.hang(method)
    asked = time.monotonic()

    with pytest.raises(Unreachable) as caught:
        call(impatient, subject)

    assert "DEADLINE_EXCEEDED" in caught.value.said
    assert time.monotonic() - asked < 5
    pachd.release(method)
    call(memory_side.port, subject)


def test_a_server_that_accepts_and_never_answers_is_unreachable_at_the_deadline(memory_side: Side) -> None:
    """As behind a firewall or a load balancer without a backend: there is a connection, and nothing comes."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = PachdAddress.parse(f"grpc://127.0.0.1:{silent.getsockname()[1]}")
        port = memory_side.connect(pachd=address, deadline=0.2)
        asked = time.monotonic()

        with pytest.raises(Unreachable, match="did not answer") as caught:
            port.list()

    assert caught.value.reason is Reason.PACHYDERM_UNREACHABLE
    assert 0.2 <= time.monotonic() - asked < 5


def test_a_port_where_nobody_listens_is_unreachable_at_once(memory_side: Side) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = memory_side.connect(pachd=PachdAddress.parse(f"grpc://127.0.0.1:{nobody.getsockname()[1]}"))
        asked = time.monotonic()

        with pytest.raises(Unreachable, match="did not answer") as caught:
            port.list()

    assert caught.value.reason is Reason.PACHYDERM_UNREACHABLE
    assert time.monotonic() - asked < connection.DEADLINE
