"""A committer over a real pipe and a folder, for the tests of this folder."""

import contextlib
import io
import os
import tarfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from spout_operator.bridge.committer import Committer, Dropped
from spout_operator.bridge.folder import FolderStore
from spout_operator.bridge.source import PipeSource
from spout_operator.bridge.store import Committed, Part

DEADLINE = 20.0


def archive(files: Mapping[str, bytes], *, form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar archive; a path that ends in a slash is a folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for path, content in files.items():
            entry = tarfile.TarInfo(path.rstrip("/"))
            entry.type = tarfile.DIRTYPE if path.endswith("/") else tarfile.REGTYPE
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


class ForgetfulStore:
    """Counts the bytes and the commits, and keeps none: for what is too large for a test's disk."""

    marker_folder = Path("/nowhere")

    def __init__(self) -> None:
        self.bytes = self.commits = 0

    def begin(self) -> "ForgetfulStore":
        return self

    def write_file(self, part: Part, path: str, content: Iterable[bytes | memoryview]) -> None:  # noqa: ARG002 - the port
        for chunk in content:
            self.bytes += len(chunk)

    def write_folder(self, part: Part, path: str) -> None:
        """Keep nothing."""

    def finish(self) -> Committed:
        self.commits += 1
        return Committed(commit=str(self.commits), files=1, size=0, has_marker=False)

    def discard(self) -> None:
        """Nothing is there."""


class Bridge:
    """A running committer. `events` holds what it told. The store is a folder, or one that is given."""

    def __init__(self, folder: Path, *, marker: str, overwrite: bool, store: ForgetfulStore | None = None) -> None:
        self.pipe = folder / "out"
        self._folder_store = None if store is not None else FolderStore(folder / "store", overwrite=overwrite)
        self.source = PipeSource(self.pipe)
        self.events: list[Committed | Dropped] = []
        self.busy = threading.Lock()
        """While a test holds it, the bridge does not come to the next archive."""
        self._told = threading.Condition()
        self.failure: Exception | None = None
        self._committer = Committer(self.source, store or self.store, marker=marker, listener=self._listen)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    @property
    def store(self) -> FolderStore:
        assert self._folder_store is not None, "a store of its own was given"
        return self._folder_store

    def write(self, *pieces: bytes) -> None:
        """Open the pipe, write the pieces and close it. A writer that gets EPIPE stops there."""
        pipe = os.open(self.pipe, os.O_WRONLY)
        try:
            for piece in pieces:
                with contextlib.suppress(BrokenPipeError):
                    os.write(pipe, piece) if len(piece) < 4096 else _write(pipe, piece)
        finally:
            os.close(pipe)

    def wait(self, events: int) -> list[Committed | Dropped]:
        """What was told, as soon as it is so much."""
        with self._told:
            enough = self._told.wait_for(lambda: len(self.events) >= events or self.failure, DEADLINE)
        assert enough, f"{events} events expected, got {self.events}"
        return self.events

    def reasons(self) -> list[str]:
        return [event.reason for event in self.events if isinstance(event, Dropped)]

    def files(self, commit: str) -> dict[str, bytes]:
        root = self.store.root / "commits" / commit / "files"
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    def close(self) -> None:
        self.source.stop()
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive()
        self.source.close()
        if self._folder_store is not None:
            self._folder_store.close()

    def _listen(self, event: Committed | Dropped) -> None:
        with self._told:
            self.events.append(event)
            self._told.notify_all()
        with self.busy:
            pass

    def _run(self) -> None:
        try:
            self._committer.run()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            with self._told:
                self.failure = error
                self._told.notify_all()


def _write(pipe: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(pipe, left) :]


@contextlib.contextmanager
def bridge(
    folder: Path, *, marker: str = "offset", overwrite: bool = False, store: ForgetfulStore | None = None
) -> Iterator[Bridge]:
    """A bridge that ends with the test."""
    folder.mkdir(parents=True, exist_ok=True)
    running = Bridge(folder, marker=marker, overwrite=overwrite, store=store)
    try:
        yield running
    finally:
        running.close()
