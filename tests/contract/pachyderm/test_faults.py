"""What a real server does too rarely for a test: it fails, hangs, stops and comes back."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from google.protobuf.internal import encoder

from spout_operator.core.errors import Retryable, SpoutError, Stalled, Unreachable
from spout_operator.core.model import PipelineState
from spout_operator.core.reasons import Reason
from spout_operator.pachyderm.failures import OtherApi
from spout_operator.pachyderm.v1.backend import PachydermV1
from spout_operator.pachyderm.v1.sdk import pps_pb2
from spout_testbed.waiting import eventually
from tests.contract.pachyderm.harness import OWNER, PLAIN, Port, Side, connection_to
from tests.memory_pachd import MemoryPachd
from tests.memory_pachd.base import MemoryServer
from tests.memory_pachd.two import MemoryPachd2

Code = grpc.StatusCode


@dataclasses.dataclass(frozen=True, kw_only=True)
class Failure:
    reason: str
    code: grpc.StatusCode
    details: str
    kind: type[SpoutError]
    shown_as: Reason


ONE, TWO = "memory-1.13", "memory-2.12"

#: What each server answers.
FAILURES = [
    Failure(
        reason="pachd restarts",
        code=Code.UNAVAILABLE,
        details="connection refused",
        kind=Unreachable,
        shown_as=Reason.PACHYDERM_UNREACHABLE,
    ),
    Failure(
        reason="a proxy gives up first",
        code=Code.DEADLINE_EXCEEDED,
        details="upstream timeout",
        kind=Unreachable,
        shown_as=Reason.PACHYDERM_UNREACHABLE,
    ),
    Failure(
        reason="auth is active and there is no token",
        code=Code.UNAUTHENTICATED,
        details="no authentication token (try logging in)",
        kind=Stalled,
        shown_as=Reason.UNAUTHORIZED,
    ),
    Failure(
        reason="pachd's own etcd is in trouble",
        code=Code.UNKNOWN,
        details="etcdserver: request timed out",
        kind=Retryable,
        shown_as=Reason.PACHYDERM_ERROR,
    ),
    Failure(
        reason="something that nobody has seen yet",
        code=Code.INTERNAL,
        details="panic",
        kind=Retryable,
        shown_as=Reason.PACHYDERM_ERROR,
    ),
]

FAILURES_OF_ONE = [
    Failure(
        reason="the token expired, as one service of pachd hears it from another",
        code=Code.UNKNOWN,
        details="provided auth token is corrupted or has expired (try logging in again)",
        kind=Stalled,
        shown_as=Reason.UNAUTHORIZED,
    ),
    Failure(
        reason="the token is somebody's who may not",
        code=Code.UNKNOWN,
        details="robot:op is not authorized to perform this operation on the repo a, must have at least READER access",
        kind=Stalled,
        shown_as=Reason.UNAUTHORIZED,
    ),
    Failure(
        reason="a 2.x has no such service",
        code=Code.UNIMPLEMENTED,
        details="unknown service pps.API",
        kind=OtherApi,
        shown_as=Reason.UNSUPPORTED_PACHYDERM,
    ),
]
FAILURES_OF_TWO = [
    Failure(
        reason="the token is not known, or PostgreSQL does not answer",
        code=Code.INTERNAL,
        details="provided auth token is corrupted or has expired (try logging in again)",
        kind=Retryable,
        shown_as=Reason.UNAUTHORIZED,
    ),
    Failure(
        reason="the token is somebody's who may not",
        code=Code.PERMISSION_DENIED,
        details="robot:op is not authorized to perform this operation - needs permissions [REPO_READ] on REPO a.",
        kind=Stalled,
        shown_as=Reason.UNAUTHORIZED,
    ),
    Failure(
        reason="a 1.x has no such service",
        code=Code.UNIMPLEMENTED,
        details="unknown service pps_v2.API",
        kind=OtherApi,
        shown_as=Reason.UNSUPPORTED_PACHYDERM,
    ),
]


@pytest.mark.parametrize(
    ("pachd", "failure"),
    [
        pytest.param(pachd, failure, id=f"{pachd}-{failure.reason.replace(' ', '-')}")
        for pachd, own in ((ONE, FAILURES_OF_ONE), (TWO, FAILURES_OF_TWO))
        for failure in (*FAILURES, *own)
    ],
    indirect=["pachd"],
)
def test_each_failure_has_its_kind_and_reason_and_leaves_nothing_behind(
    memory_side: Side, pachd: MemoryServer, failure: Failure
) -> None:
    pachd.fail("ListPipeline", failure.code, failure.details)

    with pytest.raises(failure.kind) as caught:
        memory_side.port.list()

    assert type(caught.value) is failure.kind
    assert caught.value.reason is failure.shown_as
    assert "list the pipelines" in caught.value.message
    assert failure.details in caught.value.said
    assert memory_side.port.list() == {}


#: The call that creates and updates, by the version of the server.
CREATE = {"1.13.4": "CreatePipeline", "2.12.2": "CreatePipelineV2"}
BAD_MOMENTS = [
    pytest.param(Code.UNKNOWN, "etcdserver: leader changed", id="etcd"),
    pytest.param(
        Code.UNKNOWN,
        "the HEAD commit of this pipeline's spec branch is open. Either another CreatePipeline call is running "
        "or a previous call crashed.",
        id="another-update-is-running",
    ),
    pytest.param(Code.UNKNOWN, "pipeline updated outside of transaction", id="another-update-was-quicker"),
    pytest.param(Code.INTERNAL, "Received RST_STREAM with error code 2", id="a-proxy-resets-the-stream"),
    pytest.param(Code.UNKNOWN, "Stream removed", id="the-connection-breaks"),
    pytest.param(
        Code.UNKNOWN,
        "RequestError: send request failed caused by: Put https://s3.example.com/pach: dial tcp 10.0.0.1:443: "
        "i/o timeout",
        id="object-storage-does-not-answer",
    ),
    pytest.param(Code.UNKNOWN, "object 8b1a9953c4611296a827abf8c47804d7 does not exist", id="object-storage-lost-one"),
    pytest.param(
        Code.UNKNOWN,
        'validate DAG at end of transaction: loading branch info for "default/a.spec@master" during validation: get '
        "branch info: could not get branch: ERROR: current transaction is aborted, commands ignored until end of "
        "transaction block (SQLSTATE 25P02)",
        id="transactions-in-postgresql-are-in-conflict",
    ),
    pytest.param(Code.RESOURCE_EXHAUSTED, "memory of pachd", id="pachd-has-no-memory"),
    pytest.param(Code.INVALID_ARGUMENT, "a proxy does not like it", id="no-code-of-pachds"),
    pytest.param(Code.UNKNOWN, "node 'not found' and bucket already exists", id="words-that-sound-like-others"),
    pytest.param(
        Code.UNIMPLEMENTED, "unexpected HTTP status code received from server: 404", id="an-ingress-without-a-backend"
    ),
]


@pytest.mark.parametrize(("code", "details"), BAD_MOMENTS)
def test_a_create_or_update_at_a_bad_moment_is_not_a_rejection(
    memory_side: Side, pachd: MemoryServer, code: grpc.StatusCode, details: str
) -> None:
    name, another = memory_side.created(), memory_side.new_name()
    pachd.fail(CREATE[memory_side.version], code, details, times=2)

    with pytest.raises(Retryable, match="it is tried again") as updated:
        memory_side.port.update(name, PLAIN, OWNER)
    with pytest.raises(Retryable, match="it is tried again") as created:
        memory_side.port.create(another, PLAIN, OWNER)

    assert {updated.value.reason, created.value.reason} == {Reason.PACHYDERM_ERROR}
    assert memory_side.port.create(another, PLAIN, OWNER)


@pytest.mark.parametrize("code", [Code.UNKNOWN, Code.NOT_FOUND])
@pytest.mark.parametrize(
    "details",
    [
        pytest.param('services "pipeline-a-v1-user" not found', id="kubernetes"),
        pytest.param("object 8b1a9953c4611296a827abf8c47804d7 does not exist", id="object-storage"),
        pytest.param("dial tcp: lookup etcd: host not found", id="a-name-server"),
    ],
)
def test_a_pipeline_counts_as_gone_only_where_pachd_says_exactly_that(
    memory_side: Side, pachd: MemoryServer, details: str, code: grpc.StatusCode
) -> None:
    name = memory_side.created()
    pachd.fail("InspectPipeline", code, details)

    # Otherwise the operator would release a Spout that is being deleted, and its pipeline would stay.
    with pytest.raises(Retryable):
        memory_side.port.observe(name)


@pytest.mark.parametrize(
    ("pachd", "code", "says"),
    [
        pytest.param(ONE, Code.UNKNOWN, "pipeline {} already exists", id=ONE),
        pytest.param(TWO, Code.ALREADY_EXISTS, 'pipeline "default/{}" already exists', id=TWO),
    ],
    indirect=["pachd"],
)
def test_a_pipeline_that_somebody_makes_at_the_same_time_is_left_as_it_is(
    memory_side: Side, pachd: MemoryServer, code: grpc.StatusCode, says: str
) -> None:
    name, create = memory_side.new_name(), CREATE[memory_side.version]
    pachd.fail(create, code, says.format(name))

    assert memory_side.port.create(name, PLAIN, OWNER) is None

    assert pachd.calls[create] == 1


def nested(depth: int) -> bytes:
    """A PipelineInfo whose input is a cross of a cross, `depth` times; built by hand, as the parser cannot."""

    def field(message: Any, name: str, content: bytes) -> bytes:
        tag = message.DESCRIPTOR.fields_by_name[name].number << 3 | 2
        return bytes(encoder._VarintBytes(tag) + encoder._VarintBytes(len(content)) + content)

    crossed = b""
    for _ in range(depth):
        crossed = field(pps_pb2.Input, "cross", crossed)
    return field(pps_pb2.PipelineInfo, "input", crossed)


def test_a_message_nested_too_deeply_fails_one_request_and_not_the_operator() -> None:
    """CVE-2025-4565, which protobuf 3.20.3 has (docs/decisions/0007-protobuf-3.20.3.md)."""
    method = grpc.unary_unary_rpc_method_handler(lambda *_: nested(10_000))
    answers = grpc.method_handlers_generic_handler("pps.API", {"InspectPipeline": method})
    server = grpc.server(ThreadPoolExecutor(1), handlers=(answers,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with pytest.raises(Retryable) as caught:
            Port(PachydermV1(connection_to(f"grpc://127.0.0.1:{port}"))).observe("deep")
        assert "Exception deserializing response" in caught.value.said
    finally:
        server.stop(0).wait()


def test_a_stopped_server_is_unreachable_and_answers_again_after_its_restart(
    memory_side: Side, pachd: MemoryServer
) -> None:
    name = memory_side.created()
    memory_side.port.server()
    pachd.stop()
    with pytest.raises(Unreachable):
        memory_side.port.observe(name)

    pachd.start()

    eventually(lambda: _answers(memory_side), what="an answer", seconds=20)
    assert memory_side.observed(name).spec == memory_side.spec
    memory_side.port.server()
    # It could have another version after the restart.
    assert pachd.calls["GetVersion"] == 2


def _answers(side: Side) -> bool:
    try:
        side.port.list()
    except Unreachable:
        return False
    return True


def test_a_slow_call_of_one_thread_does_not_hold_up_another(memory_side: Side, pachd: MemoryServer) -> None:
    name = memory_side.created()
    with ThreadPoolExecutor(4) as pool:
        pachd.hang("ListPipeline")
        slow = pool.submit(memory_side.port.list)
        quick = [pool.submit(memory_side.port.observe, name) for _ in range(20)]

        assert all(future.result() is not None for future in quick)
        assert not slow.done()

        pachd.release("ListPipeline")
        assert set(slow.result()) == {name}


@pytest.mark.parametrize("state", [state for state in PipelineState if state is not PipelineState.UNKNOWN])
def test_each_state_comes_with_its_reason(
    memory_side: Side, pachd: MemoryPachd | MemoryPachd2, state: PipelineState
) -> None:
    name = memory_side.created()

    pachd.set_state(name, state, "because of it")

    observed, listed = memory_side.observed(name), memory_side.port.list()[name]
    assert (observed.state, observed.reason) == (state, "because of it")
    assert (listed.state, listed.reason) == (state, "because of it")


def test_a_worker_that_answers_is_available(memory_side: Side, pachd: MemoryPachd | MemoryPachd2) -> None:
    name = memory_side.created()

    pachd.workers(name, 1)

    assert memory_side.observed(name).workers == (1, 1)
    assert memory_side.port.list()[name].workers is None
