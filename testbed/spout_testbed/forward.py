"""A TCP forwarder, so that each worker is reached at an address of its own.

pachd looks for every worker at that worker's own address and at one port common to all. The workers of
a bed share one network and listen on every address, so each gets a port of its own, and this in front.
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
        """Stop listening; open connections end with either of their ends."""
        # Closing alone would not wake the thread that waits in accept().
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
