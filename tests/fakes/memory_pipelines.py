"""The port `Pachyderm` in memory, without gRPC: for many Spouts, and for a clock that jumps."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from spout_operator.core.errors import SpoutError
from spout_operator.core.model import (
    Commit,
    Heads,
    Marker,
    MarkerLimits,
    Owner,
    Pipeline,
    PipelineName,
    PipelineSpec,
    PipelineState,
)
from spout_operator.core.server import Capabilities, Server
from tests.builders import CAPABILITIES, NOON, a_commit


class MemoryPipelines:
    """What it creates runs at once. `calls` is how often each method was called."""

    def __init__(self, capabilities: Capabilities = CAPABILITIES) -> None:
        self._capabilities = capabilities
        self.calls: Counter[str] = Counter()
        self.version = "1.0.0"
        self.tells_recent_commits = False
        """Whether it can tell of all pipelines at once which of them have committed."""
        self._recent: set[PipelineName] = set()
        self.fails_with: SpoutError | None = None
        """What looking raises, for as long as it is set."""
        self._pipelines: dict[PipelineName, Pipeline] = {}
        self._commits: dict[PipelineName, list[Commit]] = {}

    # What the operator does.

    async def server(self) -> Server:
        return Server(address="memory", version=self.version, capabilities=self._capabilities)

    async def observe(self, name: PipelineName) -> Pipeline | None:
        self._look("observe")
        found = self._pipelines.get(name)
        return dataclasses.replace(found, workers=(1, 1)) if found is not None else None

    async def list(self) -> Mapping[PipelineName, Pipeline]:
        self._look("list")
        return dict(self._pipelines)

    async def check(self, name: PipelineName, spec: PipelineSpec) -> None:
        """Whatever is asked for could be run."""

    async def create(self, name: PipelineName, spec: PipelineSpec, owner: Owner) -> int | None:
        if name in self._pipelines:
            return None
        self.make(name, spec, owner)
        return 1

    def make(self, name: PipelineName, spec: PipelineSpec, owner: Owner | None) -> None:
        """A pipeline of that owner, which runs."""
        self._commits.setdefault(name, [])
        self._pipelines[name] = Pipeline(
            name=name,
            spec=spec,
            owner=owner,
            version=1,
            spec_commit="spec",
            state=PipelineState.RUNNING,
            reason="",
            stopped=False,
            created_at=NOON,
        )

    async def update(self, name: PipelineName, spec: PipelineSpec, owner: Owner) -> int:
        self.calls["update"] += 1
        found = self._pipelines[name]
        version = found.version + 1
        self._pipelines[name] = dataclasses.replace(found, spec=spec, owner=owner, version=version)
        return version

    async def take_over(self, name: PipelineName, owner: Owner) -> None:
        self.calls["take_over"] += 1
        self.hand_over(name, owner)

    async def start(self, name: PipelineName) -> None:
        raise NotImplementedError

    async def stop(self, name: PipelineName) -> None:
        raise NotImplementedError

    async def delete(self, name: PipelineName, *, keep_repo: bool) -> None:
        self._pipelines.pop(name, None)
        if not keep_repo:
            self._commits.pop(name, None)

    async def heads(self, name: PipelineName) -> Heads:
        self._look("heads")
        return self.heads_of(name)

    def heads_of(self, name: PipelineName) -> Heads:
        """The heads, not counted as a call."""
        commits = self._commits[name]
        return Heads(output=commits[-1].id if commits else None)

    async def recently_committed(self) -> frozenset[PipelineName] | None:
        if not self.tells_recent_commits:
            return None
        self._look("recently_committed")
        recent, self._recent = frozenset(self._recent), set()
        return recent

    async def finish(self, name: PipelineName, commit: str) -> None:
        self.calls["finish"] += 1
        assert commit in {known.id for known in self._commits[name] if known.is_automatic}
        self._commits[name] = [
            dataclasses.replace(known, finished_at=NOON) if known.id == commit else known
            for known in self._commits[name]
        ]

    async def commits(self, name: PipelineName, head: str, *, since: str | None, most: int) -> Sequence[Commit]:
        found: list[Commit] = []
        for commit in reversed(self._commits[name]):
            if commit.id == since:
                break
            found.append(commit)
        assert not found or found[0].id == head
        return found[:most]

    async def marker(self, name: PipelineName, path: str, head: str, *, limits: MarkerLimits) -> Marker | None:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is under way."""

    async def ended(self) -> None:
        """Nothing is under way."""

    def _look(self, what: str) -> None:
        self.calls[what] += 1
        if self.fails_with is not None:
            raise self.fails_with

    # What others do.

    def spec_of(self, name: PipelineName) -> PipelineSpec:
        """The spec of a pipeline that is a spout, not counted as a call."""
        spec = self._pipelines[name].spec
        assert spec is not None
        return spec

    def hand_over(self, name: PipelineName, owner: Owner) -> None:
        """Give a pipeline to another owner."""
        self._pipelines[name] = dataclasses.replace(self._pipelines[name], owner=owner)

    def commit(self, name: PipelineName, **fields: Any) -> None:
        """A new commit, by default a finished one."""
        before = self._commits[name]
        parent = before[-1].id if before else None
        self._recent.add(name)
        before.append(a_commit(id=f"{name}-{len(before)}", parent=parent, **fields))
