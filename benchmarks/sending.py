"""When the operator sends a text to Pachyderm: a forwarder in front of pachd that looks at what passes through."""

import socket
import time

from spout_testbed.forward import CHUNK, Forwarder
from spout_testbed.waiting import eventually


class WatchedForwarder(Forwarder):
    """Notes what clients send. gRPC leaves the texts in a message as they are."""

    def __init__(self, listen: tuple[str, int], target: tuple[str, int]) -> None:
        self._wanted: bytes | None = None
        self._sent_at: float | None = None
        super().__init__(listen, target)

    def expect(self, text: str) -> None:
        """Look for a text from now on."""
        self._sent_at, self._wanted = None, text.encode()

    def sent_at(self) -> float:
        """Wait until the text that is expected was sent; returns the time, as `time.monotonic` has it."""
        return eventually(lambda: self._sent_at, what=f"{self._wanted!r} to be sent", interval=0.01)

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        rest = b""
        try:
            while data := source.recv(CHUNK):
                sink.sendall(data)
                wanted = self._wanted
                if wanted is not None and self._sent_at is None and wanted in rest + data:
                    self._sent_at = time.monotonic()
                # The text can be in two pieces.
                rest = data[-CHUNK // 64 :]
        except OSError:
            pass
        super()._copy(source, sink)
