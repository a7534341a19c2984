"""python-pachyderm's client with a deadline on every call and one channel."""

import datetime
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from spout_operator.pachyderm.connection import Connection
from spout_operator.pachyderm.v1.sdk import Client, pfs_pb2, pps_pb2

T = TypeVar("T")


class DeadlineClient(Client):  # type: ignore[misc] # python-pachyderm publishes no types
    """The SDK's client, whose `_req` sets no deadline (6.3.3, client.py) and opens a channel per service."""

    def __init__(self, connection: Connection, token: str, root_certs: bytes | None) -> None:
        # Without one, the SDK would look for a token in the environment, and call the server while it is made.
        super().__init__(
            host=connection.pachd.host,
            port=connection.pachd.port,
            auth_token=token or "none",
            root_certs=root_certs,
            tls=connection.pachd.tls,
        )
        self._connection = connection
        if not token:
            self._metadata: list[tuple[str, str]] = []
        self._channel = connection.channel(root_certs)

    def _req(self, grpc_service: Any, grpc_method_name: str, req: Any = None, **kwargs: Any) -> Any:  # noqa: ANN401 - the SDK's signature
        stub = self._stubs.get(grpc_service)
        if stub is None:
            stub = self._stubs[grpc_service] = grpc_service.stub(self._channel)
        if req is None:
            name = grpc_method_name.removesuffix("Stream")
            req = getattr(grpc_service.proto_module, f"{name}Request")(**kwargs)
        return self._connection.send(getattr(stub, grpc_method_name), grpc_method_name, req, self._metadata)

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

    def worker_log(
        self,
        pipeline: str,
        *,
        of_user: bool,
        most: int,
        back: datetime.timedelta,
        within: float,
        read: Callable[[bytes], T],
    ) -> Iterator[T]:
        """What `read` makes of the LogMessages of a worker, the oldest first.

        Args:
            pipeline: its name.
            of_user: whether to tell the lines of the user code, instead of those of the worker. No request is for both.
            most: so many last lines of the log, counted before that.
            back: how long ago the oldest one may have been written.
            within: the deadline, in seconds.
            read: takes the bytes of a LogMessage.
        """
        request = pps_pb2.GetLogsRequest(pipeline=pps_pb2.Pipeline(name=pipeline), master=not of_user, tail=most)
        request.since.FromTimedelta(back)
        method = self._channel.unary_stream(
            "/pps.API/GetLogs", request_serializer=type(request).SerializeToString, response_deserializer=read
        )
        call = self._connection.send(method, "GetLogs", request, self._metadata, within=within)
        try:
            yield from call
        finally:
            call.cancel()

    def _unparsed(self, service: str, name: str, request: Any, read: Callable[[bytes], T]) -> T:  # noqa: ANN401 - protobuf publishes no types
        """Make a call whose answer is not made into messages, which is most of what a call costs (see `wire`)."""
        method = self._channel.unary_unary(
            f"/{service}.API/{name}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=read,
        )
        found: T = self._connection.send(method, name, request, self._metadata)
        return found
