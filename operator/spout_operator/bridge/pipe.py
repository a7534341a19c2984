"""A named pipe that gives each writer a pipe of its own, as a listening socket gives each client a connection.

A pipe has no boundaries between its writers. If a writer dies in the middle of an archive and the next one opens the
same pipe before the reader has come to the end, their bytes run together. So no two writers that come one after the
other get the same pipe. A pipe waits at the path full of zeros, and who opens it cannot write. Then the next pipe takes
its place at the path, and only then are the zeros read away. So whoever opens the path after a byte was written, opens
another pipe. Only writers that open the path at the same moment can share one.
"""

import collections
import contextlib
import os
import shutil
import stat
import threading
from pathlib import Path

from spout_operator.bridge.errors import PipeLost

#: Bytes asked for from the kernel for a pipe that is read. Needs no right for up to 1 MiB.
CHUNK = 1024 * 1024
_F_SETPIPE_SZ = 1031
_PAGE = 4096
#: Pipes that were opened and are not read yet. Each is an open file.
_MOST_WAITING = 64


class NamedPipe:
    """The named pipe at `path`, which this makes. `take` gives the reading end of each pipe that a writer opened.

    `close` ends it; until then a thread waits for writers. A hidden folder beside `path` is its own.

    Raises:
        PipeLost: something that is no named pipe is at `path`.
    """

    def __init__(self, path: Path) -> None:
        if os.path.lexists(path) and not path.is_fifo():
            raise PipeLost(
                f"{path}: found {stat.filemode(path.lstat().st_mode)} in the place of the named pipe; remove it"
            )
        self.path = path
        self.ready, self._ready = os.pipe()
        """Can be read from while `take` has something to give."""
        self._folder = path.with_name(f".{path.name}-pipes")
        shutil.rmtree(self._folder, ignore_errors=True)  # of a process that was killed
        self._folder.mkdir()
        self._made = 0
        self._opened: collections.deque[int] = collections.deque()
        self._room = threading.Semaphore(_MOST_WAITING)
        self._is_closing = self._is_handing_over = False
        self._failure: OSError | None = None
        self._lock = threading.Lock()
        self._waiting = self._make()
        self._waiting.show_at(path)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def take(self) -> int | None:
        """The reading end of the pipe that was opened first; None if no further one was. The caller closes it.

        Raises:
            PipeLost: no further pipe can be made.
        """
        if not self._opened:
            if self._failure is not None:
                raise PipeLost(
                    f"{self.path}: cannot make the next named pipe: {self._failure.strerror}; mend that, or choose "
                    "another folder"
                ) from self._failure
            return None
        os.read(self.ready, 1)
        self._room.release()
        return self._opened.popleft()

    @property
    def is_opened(self) -> bool:
        """Whether `take` has something to give, or will at once."""
        return self._is_handing_over or bool(self._opened)

    def check(self) -> None:
        """See that the pipe is in its place.

        Raises:
            PipeLost: something else is there.
        """
        with self._lock:
            try:
                found = self.path.lstat()
            except FileNotFoundError:
                raise PipeLost(f"{self.path}: the named pipe is gone; write to it, and do not remove it") from None
            if found.st_ino != self._waiting.inode or not stat.S_ISFIFO(found.st_mode):
                raise PipeLost(
                    f"{self.path}: found {stat.filemode(found.st_mode)} in the place of the named pipe; write to the "
                    "pipe, and do not replace it"
                )

    def close(self) -> None:
        """Remove the pipe, and let go of all that is open."""
        self._is_closing = True
        self._room.release()
        while self._thread.is_alive():
            with self._lock, contextlib.suppress(OSError):
                os.close(os.open(self._waiting.name, os.O_WRONLY | os.O_NONBLOCK))
            self._thread.join(0.1)
        for descriptor in (*self._opened, self._waiting.reader, self.ready, self._ready):
            os.close(descriptor)
        with contextlib.suppress(PipeLost):
            self.check()
            self.path.unlink()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _accept(self) -> None:
        try:
            while not self._is_closing:
                self._accept_one()
        except OSError as error:
            self._failure = error
            os.write(self._ready, b"x")

    def _accept_one(self) -> None:
        """Wait until somebody opens the pipe at the path; put the next one there; hand over the first."""
        opened = self._waiting
        # Only an open tells of a writer that has not written. It returns once there is one, even if that is gone.
        os.close(os.open(opened.name, os.O_RDONLY))
        self._room.acquire()
        if self._is_closing:
            return
        new = self._make()
        with self._lock:
            new.show_at(self.path)
            self._waiting = new
        self._is_handing_over = True
        opened.let_write()
        self._opened.append(opened.reader)
        os.write(self._ready, b"x")
        self._is_handing_over = False

    def _make(self) -> "_FullPipe":
        self._made += 1
        return _FullPipe(self._folder / str(self._made))


class _FullPipe:
    """A new named pipe, in which there is no room for a byte."""

    def __init__(self, name: Path) -> None:
        self.name = name
        os.mkfifo(name)
        self.reader = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self.inode = os.fstat(self.reader).st_ino
        _set_size(self.reader, _PAGE)
        self._zeros = 0
        writer = os.open(name, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with contextlib.suppress(BlockingIOError):
            while True:
                self._zeros += os.write(writer, bytes(_PAGE))
        os.close(writer)

    def show_at(self, path: Path) -> None:
        """Put it into the place of the pipe that is there. It keeps its own name."""
        link = self.name.with_suffix(".link")
        os.link(self.name, link)
        link.replace(path)

    def let_write(self) -> None:
        """Make room for those who opened it."""
        self.name.unlink()
        with contextlib.suppress(BlockingIOError):  # a writer that can read too may have taken some
            while self._zeros and (taken := os.read(self.reader, self._zeros)):
                self._zeros -= len(taken)
        _set_size(self.reader, CHUNK)


def _set_size(pipe: int, size: int) -> None:
    with contextlib.suppress(OSError, ImportError):
        import fcntl  # noqa: PLC0415 - the size is a matter of speed, on Linux alone

        fcntl.fcntl(pipe, _F_SETPIPE_SZ, size)
