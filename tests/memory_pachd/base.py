"""A server of gRPC in this process, and what a test can do to it."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import grpc

from tests.memory_pachd.gate import Calls, Gate

HOST = "127.0.0.1"
THREADS = 16


class MemoryServer:
    """Starts in milliseconds; fails, hangs and restarts when a test asks for it.

    Args:
        tls: private key and certificate in PEM, for a server that speaks TLS.
    """

    def __init__(self, *, tls: tuple[bytes, bytes] | None = None) -> None:
        self.port = 0
        self._tls = tls
        self._gate = Gate()
        self._server: Any = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    @property
    def address(self) -> str:
        """The address for the operator's `--pachd-address`."""
        return f"{'grpcs' if self._tls else 'grpc'}://{HOST}:{self.port}"

    @property
    def calls(self) -> Calls:
        """How often each method was called, by name: `calls["ListPipeline"]`."""
        return self._gate.calls

    @property
    def metadata(self) -> Mapping[str, str]:
        """The metadata of the last call, `authn-token` among it."""
        return self._gate.metadata

    def start(self, *, port: int | None = None) -> None:
        """Listen: on a free port at first, afterwards on the same one unless told another. All data are kept."""
        self._server = grpc.server(
            ThreadPoolExecutor(THREADS), interceptors=[self._gate], options=[("grpc.so_reuseport", 0)]
        )
        self.add_services(self._server)
        self._server.add_generic_rpc_handlers((_UnknownServices(),))
        where = f"{HOST}:{self.port if port is None else port}"
        self.port = (
            self._server.add_secure_port(where, grpc.ssl_server_credentials([self._tls]))
            if self._tls
            else self._server.add_insecure_port(where)
        )
        self._server.start()

    def add_services(self, server: Any) -> None:
        """Add what it answers to a server that is about to start."""
        raise NotImplementedError

    def stop(self) -> None:
        """Cancel all calls and stop listening."""
        self._server.stop(grace=None).wait()

    def fail(self, method: str, code: grpc.StatusCode, details: str, *, times: int = 1, after: int = 0) -> None:
        """Make the next calls of a method fail, `after` a number of calls that do not."""
        self._gate.fail(method, (code, details), times, after)

    def hang(self, method: str) -> None:
        """Make the calls of a method wait until `release` or the caller's deadline."""
        self._gate.hang(method)

    def answer_late(self, method: str) -> None:
        """Execute the next call of a method at once, and answer it only at `release`."""
        self._gate.answer_late(method)

    def release(self, method: str) -> None:
        """Let the waiting calls of a method continue."""
        self._gate.release(method)


class _UnknownServices(grpc.GenericRpcHandler):  # type: ignore[misc] # gRPC publishes no types
    """Refuses a call to another service in the words of gRPC for Go, in which pachd is written."""

    def service(self, call: Any) -> Any:
        service = call.method.split("/")[1]

        def refuse(_request: bytes, context: Any) -> None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"unknown service {service}")

        return grpc.unary_unary_rpc_method_handler(refuse)
