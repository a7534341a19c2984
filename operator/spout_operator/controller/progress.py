"""Reads how far a spout has come, and only what is new since the status was written."""

import asyncio
import dataclasses
import datetime
import logging
from collections.abc import Callable, Mapping
from typing import Any

from spout_operator.controller.head_reads import HeadReads
from spout_operator.controller.queue import Backoff
from spout_operator.core import read_schedule
from spout_operator.core.errors import Missing, NotLeading, SpoutError, Unreachable
from spout_operator.core.model import Heads, PipelineName, Spout, SpoutKey
from spout_operator.core.redaction import Secrets
from spout_operator.core.status import commits as progress
from spout_operator.core.status import freshness
from spout_operator.core.status import marker as markers
from spout_operator.core.status.commits import CommitCount, Walk
from spout_operator.ports import Pachyderm

logger = logging.getLogger(__name__)

#: Commits of a page: pachd takes a quarter of a millisecond for each (docs/pachyderm-1.13.md).
PAGE = 1000
#: Pages of one reconcile, which takes half a second then: a history of years must not keep an edit waiting.
PAGES = 2
#: Seconds before a marker that could not be read is tried again, at first and at last.
FIRST_MARKER_RETRY, LONGEST_MARKER_RETRY = 1.0, 300.0


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What one reconcile found out."""

    commits: CommitCount | None
    """The finished commits, counted on from what is shown; None while they are being counted."""
    marker: Mapping[str, Any] | None
    """The marker as it is shown: empty where there is none, None where none is new."""
    silence: datetime.timedelta | None
    """For how long there was no commit before the first of those that are new; None where that is not known."""
    is_whole: bool
    """False where the next reconcile goes on."""
    is_open: bool
    """Whether a head is a commit that is not finished yet. Nothing tells when it is: the head stays the same."""
    committed_at: datetime.datetime | None
    """When the newest commit that was counted was finished."""
    is_new: bool
    """Whether the heads were read for it; else they are those that were read last."""
    left_open: tuple[str, ...] = ()
    """Automatic commits that the server has left open, oldest first."""
    marker_after: float | None = None
    """Seconds until a marker that could not be read is tried again; None where none has to be."""


class Progress:
    """Commits and marker of one pipeline at a time; the memory of both is the Spout's status."""

    def __init__(
        self,
        pachyderm: Pachyderm,
        *,
        heads: HeadReads,
        now: Callable[[], datetime.datetime],
        page: int = PAGE,
        pages: int = PAGES,
    ) -> None:
        self._pachyderm = pachyderm
        self._heads = heads
        self._now = now
        self._page = page
        self._pages = pages
        self._walks: dict[SpoutKey, Walk] = {}
        """Those that were begun and whose result was not handed on yet."""
        self._unreadable: Backoff[SpoutKey] = Backoff(first=FIRST_MARKER_RETRY, most=LONGEST_MARKER_RETRY)
        self._marker_not_before: dict[SpoutKey, float] = {}
        """By the loop's time: other reconciles of the Spout are no reason to ask a storage in trouble again."""

    async def read(self, spout: Spout, shown: Mapping[str, Any], secrets: Secrets) -> Reading:
        """How far the spout is now; its heads are read here, unless nothing tells that they are not as `shown`.

        Args:
            spout: whose pipeline is read.
            shown: the status as it is.
            secrets: what must not be in what is shown.
        """
        name = spout.pipeline_name
        known = self._known(spout, shown)
        heads = await self._read_heads(name, shown) if known is None else known
        before = progress.from_status(shown.get("commits"))
        commits, walk = await self._commits(spout.key, name, heads.output, before)
        is_whole = walk is None or (walk.next is None and walk.head == heads.output)
        marker, marker_is_open = await self._marker(spout, heads.marker, shown.get("marker"), secrets)
        if commits is not None:
            # Not before: what was counted must not be lost where Pachyderm is out of reach by now.
            self._walks.pop(spout.key, None)
        not_before = self._marker_not_before.get(spout.key)
        last = (commits or before).last
        return Reading(
            commits=commits,
            marker=marker,
            silence=walk.silence if commits is not None and walk is not None else None,
            is_whole=is_whole,
            is_open=is_whole and ((walk is not None and walk.is_open) or marker_is_open),
            left_open=walk.left_open if walk is not None else (),
            marker_after=None if not_before is None else max(0.0, not_before - _loop_time()),
            committed_at=last.finished_at if last is not None else None,
            is_new=known is None,
        )

    def forget(self, key: SpoutKey) -> None:
        """The Spout is gone."""
        self._walks.pop(key, None)
        self._marker_was_read(key)

    def _known(self, spout: Spout, shown: Mapping[str, Any]) -> Heads | None:
        """The heads that were read last, where the status shows just them; from then on the poller watches them.

        None also where more depends on them: a marker could not be read, or the newest commit is too old by now.
        """
        known = self._heads.last(spout.pipeline_name)
        if known is None or read_schedule.quiet_since(known, shown) is None:
            return None
        is_unknown = markers.is_unknown(shown.get("marker", {}))
        may_be_overdue = freshness.may_be_overdue(spout.freshness, shown, now=self._now())
        return None if is_unknown or may_be_overdue else known

    async def _read_heads(self, name: PipelineName, shown: Mapping[str, Any]) -> Heads:
        self._heads.begin_read(name)
        try:
            heads = await self._pachyderm.heads(name)
        except BaseException:
            self._heads.doubt(name)
            raise
        quiet_since = read_schedule.quiet_since(heads, shown)
        quiet_for = (self._now() - quiet_since).total_seconds() if quiet_since is not None else 0
        self._heads.note(name, heads, quiet_for=quiet_for)
        return heads

    async def _commits(
        self, key: SpoutKey, name: PipelineName, head: str | None, count: CommitCount
    ) -> tuple[CommitCount | None, Walk | None]:
        """The count, None where it goes on, and the walk that it comes from, None where there are no commits."""
        if head is None:
            return progress.NOTHING_COUNTED, None
        begun = self._walks.get(key)
        walk = begun if begun is not None and begun.count == count else Walk.begin(count, head)
        for _ in range(self._pages):
            if walk.next is None:
                break
            try:
                page = await self._pachyderm.commits(name, walk.next, since=walk.since, most=self._page)
            except Missing:
                self._walks.pop(key, None)
                raise
            walk = self._walks[key] = walk.read(page)
        return (None if walk.next is not None else walk.result()), walk

    async def _marker(
        self, spout: Spout, head: str | None, shown: Mapping[str, Any] | None, secrets: Secrets
    ) -> tuple[Mapping[str, Any] | None, bool]:
        """The marker as it is shown, and whether its commit is open."""
        key, name, path = spout.key, spout.pipeline_name, spout.spec.spout.marker
        if not path or head is None:
            self._marker_was_read(key)
            return {}, False
        is_shown = shown is not None and (shown.get("commit"), shown.get("path")) == (head, path)
        if shown is not None and is_shown and not markers.is_unknown(shown):
            self._marker_was_read(key)
            return None, False
        if _loop_time() < self._marker_not_before.get(key, 0.0):
            return None, False
        try:
            found = await self._pachyderm.marker(name, path, head, limits=markers.LIMITS)
        except NotLeading:
            raise
        except SpoutError as error:
            if isinstance(error, Unreachable):
                # Where this is not answered either, it is no matter of the marker's.
                await self._pachyderm.heads(name)
            self._marker_not_before[key] = _loop_time() + self._unreadable.next(key)
            message = secrets.shown(error.unredacted)
            section = markers.unknown(path, head, message, shown=shown)
            if section != shown:
                logger.warning("Spout %s: %s", key, message)
            return section, False
        self._marker_was_read(key)
        return (None, True) if found is None else (markers.to_status(found), False)

    def _marker_was_read(self, key: SpoutKey) -> None:
        self._unreadable.reset(key)
        self._marker_not_before.pop(key, None)


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
