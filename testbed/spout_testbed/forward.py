"""A TCP forwarder that gives each worker its own address.

pachd connects to each worker at the worker's own address, and at the same port for all. But the workers of a test bed
share one network and listen on all addresses. So each worker gets its own port, and a forwarder in front of it.
"""

import contextlib
import socket
import threading

CHUNK = 65536


class Forwarder:
    """Listens on one address and port, and copies each connection to and from another. Ends with `close`."""

    def __init__(self, listen: tuple[str, int], target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(listen)
        self._thread = threading.Thread(target=self._accept, name=f"forward {listen[0]}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening. An open connection ends when one of its two sides ends it."""
        # To close the socket alone would not wake the thread that waits in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

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
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=_copy, args=(source, sink), daemon=True).start()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(CHUNK):
            sink.sendall(data)
    # Ends the copy in the other direction as well.
    for each in (source, sink):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
