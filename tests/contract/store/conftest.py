"""The stores that the contract is tested on. A further adapter is one more row."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from spout_operator.bridge.folder import FolderStore
from spout_operator.bridge.store import Committed, Part, Store

Files = dict[str, bytes]


class Side:
    """A store under test, and what a reader sees of it."""

    def __init__(self, root: Path, *, overwrite: bool) -> None:
        self.root = root
        self.overwrite = overwrite
        self.store = FolderStore(root, overwrite=overwrite)

    def reopen(self) -> None:
        """As after a restart of the process."""
        self.store.close()
        self.store = FolderStore(self.root, overwrite=self.overwrite)

    def close(self) -> None:
        self.store.close()

    def seen(self, commit: str) -> Files:
        """The files that a commit wrote."""
        return tree(self.root / "commits" / commit / "files")

    @property
    def commits(self) -> list[str]:
        return sorted(path.name for path in (self.root / "commits").iterdir())

    @property
    def marker(self) -> Files:
        return tree(self.store.marker_folder)


def tree(folder: Path) -> Files:
    """The files below a folder; a folder without one ends in a slash."""
    return {
        f"{path.relative_to(folder)}{'/' if path.is_dir() else ''}": b"" if path.is_dir() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() or not any(path.iterdir())
    }


def commit(store: Store, data: Files | None = None, marker: Files | None = None) -> Committed:
    """One archive; a path that ends in a slash is a folder."""
    transaction = store.begin()
    for part, files in ((Part.DATA, data or {}), (Part.MARKER, marker or {})):
        for path, content in files.items():
            if path.endswith("/"):
                transaction.write_folder(part, path.rstrip("/"))
            else:
                transaction.write_file(part, path, [content[:1], memoryview(content[1:])])
    return transaction.finish()


@pytest.fixture
def side_of(tmp_path: Path) -> Iterator[Callable[..., Side]]:
    with ExitStack() as stack:

        def make(*, overwrite: bool = False) -> Side:
            side = Side(tmp_path / "store", overwrite=overwrite)
            stack.callback(side.close)
            return side

        yield make
