"""The transaction of the store in a folder: one archive in its folder .staging, not visible yet.

Strings and `os` here, because pathlib costs more than what it calls; an archive of 1 KiB would take twice as long.
"""

import contextlib
import dataclasses
import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from spout_operator.bridge.errors import Refused, StoreFailed
from spout_operator.bridge.store import Committed, Part

#: What the file system cannot hold, which is no fault of the disk.
_REFUSED = {
    errno.ENOTDIR: "it, or a folder that it is in, is a file already",
    errno.EISDIR: "is a folder already, and cannot become a file",
    errno.ENAMETOOLONG: "the path is too long",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Staged:
    """What is staged: the paths of the data files, how often a file was written, and the bytes of these writes."""

    files: Iterable[str]
    writes: int
    size: int
    has_data: bool
    has_marker: bool


class FolderTransaction:
    """One archive, below `root`/.staging, which exists; see `store.Transaction`. `publish` makes it visible."""

    def __init__(self, root: str, *, overwrite: bool, publish: Callable[[Staged], Committed]) -> None:
        self._root, self._overwrite, self._publish = root, overwrite, publish
        self._data, self._marker, self._head = f"{root}/.staging/files", f"{root}/.staging/marker", f"{root}/head"
        self._files: set[str] = set()
        self._folders: set[str] = set()
        self._writes = self._size = 0

    def write_file(self, part: Part, path: str, content: Iterable[bytes | memoryview]) -> None:
        """See `Transaction`."""
        with told(self._root, path):
            if part is Part.MARKER:
                self._write(self._new_marker(path), content)
                return
            self._size += self._write(self._new_data(path), content)
            self._files.add(path)
            self._writes += 1

    def write_folder(self, part: Part, path: str) -> None:
        """See `Transaction`."""
        with told(self._root, path):
            if part is Part.MARKER:
                self._keep_marker(path)
                self._make_folders(self._marker, path)
            else:
                if _is_folder(f"{self._head}/{path}") is False:
                    raise NotADirectoryError(errno.ENOTDIR, "", path)
                self._make_folders(self._data, path)

    def finish(self) -> Committed:
        """See `Transaction`."""
        with told(self._root):
            return self._publish(
                Staged(
                    self._files,
                    self._writes,
                    self._size,
                    has_data=self._data in self._folders,
                    has_marker=self._marker in self._folders,
                )
            )

    def discard(self) -> None:
        """See `Transaction`."""
        shutil.rmtree(Path(self._data).parent, ignore_errors=True)

    def _write(self, descriptor: int, content: Iterable[bytes | memoryview]) -> int:
        try:
            return sum(write(descriptor, chunk) for chunk in content)
        finally:
            os.close(descriptor)

    def _new_data(self, path: str) -> int:
        """An open file, with the content that is appended to."""
        place, appends = f"{self._data}/{path}", not self._overwrite
        if path in self._files:
            return os.open(place, os.O_WRONLY | os.O_CLOEXEC | (os.O_APPEND if appends else os.O_TRUNC))
        earlier = _is_folder(f"{self._head}/{path}")
        if earlier:
            raise IsADirectoryError(errno.EISDIR, "", path)
        self._make_folders(self._data, path.rpartition("/")[0])
        descriptor = self._create(place)
        if appends and earlier is False:
            shutil.copyfile(f"{self._head}/{path}", place)
            os.lseek(descriptor, 0, os.SEEK_END)
        return descriptor

    def _new_marker(self, path: str) -> int:
        self._keep_marker(path)
        self._make_folders(self._marker, path.rpartition("/")[0])
        place = Path(self._marker, path)
        # What is there is a link to the earlier marker, which has to stay as it is.
        place.unlink(missing_ok=True)
        return self._create(str(place))

    @staticmethod
    def _create(place: str) -> int:
        try:
            return os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            raise IsADirectoryError(errno.EISDIR, "", place) from None

    def _make_folders(self, top: str, path: str) -> None:
        folder = f"{top}/{path}" if path else top
        if folder in self._folders:
            return
        if path:
            self._make_folders(top, path.rpartition("/")[0])
        try:
            os.mkdir(folder)  # noqa: PTH102 - see the top
        except FileExistsError:
            if not _is_folder(folder):
                raise NotADirectoryError(errno.ENOTDIR, "", path) from None
        self._folders.add(folder)

    def _keep_marker(self, path: str) -> None:
        """An archive replaces the files of a marker that it holds, and leaves the others."""
        earlier = f"{self._root}/marker"
        if self._marker not in self._folders and _is_folder(f"{earlier}/{path.partition('/')[0]}"):
            shutil.copytree(earlier, self._marker, copy_function=os.link)
            self._folders.add(self._marker)


def _is_folder(path: str) -> bool | None:
    """Whether a folder or something else is there; None for nothing.

    Raises:
        NotADirectoryError: a part of the path is a file.
    """
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)  # noqa: PTH116 - see the top
    except FileNotFoundError:
        return None


def write(descriptor: int, content: bytes | memoryview) -> int:
    """Write all of it, and return how many bytes that were."""
    written = os.write(descriptor, content)
    while written < len(content):
        written += os.write(descriptor, memoryview(content)[written:])
    return written


@contextlib.contextmanager
def told(root: str | Path, path: str = "") -> Iterator[None]:
    """An error of the file system, as one that names the folder and what to do."""
    try:
        yield
    except OSError as error:
        if path and error.errno in _REFUSED:
            raise Refused(f"{path!r:.200}: {_REFUSED[error.errno]}; choose another name") from error
        does = (
            "free some space" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "mend that, or choose another folder"
        )
        raise StoreFailed(
            f"{root}: cannot write {error.filename or path or 'to it'}: {error.strerror}; {does}"
        ) from error
