"""Reads how far a spout has come, and only what is new since the status was written."""

from collections.abc import Mapping
from typing import Any

from spout_operator.core import marker as markers
from spout_operator.core import progress
from spout_operator.ports import Pachyderm
from spout_operator.runtime.io import BlockingCalls


class Progress:
    """Commits and marker of one pipeline at a time; the memory of both is the Spout's status."""

    def __init__(self, pachyderm: Pachyderm, calls: BlockingCalls) -> None:
        self._pachyderm = pachyderm
        self._calls = calls

    async def read(
        self, name: str, path: str, shown: Mapping[str, Any]
    ) -> tuple[progress.CommitCount, Mapping[str, Any] | None]:
        """How far the spout is now; its heads are asked for here, as what the poller saw may be older than `shown`.

        Args:
            name: the pipeline.
            path: the marker's path, empty where the spout keeps none.
            shown: the status as it is.

        Returns:
            The count of finished commits, counted on from what is shown; and the marker as it is shown: empty where
            there is none, None where none is new.
        """
        heads = await self._calls(self._pachyderm.heads, name)
        commits = await self._commits(name, heads.output, shown.get("commits"))
        return commits, await self._marker(name, heads.marker, path, shown.get("marker"))

    async def _commits(self, name: str, head: str | None, shown: Mapping[str, Any] | None) -> progress.CommitCount:
        count = progress.from_status(shown)
        if head is None:
            return progress.NOTHING_COUNTED
        since = count.last.id if count.last else None
        if head == since:
            return count
        return progress.advance(count, await self._calls(self._pachyderm.commits, name, head, since=since))

    async def _marker(
        self, name: str, head: str | None, path: str, shown: Mapping[str, Any] | None
    ) -> Mapping[str, Any] | None:
        if not path or head is None:
            return {}
        if shown and (shown.get("commit"), shown.get("path")) == (head, path):
            return None
        found = await self._calls(self._pachyderm.marker, name, path, head)
        return markers.to_status(found) if found is not None else None
