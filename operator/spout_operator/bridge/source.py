"""Bytes of a named pipe, counted, with a buffer of one chunk."""

import contextlib
import os
import select
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from spout_operator.bridge.errors import BadArchive, PipeLost, Stopped

#: Bytes read at once, and the buffer asked for from the kernel, which needs no right for up to 1 MiB.
CHUNK = 1024 * 1024
_F_SETPIPE_SZ = 1031
#: Seconds between two looks at whether the pipe is still in its place.
_LOOK = 1.0


class PipeSource:
    """The reading end of the named pipe at `path`, which this makes.

    `stop` may be called from another thread; the reader then raises `Stopped`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._buffer = bytearray(CHUNK)
        self._view = memoryview(self._buffer)
        self._start = self._end = 0
        self._wake_read, self._wake_write = os.pipe()
        self._pipe = -1
        self.offset = 0
        """Bytes of the current archive that were taken."""
        self.renew()

    def renew(self) -> None:
        """Put a new pipe into the place of the old one: who writes to the old one gets EPIPE. Its bytes are lost."""
        folder = tempfile.mkdtemp(prefix=".pipe-", dir=self.path.parent)
        new = Path(folder, "out")
        os.mkfifo(new)
        reader = os.open(new, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        new.replace(self.path)
        Path(folder).rmdir()
        if self._pipe >= 0:
            os.close(self._pipe)
        self._adopt(reader)
        self._start = self._end = 0

    def close(self) -> None:
        """Close all that is open, and remove the pipe."""
        for descriptor in (self._pipe, self._wake_read, self._wake_write):
            os.close(descriptor)
        self.path.unlink(missing_ok=True)

    def stop(self) -> None:
        """Have the reader raise `Stopped`."""
        os.write(self._wake_write, b"x")

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be read."""
        return self._start == self._end and not select.select([self._pipe], [], [], 0)[0]

    def wait_for_data(self) -> None:
        """Return as soon as there is a byte.

        Raises:
            Stopped: `stop` was called.
            PipeLost: something else is at the path.
        """
        while self._start == self._end:
            if not self._fill():
                # Opened before the old end is closed: a writer that opens the pipe in between finds a reader.
                again = os.open(f"/dev/fd/{self._pipe}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
                os.close(self._pipe)
                self._adopt(again)
                self._wait()

    def read_exactly(self, size: int, what: str) -> memoryview:
        """The next bytes, at most a chunk of them. The view is valid until the next read.

        Raises:
            BadArchive: the writer closed the pipe before.
            Stopped: `stop` was called.
        """
        if self._end - self._start < size:
            self._view[: self._end - self._start] = bytes(self._view[self._start : self._end])
            self._start, self._end = 0, self._end - self._start
            while self._end < size:
                if not self._fill():
                    raise _cut_off(what, self.offset + self._end)
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
        """Skip what pads an archive, in whole blocks; say whether something else follows before the pipe is closed."""
        while True:
            if self._start == self._end and not self._fill():
                return False
            rest = self._view[self._start : self._end]
            if not any(rest):
                self._start = self._end
                continue
            zeros = len(rest) - len(bytes(rest).lstrip(b"\0"))
            self._start += zeros
            return True

    def _adopt(self, reader: int) -> None:
        self._pipe = reader
        with contextlib.suppress(OSError, ImportError):
            import fcntl  # noqa: PLC0415 - the size is a matter of speed, on Linux alone

            fcntl.fcntl(reader, _F_SETPIPE_SZ, CHUNK)

    def _fill(self) -> bool:
        """Read what is there into the buffer; wait for it. False once no writer is left."""
        if self._start == self._end:
            self._start = self._end = 0
        while True:
            try:
                read = os.readv(self._pipe, [self._view[self._end :]])
            except BlockingIOError:
                self._wait()
            else:
                self._end += read
                return read > 0

    def _wait(self) -> None:
        poll = select.poll()
        poll.register(self._pipe, select.POLLIN)
        poll.register(self._wake_read, select.POLLIN)
        while not (ready := dict(poll.poll(_LOOK * 1000))):
            self._look()
        if self._wake_read in ready:
            raise Stopped

    def _look(self) -> None:
        try:
            found = self.path.lstat()
        except FileNotFoundError:
            raise PipeLost(f"{self.path}: the named pipe is gone; write to it, and do not remove it") from None
        if not stat.S_ISFIFO(found.st_mode) or found.st_ino != os.fstat(self._pipe).st_ino:
            raise PipeLost(
                f"{self.path}: found {stat.filemode(found.st_mode)} in the place of the named pipe; write to the pipe, "
                "and do not replace it"
            )


def _cut_off(what: str, offset: int) -> BadArchive:
    return BadArchive(f"the writer closed the pipe inside {what}; write the whole archive again", offset=offset)
