"""A TCP forwarder.

A forwarder in front of each worker gives the worker its own address. pachd connects to each worker at the worker's own
address, and at the same port for all. But the workers of a test bed share one network and listen on all addresses, so
each worker has its own port. Tests put a forwarder in front of a server whose connections have to fail.
"""

import contextlib
import socket
import threading
from typing import Self

CHUNK = 65536


class Forwarder:
    """Listens on one address, and copies each connection to and from another. Ends with `close`, or a `with` statement.

    Port 0 stands for any free port; `port` is the one that it got.
    """

    def __init__(self, listen: tuple[str, int], target: tuple[str, int]) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._open: dict[socket.socket, socket.socket] = {}
        """Each client's end, and the server's end that it is copied to."""
        self._silent: set[socket.socket] = set()
        self._copies: set[threading.Thread] = set()
        self._listener = socket.create_server(listen)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name=f"forward {listen[0]}", daemon=True)
        self._thread.start()

    def silence(self, *, answers_only: bool = False) -> None:
        """Let nothing more through the connections that are open, and keep them open; new connections work.

        A load balancer that forgot a connection does the same. With `answers_only`, what the client sends still
        reaches the target.
        """
        with self._lock:
            self._silent.update(self._open.values())
            if not answers_only:
                self._silent.update(self._open)

    def close(self) -> None:
        """Stop listening, and end every connection."""
        # To close the socket alone would not wake the thread that waits in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        with self._lock:
            for each in (*self._open, *self._open.values()):
                _shut_down(each)
            copies = list(self._copies)
        for copy in copies:
            copy.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target, timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            copy = threading.Thread(target=self._copy_both, args=(client, server), daemon=True)
            with self._lock:
                self._open[client] = server
                self._copies.add(copy)
            copy.start()

    def _copy_both(self, client: socket.socket, server: socket.socket) -> None:
        back = threading.Thread(target=self._copy, args=(server, client), daemon=True)
        back.start()
        self._copy(client, server)
        back.join()
        with self._lock:
            del self._open[client]
            self._silent -= {client, server}
            self._copies.discard(threading.current_thread())
        client.close()
        server.close()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                if source not in self._silent:
                    sink.sendall(data)
        if source not in self._silent:
            # Ends the copy in the other direction as well.
            for each in (source, sink):
                _shut_down(each)


def _shut_down(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
