"""One process at a time in a folder."""

import fcntl
import os
from pathlib import Path

from spout_operator.bridge.errors import StoreFailed


class FolderLock:
    """Holds `folder`/.lock until it is released, or the process ends.

    Raises:
        StoreFailed: another process has it; the message says which.
    """

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._file, 32).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise StoreFailed(
                f"{folder}: the process {holder} uses this folder; end it, or choose another folder"
            ) from None
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let others have it."""
        os.close(self._file)
