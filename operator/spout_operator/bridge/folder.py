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
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from spout_operator.bridge.lock import FolderLock
from spout_operator.bridge.staging import FolderTransaction, Staged, told, write
from spout_operator.bridge.store import Committed

LOG = "commits.jsonl"


class FolderStore:
    """The folder `root`, which is made. `overwrite` as in the spec of a spout.

    Raises:
        StoreFailed: the folder cannot be written to, or another process has it.
    """

    def __init__(self, root: Path, *, overwrite: bool) -> None:
        self.root, self._root, self._staging = root, str(root), f"{root}/.staging"
        self.overwrite = overwrite
        self._commit = self._position = 0
        with told(root):
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

    def begin(self) -> FolderTransaction:
        """See `Store`."""
        with told(self.root):
            os.mkdir(self._staging)  # noqa: PTH102 - see staging.py
        return FolderTransaction(self._root, overwrite=self.overwrite, publish=self._publish)

    def close(self) -> None:
        """Let others have the folder."""
        self._log.close()
        self._lock.release()

    def _publish(self, staged: Staged) -> Committed:
        """Make the staged archive visible."""
        if staged.has_data:
            name = f"{self._commit + 1:04d}"
            os.rename(self._staging, f"{self._root}/commits/{name}")  # noqa: PTH104 - see staging.py
            self._commit += 1
            committed = Committed(commit=name, files=staged.writes, size=staged.size, has_marker=staged.has_marker)
            self._follow(committed, staged.files)
            return committed
        committed = Committed(commit=None, files=0, size=0, has_marker=staged.has_marker)
        if staged.has_marker:
            folder = self.root / "markers" / f"{self._position + 1:04d}"
            Path(self._staging, "marker").rename(folder)
            self._point(folder)
            self._position += 1
            self._note(committed)
        self._staging_away()
        return committed

    def _follow(self, committed: Committed, files: Iterable[str]) -> None:
        """All that comes after the rename of a data commit; done again for the newest one after a crash."""
        folder = f"{self._root}/commits/{committed.commit}"
        for path in files:
            self._link(f"{folder}/files/{path}", f"{self._root}/head/{path}")
        if committed.has_marker:
            self._point(Path(folder, "marker"))
        self._note(committed)

    def _point(self, folder: Path) -> None:
        old = self.marker_folder.resolve() if self.marker_folder.is_symlink() else None
        new = self.root / ".marker"
        new.unlink(missing_ok=True)
        new.symlink_to(folder.relative_to(self.root))
        new.replace(self.marker_folder)
        if old is not None and old != folder.resolve() and old.parent.name == "markers":
            shutil.rmtree(old, ignore_errors=True)

    def _link(self, path: str, place: str) -> None:
        try:
            os.link(path, place)
        except FileNotFoundError:
            Path(place).parent.mkdir(parents=True)
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
        write(self._log.fileno(), json.dumps(line).encode() + b"\n")

    def _recover(self) -> None:
        self._commit = _newest(self.root / "commits")
        self._position = _newest(self.root / "markers")
        noted = self._noted()
        if self._commit > noted:
            folder = self.root / "commits" / f"{self._commit:04d}"
            files = [path for path in (folder / "files").rglob("*") if path.is_file()]
            self._follow(
                Committed(
                    commit=f"{self._commit:04d}",
                    files=len(files),
                    size=sum(path.stat().st_size for path in files),
                    has_marker=(folder / "marker").exists(),
                ),
                [str(path.relative_to(folder / "files")) for path in files],
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


def _newest(folder: Path) -> int:
    return max((int(path.name) for path in folder.iterdir() if path.name.isdigit()), default=0)
