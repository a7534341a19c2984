"""Reads how far a spout has come, and only what is new since the status was written."""

import dataclasses
import datetime
from collections.abc import Callable, Mapping
from typing import Any

from spout_operator.core import freshness, progress
from spout_operator.core import marker as markers
from spout_operator.core.errors import Missing
from spout_operator.core.model import Spout, SpoutKey
from spout_operator.core.progress import CommitCount, Walk
from spout_operator.ports import Pachyderm
from spout_operator.runtime.head_reads import HeadReads
from spout_operator.runtime.io import BlockingCalls

#: Commits of a page: pachd takes a quarter of a millisecond for each (docs/pachyderm-1.13.md).
PAGE = 1000
#: Pages of one look, which takes half a second then: a history of years must not keep an edit waiting.
PAGES = 2


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What one look found."""

    commits: CommitCount | None
    """The finished commits, counted on from what is shown; None while they are being counted."""
    marker: Mapping[str, Any] | None
    """The marker as it is shown: empty where there is none, None where none is new."""
    is_whole: bool
    """False where another look goes on."""
    is_open: bool
    """Whether a head is a commit that is not finished yet. Nothing tells when it is: the head stays the same."""


class Progress:
    """Commits and marker of one pipeline at a time; the memory of both is the Spout's status."""

    def __init__(
        self,
        pachyderm: Pachyderm,
        calls: BlockingCalls,
        *,
        heads: HeadReads,
        now: Callable[[], datetime.datetime],
        page: int = PAGE,
        pages: int = PAGES,
    ) -> None:
        self._pachyderm = pachyderm
        self._calls = calls
        self._heads = heads
        self._now = now
        self._page = page
        self._pages = pages
        self._walks: dict[SpoutKey, Walk] = {}
        """Those that were begun and whose result was not handed on yet."""

    async def read(self, spout: Spout, shown: Mapping[str, Any]) -> Reading:
        """How far the spout is now; its heads are asked for here, as what the poller saw may be older than `shown`.

        Args:
            spout: whose pipeline is looked at.
            shown: the status as it is.
        """
        name, path = spout.pipeline_name, spout.spec.spout.marker
        heads = await self._calls(self._pachyderm.heads, name)
        quiet_since = freshness.quiet_since(heads, shown)
        quiet_for = (self._now() - quiet_since).total_seconds() if quiet_since is not None else 0
        self._heads.note(name, heads, quiet_for=quiet_for)
        before = progress.from_status(shown.get("commits"))
        commits, is_whole = await self._commits(spout.key, name, heads.output, before)
        marker, marker_is_open = await self._marker(name, heads.marker, path, shown.get("marker"))
        if commits is not None:
            # Not before: what was counted must not be lost where the marker could not be read.
            self.forget(spout.key)
        counted = commits.last.id if commits is not None and commits.last is not None else None
        is_open = is_whole and (heads.output != counted or marker_is_open)
        return Reading(commits=commits, marker=marker, is_whole=is_whole, is_open=is_open)

    def forget(self, key: SpoutKey) -> None:
        """The Spout is gone, or is to be counted from what is shown."""
        self._walks.pop(key, None)

    async def _commits(
        self, key: SpoutKey, name: str, head: str | None, count: CommitCount
    ) -> tuple[CommitCount | None, bool]:
        """The count, None where it goes on, and whether it is that of `head`."""
        if head is None:
            return progress.NOTHING_COUNTED, True
        begun = self._walks.get(key)
        walk = begun if begun is not None and begun.count == count else Walk.begin(count, head)
        for _ in range(self._pages):
            if walk.next is None:
                break
            try:
                page = await self._calls(self._pachyderm.commits, name, walk.next, since=walk.since, most=self._page)
            except Missing:
                self.forget(key)
                raise
            walk = self._walks[key] = walk.read(page)
        return (None, False) if walk.next is not None else (walk.result(), walk.head == head)

    async def _marker(
        self, name: str, head: str | None, path: str, shown: Mapping[str, Any] | None
    ) -> tuple[Mapping[str, Any] | None, bool]:
        """The marker as it is shown, and whether its commit is open."""
        if not path or head is None:
            return {}, False
        if shown and (shown.get("commit"), shown.get("path")) == (head, path):
            return None, False
        found = await self._calls(self._pachyderm.marker, name, path, head)
        if found is None:
            newest = await self._calls(self._pachyderm.commits, name, head, since=None, most=1)
            if any(commit.finished_at is None for commit in newest):
                return None, True
            # It may have been finished in between.
            found = await self._calls(self._pachyderm.marker, name, path, head)
        return markers.to_status(found) if found is not None else None, False
