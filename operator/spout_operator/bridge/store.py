"""The port to what keeps the commits. tests/contract/store holds every adapter to it."""

import dataclasses
import enum
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol


class Part(enum.Enum):
    """What an entry of an archive belongs to."""

    DATA = "data"
    MARKER = "marker"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Committed:
    """What an archive became.

    `commit` names the data commit, and is None for an archive that holds no data. `files` and `size` (bytes) count the
    data that the archive held.
    """

    commit: str | None
    files: int
    size: int
    has_marker: bool


class Transaction(Protocol):
    """One archive on its way into the store. Nothing of it is visible before `finish`. Paths are relative and plain."""

    def write_file(self, part: Part, path: str, content: Iterable[bytes | memoryview]) -> None:
        """Take one file, as a stream. A chunk is valid only until the next one is asked for.

        A marker's file is always replaced. A data file replaces the earlier content or is appended to it, as the store
        was told. A path that comes twice in one archive follows the same rule.

        Raises:
            Refused: the path is a folder already, or lies below a file.
            StoreFailed: the store cannot be written to.
        """
        ...

    def write_folder(self, part: Part, path: str) -> None:
        """Take one folder, which may stay empty. Raises as `write_file` does."""
        ...

    def finish(self) -> Committed:
        """Make data and marker visible as one.

        Raises:
            StoreFailed: nothing of the archive is visible; or all of it is, once the store is opened again.
        """
        ...

    def discard(self) -> None:
        """Forget the archive. Raises nothing."""
        ...


class Store(Protocol):
    """Commits of data, and the last marker."""

    @property
    def marker_folder(self) -> Path:
        """A path that always shows the last committed marker, as PATH/MARKER; nothing is there before the first."""
        ...

    def begin(self) -> Transaction:
        """Begin to take an archive. There is one transaction at a time."""
        ...
