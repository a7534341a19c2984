"""The part of a kubelet's HTTPS server that the API server asks for logs: `/containerLogs/NAMESPACE/POD/CONTAINER`."""

import contextlib
import http
import select
import socket
import ssl
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol, Self

from spout_testbed.kubelet.log import ContainerLog
from spout_testbed.kubelet.log_options import log_options
from spout_testbed.network import BED_ADDRESS, KUBELET_PORT

IDLE_SECONDS = 30.0
"""Seconds after which a connection without a request is closed."""


class NoLogError(Exception):
    """There is no such log. The words are those of a kubelet."""

    def __init__(self, message: str, status: http.HTTPStatus = http.HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.status = status


class Logs(Protocol):
    """The logs of the Pods of one namespace."""

    def log_of(self, pod: str, container: str, *, previous: bool) -> ContainerLog:
        """The log of a container. Raises NoLogError if there is none."""


class KubeletServer:
    """Serves the logs of all containers at the address of the node, inside a `with` statement."""

    def __init__(self, *, certificate: Path, address: tuple[str, int] = (BED_ADDRESS, KUBELET_PORT)) -> None:
        """Listen inside the `with` statement.

        Args:
            certificate: what to show to the API server; its key is beside it, in a file with the ending `.key`.
            address: where to listen.
        """
        self._certificate = certificate
        self._address = address
        self._namespaces: dict[str, Logs] = {}

    def serve(self, namespace: str, logs: Logs) -> None:
        """Serve the logs of one more namespace."""
        self._namespaces[namespace] = logs

    def __enter__(self) -> Self:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate, self._certificate.with_suffix(".key"))
        self._server = _Server(self._address, self._namespaces, context)
        self._thread = threading.Thread(target=self._server.serve_forever, name="kubelet", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.close_connections()
        # This waits for the threads of all connections.
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    # Else `server_close` would not wait for them.
    daemon_threads = False

    def __init__(self, address: tuple[str, int], namespaces: Mapping[str, Logs], context: ssl.SSLContext) -> None:
        super().__init__(address, _Handler)
        self.namespaces = namespaces
        self._context = context
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, client = super().get_request()
        # The thread of the connection shakes hands, so a client that does not holds nobody up.
        secured = self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._open.add(secured)
        return secured, client

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - as in the class above
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as in the class above
        """Say nothing of a client that has gone: an answer that it does not want is no fault."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def close_connections(self) -> None:
        with self._lock:
            for each in self._open:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    wbufsize = -1
    server: _Server

    def do_GET(self) -> None:
        """Answer one request."""
        url = urllib.parse.urlsplit(self.path)
        try:
            options = log_options(urllib.parse.parse_qs(url.query), now=time.time_ns())
            log = self._find(url.path, previous=options.previous)
        except NoLogError as error:
            self._refuse(error.status, str(error))
        except ValueError as error:
            self._refuse(http.HTTPStatus.UNPROCESSABLE_ENTITY, f'{{"message": "Invalid request: {error}"}}')
        else:
            self._stream(log.read(options, is_wanted=self._is_wanted), at_once=options.follow)

    def log_message(self, *_: object) -> None:
        """Write nothing to the terminal of the tests."""

    def _find(self, path: str, *, previous: bool) -> ContainerLog:
        match path.strip("/").split("/"):
            case ["containerLogs", namespace, pod, container] if namespace in self.server.namespaces:
                return self.server.namespaces[namespace].log_of(pod, container, previous=previous)
            case ["containerLogs", _, pod, _]:
                raise NoLogError(f'pod "{pod}" does not exist', http.HTTPStatus.NOT_FOUND)
        raise NoLogError(
            f"the kubelet of the test bed serves only /containerLogs, not {path}", http.HTTPStatus.NOT_FOUND
        )

    def _refuse(self, status: http.HTTPStatus, message: str) -> None:
        body = message.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, pieces: Iterator[bytes], *, at_once: bool) -> None:
        self.send_response(http.HTTPStatus.OK)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            # An empty chunk would end the answer.
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if piece else b"")
            if at_once:
                self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def _is_wanted(self) -> bool:
        """Whether the client is still connected."""
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        return not poll.poll(0)
