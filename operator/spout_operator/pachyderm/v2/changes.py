"""Which output repos have new commits, from the list of commit sets that Pachyderm 2 gives out newest first."""

import threading
from collections.abc import Iterable, Iterator, Sequence

from spout_operator.core.model import Commit, PipelineName

#: Commit sets that are read at most to find one that was read before; then any other repo may have new commits too.
MOST = 500
#: Commit sets that are read at first, when there is nothing to look for.
MOST_AT_FIRST = 20

CommitSet = tuple[str, list[tuple[PipelineName, bool]]]
"""Its id, and of each commit in a repo of data the repo, and whether the commit is finished."""


class Changes:
    """Remembers which commit sets were read, and which commits were open. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: frozenset[tuple[str, int]] = frozenset()
        self._open: dict[str, frozenset[PipelineName]] = {}
        """By the commit set, which has the id of its commits: the repos in which it is open."""

    def read(self, sets: Iterator[CommitSet]) -> tuple[frozenset[PipelineName], bool]:
        """The repos whose commits may have changed, and whether these are all; they are not at first.

        Reads down to a commit set that was read before. A commit that is still open when that is reached is told of
        each time, until it was seen finished here or in `saw`: its repo then changes without a new commit set.
        """
        with self._lock:
            changed: set[PipelineName] = set()
            read: list[tuple[str, int]] = []
            is_known = False
            most = MOST if self._known else MOST_AT_FIRST
            for set_id, commits in sets:
                # A set gets more commits when a trigger fires; it then stands before older sets that are new.
                key = set_id, len(commits)
                if key in self._known and not self._has_finished(set_id, commits):
                    is_known = True
                    break
                read.append(key)
                changed.update(name for name, _ in commits)
                self._note(set_id, [name for name, is_finished in commits if not is_finished])
                if len(read) == most:
                    break
            else:
                # It was read to its end: nothing is left out, if it was read before.
                is_known = bool(self._known)
            if read:
                kept = self._known if is_known and len(self._known) < MOST else frozenset()
                self._known = kept | frozenset(read)
            still_open = {name for names in self._open.values() for name in names}
            return frozenset(changed | still_open), is_known

    def saw(self, name: PipelineName, commits: Sequence[Commit]) -> None:
        """Take note of the newest commits of one repo: no older one of it is open."""
        with self._lock:
            opened = {commit.id for commit in commits if commit.finished_at is None}
            for set_id in {*self._open, *opened}:
                names = set(self._open.get(set_id, ())) - {name}
                self._note(set_id, names | {name} if set_id in opened else names)

    def _has_finished(self, set_id: str, commits: Sequence[tuple[PipelineName, bool]]) -> bool:
        return any(is_finished and name in self._open.get(set_id, ()) for name, is_finished in commits)

    def _note(self, set_id: str, names: Iterable[PipelineName]) -> None:
        if found := frozenset(names):
            self._open[set_id] = found
        else:
            self._open.pop(set_id, None)
