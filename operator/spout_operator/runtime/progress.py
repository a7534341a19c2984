"""Reads how far a spout has come, and only what is new since the status was written."""

from collections.abc import Mapping
from typing import Any

from spout_operator.core import marker as markers
from spout_operator.core import progress
from spout_operator.core.model import Heads
from spout_operator.ports import Pachyderm
from spout_operator.runtime.io import BlockingCalls
from spout_operator.runtime.knowledge import PipelineKnowledge


class Progress:
    """Commits and marker of one pipeline at a time; the memory of both is the Spout's status."""

    def __init__(self, pachyderm: Pachyderm, knowledge: PipelineKnowledge, calls: BlockingCalls) -> None:
        self._pachyderm = pachyderm
        self._knowledge = knowledge
        self._calls = calls

    async def commits(self, name: str, shown: Mapping[str, Any] | None) -> progress.CommitCount:
        """The count of finished commits, counted on from what is shown."""
        count = progress.from_status(shown)
        head = (await self._heads(name)).output
        if head is None:
            return progress.NOTHING_COUNTED
        since = count.last.id if count.last else None
        if head == since:
            return count
        return progress.advance(count, await self._calls(self._pachyderm.commits, name, head, since=since))

    async def marker(self, name: str, path: str, shown: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """The marker as it is shown; empty where the spout keeps none or has written none, None where none is new."""
        head = (await self._heads(name)).marker
        if not path or head is None:
            return {}
        if shown and (shown.get("commit"), shown.get("path")) == (head, path):
            return None
        found = await self._calls(self._pachyderm.marker, name, path, head)
        return markers.to_status(found) if found is not None else None

    async def _heads(self, name: str) -> Heads:
        known = self._knowledge.heads.get(name)
        if known is None:
            known = self._knowledge.heads[name] = await self._calls(self._pachyderm.heads, name)
        return known
