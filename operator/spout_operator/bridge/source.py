"""Bytes that writers put into the named pipe, counted, with a buffer of one chunk."""

import os
import select
from collections.abc import Iterator
from pathlib import Path

from spout_operator.bridge.errors import BadArchive, Stopped
from spout_operator.bridge.headers import BLOCK
from spout_operator.bridge.pipe import CHUNK, NamedPipe

#: Seconds between two looks at whether the pipe is still in its place.
_LOOK = 1.0
_ZEROS = bytes(8 * BLOCK)


class PipeSource:
    """What comes through the named pipe at `path`, which this makes. Bytes of two writers never mix in an archive.

    `stop` may be called from another thread; the reader then raises `Stopped`.
    """

    def __init__(self, path: Path) -> None:
        self._buffer = bytearray(CHUNK)
        self._view = memoryview(self._buffer)
        self._start = self._end = 0
        self._wake_read, self._wake_write = os.pipe()
        self._pipe = NamedPipe(path)
        self._readers: list[int] = []
        """Pipes that writers have opened, in this order."""
        self._reader = -1
        """The one of them that the bytes in the buffer come from."""
        self.offset = 0
        """Bytes of the current archive that were taken."""

    def close(self) -> None:
        """Close all that is open, and remove the pipe."""
        self._pipe.close()
        for descriptor in (*self._readers, self._wake_read, self._wake_write):
            os.close(descriptor)

    def stop(self) -> None:
        """Have the reader raise `Stopped`."""
        os.write(self._wake_write, b"x")

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be read, not even the news that a writer is gone."""
        return not (self._end > self._start or self._pipe.is_opened or _readable(self._readers, 0))

    def wait_for_data(self) -> None:
        """Return as soon as there is a byte, of whichever writer.

        Raises:
            Stopped: `stop` was called.
            PipeLost: something else is at the path.
        """
        while self._start == self._end:
            ready = _readable([*self._readers, self._pipe.ready, self._wake_read], _LOOK)
            if self._wake_read in ready:
                raise Stopped
            if not ready:
                self._pipe.check()
            while (opened := self._pipe.take()) is not None:
                self._readers.append(opened)
            for reader in [reader for reader in self._readers if reader in ready]:
                self._reader = reader
                if self._fill():
                    break
                self.drop_writer()

    def drop_writer(self) -> None:
        """Drop the writer whose bytes are read, with all that it wrote; it gets EPIPE if it goes on."""
        os.close(self._reader)
        self._readers.remove(self._reader)
        self._reader = -1
        self._start = self._end = 0

    def read_exactly(self, size: int, what: str) -> memoryview:
        """The next bytes, at most a chunk of them. The view is valid until the next read.

        Raises:
            BadArchive: the writer closed the pipe before.
            Stopped: `stop` was called.
        """
        if not self._have(size):
            raise _cut_off(what, self.offset + self._end - self._start)
        taken = self._view[self._start : self._start + size]
        self._start += size
        self.offset += size
        return taken

    def read_through(self, size: int, what: str) -> Iterator[memoryview]:
        """The next `size` bytes in chunks as they come, each valid until the next. Raises as `read_exactly` does."""
        left = size
        while left:
            if self._start == self._end and not self._fill():
                raise _cut_off(what, self.offset)
            taken = self._view[self._start : min(self._end, self._start + left)]
            self._start += len(taken)
            self.offset += len(taken)
            left -= len(taken)
            yield taken

    def skip_zeros(self) -> bool:
        """Skip what pads an archive, in whole blocks, as far as it is there; say whether something else follows."""
        while self._start < self._end:
            for zeros in (_ZEROS, _ZEROS[:BLOCK]):
                while self._buffer.startswith(zeros, self._start, self._end):
                    self._start += len(zeros)
            if self._end - self._start >= BLOCK or any(self._view[self._start : self._end]):
                return True
            if self._start < self._end and not self._have(BLOCK):
                self._start = self._end
        return False

    def _have(self, size: int) -> bool:
        """Whether so many bytes are in the buffer; waits for them. False if the writer closed the pipe before."""
        if self._end - self._start < size:
            self._view[: self._end - self._start] = bytes(self._view[self._start : self._end])
            self._start, self._end = 0, self._end - self._start
            while self._end < size:
                if not self._fill():
                    return False
        return True

    def _fill(self) -> bool:
        """Read what is there into the buffer; wait for it. False once no writer is left."""
        if self._start == self._end:
            self._start = self._end = 0
        while True:
            try:
                read = os.readv(self._reader, [self._view[self._end :]])
            except BlockingIOError:
                while not (ready := _readable([self._reader, self._wake_read], _LOOK)):
                    self._pipe.check()
                if self._wake_read in ready:
                    raise Stopped from None
            else:
                self._end += read
                return read > 0


def _readable(descriptors: list[int], seconds: float) -> list[int]:
    """Those of them from which a read returns at once."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return [descriptor for descriptor, _ in poll.poll(seconds * 1000)]


def _cut_off(what: str, offset: int) -> BadArchive:
    return BadArchive(f"the writer closed the pipe inside {what}; write the whole archive again", offset=offset)
