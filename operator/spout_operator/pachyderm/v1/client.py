"""python-pachyderm's client with a deadline on every call, one channel, and credentials that can change."""

import dataclasses
import pathlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import grpc

from spout_operator.config import PachdAddress
from spout_operator.pachyderm.v1.credentials import LONGEST_TOKEN, parse_authorities, parse_token
from spout_operator.pachyderm.v1.sdk import Client, pfs_pb2, pps_pb2
from spout_operator.ports import Permit, Telemetry

T = TypeVar("T")

#: Seconds. A pachd with 200 pipelines answers the slowest of our calls in under one (docs/pachyderm-1.13.md).
DEADLINE = 15.0
#: Seconds between pings, so that a connection that died in silence is noticed between calls.
KEEPALIVE = 30
#: The longest pause between two tries to connect, in seconds: gRPC's own grows to two minutes in a long outage.
RECONNECT = 5


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """Where a Pachyderm is and how to be let in.

    The files are read again when they change; they may be a mounted Secret's. `permit` is None where
    no election bounds the requests. `deadline` is in seconds, of each request.
    """

    pachd: PachdAddress
    telemetry: Telemetry
    permit: Permit | None = None
    ca_file: pathlib.Path | None = None
    token_file: pathlib.Path | None = None
    deadline: float = DEADLINE

    @property
    def target(self) -> str:
        """`host:port`, as gRPC takes it."""
        return self.pachd.url.partition("://")[2]


class DeadlineClient(Client):  # type: ignore[misc] # python-pachyderm publishes no types
    """The SDK's client, whose `_req` sets no deadline (6.3.3, client.py) and opens a channel per service."""

    def __init__(self, connection: Connection, *, token: str, root_certs: bytes | None) -> None:
        # Without one, the SDK would look for a token in the environment, and call the server while it is made.
        super().__init__(
            host=connection.pachd.host,
            port=connection.pachd.port,
            auth_token=token or "none",
            root_certs=root_certs,
            tls=connection.pachd.tls,
        )
        self._telemetry, self._permit = connection.telemetry, connection.permit
        self._deadline = connection.deadline
        if not token:
            self._metadata: list[tuple[str, str]] = []
        options = [
            ("grpc.keepalive_time_ms", KEEPALIVE * 1000),
            ("grpc.max_reconnect_backoff_ms", RECONNECT * 1000),
            ("grpc.max_receive_message_length", -1),
        ]
        self._channel = (
            grpc.secure_channel(connection.target, grpc.ssl_channel_credentials(root_certificates=root_certs), options)
            if connection.pachd.tls
            else grpc.insecure_channel(connection.target, options)
        )

    def _req(self, grpc_service: Any, grpc_method_name: str, req: Any = None, **kwargs: Any) -> Any:  # noqa: ANN401 - the SDK's signature
        stub = self._stubs.get(grpc_service)
        if stub is None:
            stub = self._stubs[grpc_service] = grpc_service.stub(self._channel)
        if req is None:
            name = grpc_method_name.removesuffix("Stream")
            req = getattr(grpc_service.proto_module, f"{name}Request")(**kwargs)
        return self._send(getattr(stub, grpc_method_name), grpc_method_name, req)

    def list_pipelines(self, read: Callable[[bytes], T]) -> T:
        """What `read` makes of the bytes of a PipelineInfos: all pipelines.

        One whose spec cannot be read is listed without it, as it must not hide the others.
        """
        return self._unparsed("pps", "ListPipeline", pps_pb2.ListPipelineRequest(allow_incomplete=True), read)

    def observe_pipeline(self, pipeline: str, read: Callable[[bytes], T]) -> T:
        """What `read` makes of the bytes of a PipelineInfo: one pipeline, with its workers."""
        request = pps_pb2.InspectPipelineRequest(pipeline=pps_pb2.Pipeline(name=pipeline))
        return self._unparsed("pps", "InspectPipeline", request, read)

    def list_branches(self, repo: str, read: Callable[[bytes], T]) -> T:
        """What `read` makes of the bytes of a BranchInfos: the branches of a repo."""
        return self._unparsed("pfs", "ListBranch", pfs_pb2.ListBranchRequest(repo=pfs_pb2.Repo(name=repo)), read)

    def _unparsed(self, service: str, name: str, request: Any, read: Callable[[bytes], T]) -> T:  # noqa: ANN401 - protobuf publishes no types
        """Make a call whose answer is not made into messages, which is most of what a call costs (see `wire`)."""
        method = self._channel.unary_unary(
            f"/{service}.API/{name}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=read,
        )
        found: T = self._send(method, name, request)
        return found

    def _send(self, method: Any, name: str, req: Any) -> Any:  # noqa: ANN401 - gRPC publishes no types
        # gRPC keeps the time at which a call has to end, so one that was prepared before a pause fails after it.
        deadline = self._deadline if self._permit is None else min(self._deadline, self._permit())
        ended = self._telemetry.requesting("pachyderm", name.removesuffix("Stream"))
        try:
            answer = method(req, metadata=self._metadata, timeout=deadline)
        except grpc.RpcError as error:
            ended(error.code().name)
            raise
        if isinstance(answer, grpc.Future):
            # A stream, which ends when it was read.
            answer.add_done_callback(lambda call: ended(call.code().name))
        else:
            ended("OK")
        return answer


class Clients:
    """Gives out the current client, and a new one when the CA or the token file has changed.

    Raises, from `current`:
        OSError: one of the files cannot be read, as while a Secret is rotated.
        Stalled: one of them does not hold what it should.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._lock = threading.Lock()
        self._made_of: tuple[bytes | None, bytes | None] | None = None
        self._client: DeadlineClient | None = None

    def current(self) -> DeadlineClient:
        """The client for the credentials as they are now."""
        token_file, ca_file = self.connection.token_file, self.connection.ca_file
        with self._lock:
            made_of = (_read(token_file, most=LONGEST_TOKEN + 1), _read(ca_file))
            if self._client is None or made_of != self._made_of:
                token, root_certs = made_of
                # The old channel is not closed: other threads' calls on it are let run to their end.
                self._client = DeadlineClient(
                    self.connection,
                    token="" if token_file is None or token is None else parse_token(token_file, token),
                    root_certs=None
                    if ca_file is None or root_certs is None
                    else parse_authorities(ca_file, root_certs),
                )
                self._made_of = made_of
            return self._client


def _read(file: pathlib.Path | None, *, most: int = -1) -> bytes | None:
    if file is None:
        return None
    with file.open("rb") as opened:
        return opened.read(most)
