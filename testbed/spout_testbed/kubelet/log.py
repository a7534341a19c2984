"""The output of one start of a container, in a file that keeps when each line was written.

The format is that of a container runtime (CRI): `2026-01-01T00:00:00.123456789Z stdout F the line`. A line that is
longer than `LONGEST` is cut into entries, of which all but the last have the tag `P`.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from spout_testbed.kubelet.log_options import LogOptions, Stamp, stamp

LONGEST = 16 * 1024
"""Bytes of one entry at most, as containerd has it."""
MOST_BYTES = 10 * 1024 * 1024
"""Bytes of a file before a new one begins, as a kubelet has it (`containerLogMaxSize`)."""
LOOK_SECONDS = 0.5
"""Seconds between two looks at whether somebody still follows."""


class ContainerLog:
    """The log of one start of a container. One thread writes it; others read it.

    When the file is full, it gets the ending `.rotated`, and a new one begins. Readers see only the new one, as those
    of a kubelet do.
    """

    def __init__(self, path: Path, *, most_bytes: int = MOST_BYTES, clock: Callable[[], int] = time.time_ns) -> None:
        self._path = path
        self._most_bytes = most_bytes
        self._clock = clock
        self._changed = threading.Condition()
        self._is_closed = False
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb", buffering=0)

    def copy(self, output: BinaryIO, plain: Path) -> None:
        """Write what a container writes, until it ends; then close this log.

        Args:
            output: the end of the pipe that the container writes to.
            plain: a file that gets the same bytes, without times, after what is in it.
        """
        with output, plain.open("ab", buffering=0) as file:
            while content := output.readline(LONGEST):
                file.write(content)
                self.write(content)
        self.close()

    def write(self, content: bytes) -> None:
        """Add one entry: a line with its line feed, or the part of one that has none."""
        # The last line of a program may lack its line feed, and is a whole line all the same.
        tag = b"P" if len(content) >= LONGEST and not content.endswith(b"\n") else b"F"
        entry = b"%s stdout %s %s\n" % (stamp(self._clock()), tag, content.removesuffix(b"\n"))
        with self._changed:
            if self._file.tell() and self._file.tell() + len(entry) > self._most_bytes:
                self._file.close()
                self._path.rename(self._path.with_suffix(".rotated"))
                self._file = self._path.open("wb", buffering=0)
            self._file.write(entry)
            self._changed.notify_all()

    def close(self) -> None:
        """Note that nothing more comes. Those who follow have reached the end."""
        with self._changed:
            self._is_closed = True
            self._file.close()
            self._changed.notify_all()

    def delete(self) -> None:
        """Delete the files of a log that is closed."""
        self._path.unlink(missing_ok=True)
        self._path.with_suffix(".rotated").unlink(missing_ok=True)

    def read(self, options: LogOptions, *, is_wanted: Callable[[], bool] = lambda: True) -> Iterator[bytes]:
        """The output that `options` asks for, in pieces.

        Args:
            options: what to read.
            is_wanted: whether somebody still follows; asked only while there is nothing new.
        """
        left = options.limit_bytes
        starts_line = True
        for line in self._lines(options, is_wanted):
            at, _, tag, content = line.split(b" ", 3)
            if at < options.since:
                continue
            is_whole = tag == b"F"
            piece = _prefix(at, options, starts_line=starts_line) + (
                content if is_whole else content.removesuffix(b"\n")
            )
            starts_line = is_whole
            if left is None:
                yield piece
            else:
                yield piece[:left]
                left -= len(piece)
                if left <= 0:
                    return

    def _lines(self, options: LogOptions, is_wanted: Callable[[], bool]) -> Iterator[bytes]:
        with self._changed:
            file = self._path.open("rb")
            lines = file.readlines()
        if options.tail_lines is not None:
            # Of the file, before anything else is left out of it: so a kubelet counts.
            lines = lines[len(lines) - min(options.tail_lines, len(lines)) :]
        try:
            while lines or options.follow:
                yield from lines
                if not options.follow:
                    return
                with self._changed:
                    lines, file = self._new_lines(file)
                    while not lines and not self._is_closed and is_wanted():
                        self._changed.wait(LOOK_SECONDS)
                        lines, file = self._new_lines(file)
                    if not lines:
                        return
        finally:
            file.close()

    def _new_lines(self, file: BufferedReader) -> tuple[list[bytes], BufferedReader]:
        """What has not been read from `file`, and the file to read from next."""
        lines = file.readlines()
        if os.fstat(file.fileno()).st_ino != self._path.stat().st_ino:
            file.close()
            file = self._path.open("rb")
            lines += file.readlines()
        return lines, file


def _prefix(at: Stamp, options: LogOptions, *, starts_line: bool) -> bytes:
    return at + b" " if options.timestamps and starts_line else b""
