"""When the heads of each pipeline are read next, and what they were. Used from the event loop only."""

import dataclasses
import zlib
from collections.abc import Collection

from spout_operator.core import read_schedule
from spout_operator.core.model import Heads, PipelineName


@dataclasses.dataclass(kw_only=True, slots=True)
class _Read:
    heads: Heads | None
    """None where they could not be read."""
    moved: float
    """The poll at which something moved last; far below 0 where that was before this process."""
    due: int = 0
    """The poll at which they are read next."""


class HeadReads:
    """The schedule of the reads. The first read of a pipeline is a reconcile's; from then on it is watched here."""

    def __init__(self, *, interval: float, quiet_interval: float) -> None:
        """Watch nothing yet.

        Args:
            interval: seconds between two polls.
            quiet_interval: seconds between two reads of one pipeline, at most.
        """
        self._interval = interval
        self._most = max(1, int(quiet_interval / interval))
        self._poll = 0
        self._reads: dict[PipelineName, _Read] = {}
        self._doubted: set[PipelineName] = set()

    def note(self, name: PipelineName, heads: Heads | None, *, quiet_for: float = 0) -> bool:
        """Take in what was read, whoever read it.

        Args:
            name: of the pipeline.
            heads: its heads, None where they could not be read.
            quiet_for: seconds since something moved; counts at the first read only.

        Returns:
            Whether they moved since the read before.
        """
        read = self._reads.get(name)
        if read is None:
            quiet = max(quiet_for, 0) / self._interval
            read = self._reads[name] = _Read(heads=heads, moved=self._poll - quiet)
        has_moved = read.heads != heads
        if has_moved:
            read.heads, read.moved = heads, self._poll
        self._plan(name, read)
        return has_moved

    def last(self, name: PipelineName) -> Heads | None:
        """The heads as they were read last; None where they are not known, or in doubt."""
        read = self._reads.get(name)
        return read.heads if read is not None and name not in self._doubted else None

    def doubt(self, name: PipelineName) -> None:
        """They may have moved, or be others: until a reconcile has read them, `last` has none."""
        self._doubted.add(name)

    def doubt_all(self) -> None:
        """As `doubt`, for all that were read."""
        self._doubted.update(self._reads)

    def begin_read(self, name: PipelineName) -> None:
        """A reconcile is about to read them, and so lifts each doubt but those that arise meanwhile."""
        self._doubted.discard(name)

    def note_change(self, name: PipelineName) -> None:
        """Something else about the pipeline has changed: its heads may move soon, so they are due."""
        read = self._reads.get(name)
        if read is not None:
            read.moved = read.due = self._poll

    def begin_poll(self, names: Collection[PipelineName]) -> list[PipelineName]:
        """Begin a poll: the pipelines whose heads are due. Those that are not among `names` are forgotten."""
        self._poll += 1
        for gone in self._reads.keys() - names:
            del self._reads[gone]
        self._doubted.intersection_update(names)
        return [name for name, read in self._reads.items() if read.due <= self._poll]

    def _plan(self, name: PipelineName, read: _Read) -> None:
        least = read_schedule.least_stride(len(self._reads), poll=self._interval)
        stride = read_schedule.stride(self._poll - read.moved, least=least, most=self._most)
        # Each pipeline has a place of its own within a stride, so that not all are read in one poll.
        read.due = self._poll + stride - (self._poll + zlib.crc32(str(name).encode())) % stride
