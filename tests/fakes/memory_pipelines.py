"""The port `Pachyderm` in memory, without gRPC: for the controller, for many Spouts, and for a clock that jumps."""

import dataclasses
import datetime
import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from spout_operator.core.activity import Activity, Started
from spout_operator.core.errors import Missing, Retryable, SpoutError, Stalled, Unreachable, Unreadable
from spout_operator.core.marker import Marker, MarkerLimits
from spout_operator.core.model import Commit, Heads, Owner, Pipeline, PipelineName, PipelineSpec, PipelineState
from spout_operator.core.reasons import Reason
from spout_operator.core.server import Capabilities, Server
from tests.builders import CAPABILITIES, NOON, a_commit, a_pipeline
from tests.fakes.gate import Gate, gated
from tests.fakes.memory_repo import MARKER, OUTPUT, MemoryRepo

ADDRESS, VERSION = "memory", "1.0.0"
WRITES = frozenset({"create", "update", "take_over", "start", "stop", "delete", "finish"})


class MemoryPipelines(Gate):
    """What the operator asks for, under the names of the port, and what spouts and other people do.

    As the adapters, it asks the server for its version at first, after an outage and before each write: so often is
    `server` in `calls`.
    """

    def __init__(
        self,
        capabilities: Capabilities = CAPABILITIES,
        *,
        runs_at_once: bool = False,
        now: Callable[[], datetime.datetime] = lambda: NOON,
    ) -> None:
        """Have no pipelines yet.

        Args:
            capabilities: of the server.
            runs_at_once: whether what was created or updated needs no `come_up`.
            now: the time of day.
        """
        super().__init__()
        self.version = VERSION
        self.tells_recent_commits = False
        """Whether it can tell of all pipelines at once which of them have committed."""
        self.unsupported: SpoutError | None = None
        """Why this is not a version that is served; None where it is."""
        self._capabilities = capabilities
        self._runs_at_once = runs_at_once
        self._now = now
        self._ids = itertools.count(1)
        self._knows_version = False
        self._pipelines: dict[PipelineName, Pipeline] = {}
        """As they are listed: without their workers."""
        self._workers: defaultdict[PipelineName, tuple[int, int]] = defaultdict(lambda: (0, 1))
        self._lost: set[PipelineName] = set()
        """Those whose spec cannot be read."""
        self._repos: dict[PipelineName, MemoryRepo] = {}
        self._recent: set[PipelineName] = set()

    # What the operator does.

    async def server(self) -> Server:
        if not self._knows_version:
            await self._ask_version()
        return Server(address=ADDRESS, version=self.version, capabilities=self._capabilities)

    @gated
    def observe(self, name: PipelineName) -> Pipeline | None:
        if name not in self._pipelines:
            return None
        return dataclasses.replace(self._readable(name), workers=self._workers[name])

    @gated
    def list(self) -> Mapping[PipelineName, Pipeline]:
        unread = {name: dataclasses.replace(self._pipelines[name], spec=None, owner=None) for name in self._lost}
        return self._pipelines | unread

    @gated
    def check(self, name: PipelineName, spec: PipelineSpec) -> None:
        """Whatever is asked for could be run, unless a test makes this fail."""

    @gated
    def create(self, name: PipelineName, spec: PipelineSpec, owner: Owner) -> int | None:
        if name in self._pipelines:
            self._readable(name)
            return None
        if name in self._repos:
            raise Stalled(Reason.REPO_EXISTS, f"the repo {name!r} exists without a pipeline")
        self._put(a_pipeline(name=name, spec=spec, owner=owner, created_at=self._now()))
        return 1

    @gated
    def update(self, name: PipelineName, spec: PipelineSpec, owner: Owner) -> int:
        if name not in self._pipelines:
            raise Retryable(Reason.PACHYDERM_ERROR, f"the pipeline {name!r} is gone")
        found = self._readable(name)
        self._put(dataclasses.replace(found, spec=spec, owner=owner, version=found.version + 1))
        return found.version + 1

    @gated
    def take_over(self, name: PipelineName, owner: Owner) -> None:
        if self._there(name, doing="take over").owner not in (None, owner):
            raise Stalled(Reason.PIPELINE_NOT_OWNED, f"the pipeline {name!r} has an owner by now")
        self.change(name, owner=owner)

    @gated
    def start(self, name: PipelineName) -> None:
        self._put(dataclasses.replace(self._there(name, doing="start"), stopped=False))

    @gated
    def stop(self, name: PipelineName) -> None:
        self._put(dataclasses.replace(self._there(name, doing="stop"), stopped=True))

    @gated
    def delete(self, name: PipelineName, *, keep_repo: bool) -> None:
        if self._pipelines.pop(name, None) is not None and not keep_repo:
            del self._repos[name]
        self._workers.pop(name, None)
        self._lost.discard(name)

    @gated
    def heads(self, name: PipelineName) -> Heads:
        return self.heads_of(name)

    async def recently_committed(self) -> frozenset[PipelineName] | None:
        if not self.tells_recent_commits:
            return None
        await self.begin("recently_committed")
        recent, self._recent = frozenset(self._recent), set()
        return recent

    @gated
    def finish(self, name: PipelineName, commit: str) -> None:
        assert self._repos[name].commit(commit, doing="finish").is_automatic
        self.finish_commit(name, commit)

    @gated
    def commits(self, name: PipelineName, head: str, *, since: str | None, most: int) -> Sequence[Commit]:
        return self._repo(name).ancestry(head, since=since, most=most)

    @gated
    def marker(self, name: PipelineName, path: str, head: str, *, limits: MarkerLimits) -> Marker | None:
        return self._repo(name).marker(path, head, limits)

    @gated
    def activity(self, name: PipelineName, *, since: datetime.datetime | None, last_lines: int = 0) -> Activity:  # noqa: ARG002 - as the port has it
        """The user code runs since the pipeline was made."""
        return Activity(events=(Started(at=self._pipelines[name].created_at or NOON),))

    def close(self) -> None:
        """Nothing is under way; the next operator asks for the version anew."""
        self._knows_version = False

    async def ended(self) -> None:
        """Nothing is under way."""

    # What others do. None of it is counted as a call.

    def make(self, name: PipelineName, spec: PipelineSpec, owner: Owner | None) -> None:
        """A pipeline of that owner, which runs."""
        self._put(a_pipeline(name=name, spec=spec, owner=owner, created_at=self._now()))
        self.come_up(name)

    def spec_of(self, name: PipelineName) -> PipelineSpec:
        """The spec of a pipeline that is a spout."""
        spec = self._pipelines[name].spec
        assert spec is not None
        return spec

    def change(self, name: PipelineName, **fields: Any) -> None:
        """Change fields of a pipeline: its state, its owner, or when it was created."""
        self._pipelines[name] = dataclasses.replace(self._pipelines[name], **fields)

    def come_up(self, name: PipelineName) -> None:
        """Let a pipeline run, and its worker answer."""
        self.change(name, state=PipelineState.RUNNING)
        self._workers[name] = (1, 1)

    def lose_spec(self, name: PipelineName) -> None:
        """Make the spec of a pipeline unreadable."""
        self._lost.add(name)

    def heads_of(self, name: PipelineName) -> Heads:
        """The heads of the repo of a pipeline, none where there is no repo."""
        return self._repo(name).heads

    def commit(
        self, name: PipelineName, *, branch: str = OUTPUT, files: Mapping[str, bytes] | None = None, **fields: Any
    ) -> str:
        """A new head of a branch, by default a finished commit; returns its id."""
        repo = self._repos[name]
        defaults = {"id": f"commit{next(self._ids)}", "parent": repo.head(branch), "finished_at": self._now()}
        commit = a_commit(**{**defaults, **fields})
        repo.append(branch, commit, files or {})
        self._recent.add(name)
        return commit.id

    def write_marker(self, name: PipelineName, files: Mapping[str, bytes], **fields: Any) -> str:
        """A new head of the marker branch that holds just these files; returns its id."""
        return self.commit(name, branch=MARKER, files=files, **fields)

    def finish_commit(self, name: PipelineName, commit: str) -> None:
        """Finish a commit that is open."""
        self._repos[name].change(commit, finished_at=self._now())
        self._recent.add(name)

    def _put(self, pipeline: Pipeline) -> None:
        """Keep a pipeline that was just written."""
        name = pipeline.name
        state = PipelineState.PAUSED if pipeline.stopped else PipelineState.STARTING
        spec_commit = f"spec{next(self._ids)}"
        self._pipelines[name] = dataclasses.replace(pipeline, state=state, spec_commit=spec_commit, workers=None)
        self._repos.setdefault(name, MemoryRepo())
        self._workers.pop(name, None)
        if self._runs_at_once and not pipeline.stopped:
            self.come_up(name)

    def _repo(self, name: PipelineName) -> MemoryRepo:
        """The repo of a pipeline, an empty one where there is none."""
        return self._repos.get(name, MemoryRepo())

    def _there(self, name: PipelineName, *, doing: str) -> Pipeline:
        if name not in self._pipelines:
            raise Missing(f"could not {doing} the pipeline {name!r}", said=f"pipeline {name} not found")
        return self._readable(name)

    def _readable(self, name: PipelineName) -> Pipeline:
        if name in self._lost:
            said = f"no spec for pipeline '{name}', there may be a problem"
            raise Unreadable(f"could not read the pipeline {name!r}: Pachyderm cannot read its spec", said=said)
        return self._pipelines[name]

    async def begin(self, method: str) -> bool:
        if method in WRITES:
            await self._ask_version()
        try:
            return await super().begin(method)
        except Unreachable:
            self._knows_version = False
            raise

    async def _ask_version(self) -> None:
        self._knows_version = False
        await self.begin("server")
        if self.unsupported is not None:
            raise self.unsupported
        self._knows_version = True
