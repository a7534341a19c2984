"""The code of a spout that does not wait for the worker: it writes the archives up to a number one after the other.

It opens /pfs/out, writes one archive and closes it again, without a pause. Unless BLOCKS is set, it does so without
blocking: while the worker makes a commit of an archive, the pipe fills up, and the next write fails. If RETRIES is set,
the code makes the write again.

LIMIT names a file with the number of the last archive, POSITION one with that of the newest, and ERRORS one that gets a
line for each error.
"""

import errno
import os
import tarfile
import time
from pathlib import Path

FLAGS = os.O_WRONLY if "BLOCKS" in os.environ else os.O_WRONLY | os.O_NONBLOCK
LIMIT, POSITION, ERRORS = (Path(os.environ[name]) for name in ("LIMIT", "POSITION", "ERRORS"))


def archive(number: int) -> bytes:
    """At most 4,096 bytes (PIPE_BUF): a pipe takes so much as a whole, or nothing of it."""
    content = str(number).encode()
    entry = tarfile.TarInfo(f"data-{number}")
    entry.size = len(content)
    return entry.tobuf() + content.ljust(tarfile.BLOCKSIZE, b"\0") + bytes(2 * tarfile.BLOCKSIZE)


def write(content: bytes) -> None:
    """One write to the pipe, from its opening to its closing."""
    pipe = os.open("/pfs/out", FLAGS)
    try:
        os.write(pipe, content)
    finally:
        os.close(pipe)


def write_until_it_succeeds(content: bytes) -> None:
    """The same again after each error, if RETRIES is set."""
    while True:
        try:
            write(content)
        except OSError as error:
            with ERRORS.open("a") as errors:
                errors.write(f"{errno.errorcode.get(error.errno or 0, error)}\n")
            if "RETRIES" not in os.environ:
                raise
            time.sleep(0.02)
        else:
            return


while True:
    done = int(POSITION.read_text()) if POSITION.exists() else 0
    if done >= int(LIMIT.read_text() or 0):
        time.sleep(0.05)
        continue
    write_until_it_succeeds(archive(done + 1))
    POSITION.write_text(str(done + 1))
