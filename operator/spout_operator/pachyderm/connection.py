"""What the adapters share of a connection: where to, the deadline of each request, and credentials that can change."""

import dataclasses
import pathlib
import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import grpc

from spout_operator.config import PachdAddress
from spout_operator.pachyderm.credentials import LONGEST_TOKEN, parse_authorities, parse_token
from spout_operator.ports import Permit, Telemetry

C = TypeVar("C")

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

    def channel(self, root_certs: bytes | None) -> Any:  # noqa: ANN401 - gRPC publishes no types
        """A new channel; `root_certs` are the authorities in PEM form, None for those of the machine."""
        options = [
            ("grpc.keepalive_time_ms", KEEPALIVE * 1000),
            ("grpc.max_reconnect_backoff_ms", RECONNECT * 1000),
            ("grpc.max_receive_message_length", -1),
        ]
        if not self.pachd.tls:
            return grpc.insecure_channel(self.target, options)
        return grpc.secure_channel(self.target, grpc.ssl_channel_credentials(root_certificates=root_certs), options)

    def send(
        self,
        method: Any,  # noqa: ANN401 - gRPC publishes no types
        name: str,
        request: Any,  # noqa: ANN401 - as above
        metadata: Sequence[tuple[str, str]],
        *,
        within: float | None = None,
    ) -> Any:  # noqa: ANN401 - as above
        """The answer to a request, which has a deadline, the permit and a place in the telemetry.

        `within` is a shorter deadline, in seconds.
        """
        deadline = min(self.deadline, within or self.deadline)
        # gRPC keeps the time at which a call has to end, so one that was prepared before a pause fails after it.
        deadline = deadline if self.permit is None else min(deadline, self.permit())
        ended = self.telemetry.requesting("pachyderm", name.removesuffix("Stream"))
        try:
            answer = method(request, metadata=metadata, timeout=deadline)
        except grpc.RpcError as error:
            ended(error.code().name)
            raise
        if isinstance(answer, grpc.Future):
            # A stream, which ends when it was read, or when its reader has enough of it.
            answer.add_done_callback(lambda call: ended("OK" if call.cancelled() else call.code().name))
        else:
            ended("OK")
        return answer


class Clients(Generic[C]):
    """Gives out the current client, and a new one when the CA or the token file has changed.

    Raises, from `current`:
        OSError: one of the files cannot be read, as while a Secret is rotated.
        Stalled: one of them does not hold what it should.
    """

    def __init__(self, connection: Connection, make: Callable[[str, bytes | None], C]) -> None:
        """Make no client yet.

        Args:
            connection: has the files.
            make: makes a client of a token, empty where there is none, and of the authorities in PEM form.
        """
        self.connection = connection
        self._make = make
        self._lock = threading.Lock()
        self._made_of: tuple[bytes | None, bytes | None] | None = None
        self._client: C | None = None

    def current(self) -> C:
        """The client for the credentials as they are now."""
        token_file, ca_file = self.connection.token_file, self.connection.ca_file
        with self._lock:
            made_of = (_read(token_file, most=LONGEST_TOKEN + 1), _read(ca_file))
            if self._client is None or made_of != self._made_of:
                token, root_certs = made_of
                # The old channel is not closed: other threads' calls on it are let run to their end.
                self._client = self._make(
                    "" if token_file is None or token is None else parse_token(token_file, token),
                    None if ca_file is None or root_certs is None else parse_authorities(ca_file, root_certs),
                )
                self._made_of = made_of
            return self._client


def _read(file: pathlib.Path | None, *, most: int = -1) -> bytes | None:
    if file is None:
        return None
    with file.open("rb") as opened:
        return opened.read(most)
