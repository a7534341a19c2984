"""The loop: one complete archive of the pipe becomes one commit of the store."""

import dataclasses
from collections.abc import Callable

from spout_operator.bridge.archive import entries
from spout_operator.bridge.errors import BadArchive, Refused, Stopped
from spout_operator.bridge.source import PipeSource
from spout_operator.bridge.store import Committed, Part, Store


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Dropped:
    """An archive of which nothing was committed; `reason` says why and what to do."""

    reason: str


Listener = Callable[[Committed | Dropped], object]


class Committer:
    """Commits what comes through the pipe of `source`. The first part of a path says whether it belongs to `marker`."""

    def __init__(self, source: PipeSource, store: Store, *, marker: str, listener: Listener) -> None:
        self._source = source
        self._store = store
        self._marker = marker
        self._listener = listener
        self.is_reading = False
        """Whether an archive has begun and is not committed yet."""

    def run(self) -> None:
        """Commit until the source is stopped.

        Raises:
            StoreFailed: the store cannot be written to. Of the archive at hand nothing is committed.
            PipeLost: the named pipe is not in its place any more.
        """
        try:
            while True:
                self.is_reading = False
                self._source.wait_for_data()
                self.is_reading = True
                if self._source.skip_zeros():
                    self._listener(self._next())
        except Stopped:
            return

    def _next(self) -> Committed | Dropped:
        try:
            return self._archive()
        except (BadArchive, Refused) as error:
            # What follows is the rest of that archive, so nothing more is taken from this writer.
            self._source.drop_writer()
            return Dropped(reason=str(error))

    def _archive(self) -> Committed:
        transaction = self._store.begin()
        try:
            for entry in entries(self._source):
                part = Part.MARKER if self._marker and self._is_marker(entry.path) else Part.DATA
                if entry.is_folder:
                    transaction.write_folder(part, entry.path)
                else:
                    transaction.write_file(part, entry.path, entry.content)
            return transaction.finish()
        except BaseException:
            transaction.discard()
            raise

    def _is_marker(self, path: str) -> bool:
        return path == self._marker or path.startswith(f"{self._marker}/")
