"""The requests of an adapter to one server: the client as it is now, a known version, and failures in our terms."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import grpc

from spout_operator.core.errors import SpoutError, Unreachable
from spout_operator.core.model import PipelineName
from spout_operator.pachyderm import failures
from spout_operator.pachyderm.connection import Clients

C = TypeVar("C")
K = TypeVar("K")


class Requests(Generic[C, K]):
    """Remembers the version of the server until a call fails that another server may have got. For any thread."""

    def __init__(
        self,
        clients: Clients[C],
        *,
        kind_of: Callable[[grpc.RpcError], K],
        translate: Callable[[grpc.RpcError, str, PipelineName | None], SpoutError],
        ask_version: Callable[[C], str],
    ) -> None:
        """Ask nothing yet.

        Args:
            clients: give out the client.
            kind_of: what a failed call is about, from the server's words.
            translate: makes one of our failures of a failed call, of what was asked, and of the pipeline it is about.
            ask_version: asks a server for its version, and raises UnsupportedPachyderm where the adapter does not serve
                it.
        """
        self._clients = clients
        self._kind_of = kind_of
        self._translate = translate
        self._ask = ask_version
        self._version: str | None = None

    def version(self) -> str:
        """The version of the server, which is one that the adapter serves, as it was when it was last asked.

        Raises:
            Stalled: UnsupportedPachyderm, where it is another.
        """
        return self._version or self._ask_version()

    @contextlib.contextmanager
    def write(self, doing: str, name: PipelineName | None = None, *, absent: K | None = None) -> Iterator[C]:
        """As `call`, of a server that was asked right before which version it is.

        Not which version it was at the last poll: a Pod can be replaced between two polls without failing a call.
        """
        self._ask_version()
        with self.call(doing, name, absent=absent) as client:
            yield client

    @contextlib.contextmanager
    def call(self, doing: str, name: PipelineName | None = None, *, absent: K | None = None) -> Iterator[C]:
        """The client, for one call, whose failure becomes one of ours.

        Args:
            doing: what is asked, for messages.
            name: the pipeline that it is about.
            absent: the kind of failure that is an answer here: the body is left in silence.
        """
        try:
            yield self._clients.current()
        except OSError as error:
            raise failures.unreadable_file(doing, error) from error
        except grpc.RpcError as error:
            if absent is not None and self._kind_of(error) is absent:
                return
            failure = self._translate(error, doing, name)
            if isinstance(failure, Unreachable | failures.OtherApi):
                # It may come back as another version; or it has, so quickly that no call failed meanwhile.
                self._version = None
            raise failure from error

    def _ask_version(self) -> str:
        self._version = None
        with self.call("ask the version") as client:
            version = self._ask(client)
        self._version = version
        return version
