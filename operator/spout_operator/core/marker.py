"""The marker of a spout as a Pachyderm holds it: the position from which the spout resumes."""

import dataclasses
import datetime


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class MarkerFile:
    """One file of a marker: its path below the marker branch's root, its size in bytes.

    `content` is None where it was too long to be read.
    """

    path: str
    size: int
    content: bytes | None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Marker:
    """What a spout would resume from: a file, or a directory with `files_total` files.

    `files` holds the first of them only. `files_total` is None where there are more than are counted; see
    `MarkerLimits`. `commit` is the finished commit on `branch` that holds them.
    """

    path: str
    branch: str
    is_directory: bool
    files: tuple[MarkerFile, ...]
    files_total: int | None
    commit: str
    finished_at: datetime.datetime | None

    @property
    def is_absent(self) -> bool:
        """Whether the commit holds nothing at the path."""
        return not self.is_directory and not self.files


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class MarkerLimits:
    """How much of a marker is read. Sizes are in bytes; of a longer file only the size is told."""

    longest_file: int
    """Of a marker that is one file."""
    longest_listed_file: int
    """Of each file of a marker that is a directory."""
    most_files: int
    """Files of a directory that are read."""
    most_counted: int
    """Files of a directory that are counted."""
