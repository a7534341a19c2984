"""A store in a plain folder.

    commits/0001/files/...   the files that the first commit wrote, each with its whole content
    commits/0001/marker/...  the marker that was committed with them, where there was one
    markers/0001/...         a marker that was committed alone, as long as it is the last
    marker                   a link to the last marker
    head/...                 the newest state of every file
    commits.jsonl            one line for each archive

One rename makes a commit visible: of its folder, or of the link `marker` for a marker alone. What follows that rename
is done again at the next start if the line in commits.jsonl is missing. No write waits for the disk: commits survive
the death of any process, not the loss of power.
"""

import contextlib
import datetime
import errno
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from spout_operator.bridge.errors import Refused, StoreFailed
from spout_operator.bridge.lock import FolderLock
from spout_operator.bridge.store import Committed, Part

LOG = "commits.jsonl"


class FolderStore:
    """The folder `root`, which is made. `overwrite` as in the spec of a spout.

    Raises:
        StoreFailed: the folder cannot be written to, or another process has it.
    """

    def __init__(self, root: Path, *, overwrite: bool) -> None:
        self.root = root
        self.overwrite = overwrite
        self._commit = self._position = 0
        with _told(root):
            root.mkdir(parents=True, exist_ok=True)
            self._lock = FolderLock(root)
            try:
                for name in ("commits", "markers", "head"):
                    (root / name).mkdir(exist_ok=True)
                shutil.rmtree(self._staging, ignore_errors=True)
                self._log = (root / LOG).open("a+b", buffering=0)
                self._recover()
            except BaseException:
                self._lock.release()
                raise

    @property
    def marker_folder(self) -> Path:
        """See `Store`."""
        return self.root / "marker"

    @property
    def commits(self) -> int:
        """Data commits that are there."""
        return self._commit

    def begin(self) -> "FolderTransaction":
        """See `Store`."""
        with _told(self.root):
            self._staging.mkdir()
        return FolderTransaction(self, self._staging)

    def close(self) -> None:
        """Let others have the folder."""
        self._log.close()
        self._lock.release()

    @property
    def _staging(self) -> Path:
        return self.root / ".staging"

    def publish(self, committed: Committed) -> Committed:
        """Make the staged archive visible. Only for the transaction."""
        if committed.files or (self._staging / "files").exists():
            number = self._commit + 1
            self._staging.rename(self.root / "commits" / f"{number:04d}")
            self._commit = number
            committed = Committed(
                commit=f"{number:04d}", files=committed.files, size=committed.size, has_marker=committed.has_marker
            )
            self._follow(committed)
            return committed
        if committed.has_marker:
            folder = self.root / "markers" / f"{self._position + 1:04d}"
            (self._staging / "marker").rename(folder)
            self._point(folder)
            self._position += 1
            self._note(committed)
        self._staging_away()
        return committed

    def _follow(self, committed: Committed) -> None:
        """All that comes after the rename of a data commit; done again for the newest one after a crash."""
        folder = self.root / "commits" / str(committed.commit)
        for path in _files(folder / "files"):
            self._link(path, self.root / "head" / path.relative_to(folder / "files"))
        if committed.has_marker:
            self._point(folder / "marker")
        self._note(committed)

    def _point(self, folder: Path) -> None:
        old = self.marker_folder.resolve() if self.marker_folder.is_symlink() else None
        new = self.root / ".marker"
        new.unlink(missing_ok=True)
        new.symlink_to(folder.relative_to(self.root))
        new.replace(self.marker_folder)
        if old is not None and old != folder.resolve() and old.parent.name == "markers":
            shutil.rmtree(old, ignore_errors=True)

    def _link(self, path: Path, place: Path) -> None:
        try:
            os.link(path, place)
        except FileNotFoundError:
            place.parent.mkdir(parents=True, exist_ok=True)
            self._link(path, place)
        except FileExistsError:
            new = self.root / ".link"
            new.unlink(missing_ok=True)
            os.link(path, new)
            # Of two links to one file `rename` does nothing and leaves both.
            new.replace(place)
            new.unlink(missing_ok=True)

    def _note(self, committed: Committed) -> None:
        line = {
            "commit": committed.commit,
            "files": committed.files,
            "bytes": committed.size,
            "marker": committed.has_marker,
            "finishedAt": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
        }
        self._log.write(json.dumps(line).encode() + b"\n")

    def _recover(self) -> None:
        self._commit = _newest(self.root / "commits")
        self._position = _newest(self.root / "markers")
        noted = self._noted()
        if self._commit > noted:
            folder = self.root / "commits" / f"{self._commit:04d}"
            files = list(_files(folder / "files"))
            self._follow(
                Committed(
                    commit=f"{self._commit:04d}",
                    files=len(files),
                    size=sum(path.stat().st_size for path in files),
                    has_marker=(folder / "marker").exists(),
                )
            )
        shown = self.marker_folder.resolve() if self.marker_folder.is_symlink() else None
        for folder in (self.root / "markers").iterdir():
            if folder.resolve() != shown:
                shutil.rmtree(folder)

    def _noted(self) -> int:
        """The newest commit in the log, of which a line without an end is cut off."""
        size = self._log.seek(0, os.SEEK_END)
        tail = b""
        start = size
        while start and b'"commit": "' not in tail.rpartition(b"\n")[0]:
            start = max(0, start - 65536)
            self._log.seek(start)
            tail = self._log.read(size - start)
        whole, _, rest = tail.rpartition(b"\n")
        if rest:
            self._log.truncate(size - len(rest))
        for line in reversed(whole.split(b"\n")):
            with contextlib.suppress(ValueError):
                if commit := json.loads(line)["commit"]:
                    return int(commit)
        return 0

    def _staging_away(self) -> None:
        shutil.rmtree(self._staging, ignore_errors=True)


class FolderTransaction:
    """One archive, below `staging`; see `store.Transaction`."""

    def __init__(self, store: FolderStore, staging: Path) -> None:
        self._store = store
        self._staging = staging
        self._files = self._size = 0
        self._has_marker = False

    def write_file(self, part: Part, path: str, content: Iterable[bytes | memoryview]) -> None:
        """See `Transaction`."""
        place, earlier = self._place(part, path)
        with _told(self._store.root, path):
            if earlier.is_dir() or place.is_dir():
                raise Refused(f"{path!r}: is a folder already, and cannot become a file; choose another name")
            place.parent.mkdir(parents=True, exist_ok=True)
            appends = part is Part.DATA and not self._store.overwrite
            if part is Part.MARKER or not appends:
                place.unlink(missing_ok=True)
            elif not place.exists() and earlier.exists():
                shutil.copyfile(earlier, place)
            with place.open("ab", buffering=0) as file:
                for chunk in content:
                    left = memoryview(chunk)
                    while left:
                        written = file.write(left)
                        left = left[written:]
                        self._size += written if part is Part.DATA else 0
        self._files += part is Part.DATA

    def write_folder(self, part: Part, path: str) -> None:
        """See `Transaction`."""
        place, earlier = self._place(part, path)
        with _told(self._store.root, path):
            if earlier.is_file() or place.is_file():
                raise Refused(f"{path!r}: is a file already, and cannot become a folder; choose another name")
            place.mkdir(parents=True, exist_ok=True)

    def finish(self) -> Committed:
        """See `Transaction`."""
        with _told(self._store.root):
            return self._store.publish(
                Committed(commit=None, files=self._files, size=self._size, has_marker=self._has_marker)
            )

    def discard(self) -> None:
        """See `Transaction`."""
        shutil.rmtree(self._staging, ignore_errors=True)

    def _place(self, part: Part, path: str) -> tuple[Path, Path]:
        """Where a path is staged, and where its earlier content is."""
        if part is Part.MARKER:
            if not self._has_marker:
                self._has_marker = True
                self._keep_marker()
            place = self._staging / "marker" / path
            return place, place
        earlier = self._store.root / "head" / path
        for parent in list(Path(path).parents)[:-1]:
            for tree in (self._store.root / "head", self._staging / "files"):
                if (tree / parent).is_file():
                    raise Refused(f"{path!r}: {str(parent)!r} is a file already; choose another name")
        return self._staging / "files" / path, earlier

    def _keep_marker(self) -> None:
        """An archive replaces the files of a marker that it holds, and leaves the others."""
        with _told(self._store.root):
            if self._store.marker_folder.exists():
                shutil.copytree(self._store.marker_folder, self._staging / "marker", copy_function=os.link)


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        for name in names:
            yield Path(parent, name)


def _newest(folder: Path) -> int:
    return max((int(path.name) for path in folder.iterdir() if path.name.isdigit()), default=0)


@contextlib.contextmanager
def _told(root: Path, path: str = "") -> Iterator[None]:
    """An error of the file system, as one that names the folder and what to do."""
    try:
        yield
    except OSError as error:
        if path and error.errno in {errno.ENOTDIR, errno.ENAMETOOLONG}:
            raise Refused(f"{path!r:.200}: {error.strerror}; choose another name") from error
        does = (
            "free some space" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "mend that, or choose another folder"
        )
        raise StoreFailed(
            f"{root}: cannot write {error.filename or path or 'to it'}: {error.strerror}; {does}"
        ) from error
