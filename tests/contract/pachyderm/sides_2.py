"""Pachyderm 2, in memory and for real. Only a worker can write to a spout's output branch there.

Other people are the messages of Pachyderm's own SDK.
"""

import dataclasses
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Protocol, Self

import grpc
from pachyderm_sdk.api import pfs, pps

from spout_operator.core.model import DEFAULT_PROJECT, Heads, PipelineName, PipelineState
from spout_operator.pachyderm.v2.backend import PachydermV2
from spout_testbed import Testbed
from spout_testbed.network import PACHD_2
from spout_testbed.pachyderm import Pachyderm
from spout_testbed.waiting import eventually
from tests.contract.conftest import RUNS_FOR_REAL
from tests.contract.pachyderm.harness import OWNER, PLAIN, Port, Side, connection_to
from tests.memory_pachd.two import MASTER, MemoryPachd2


class SpoutWriter(Protocol):
    """What the spouts do: they commit."""

    def commit(self, repo: str, *, branch: str = MASTER, size: int = 1, finished: bool = True) -> str:
        """Make a new head that is `size` bytes larger than its parent; returns its id."""

    def finish(self, repo: str, commit: str) -> None:
        """Finish an open commit."""

    def wait_ended(self) -> None:
        """Wait until no worker runs any more that could commit."""


class MemoryWriter:
    """The spouts of an in-memory Pachyderm 2."""

    def __init__(self, pachd: MemoryPachd2) -> None:
        self._pachd = pachd

    def commit(self, repo: str, *, branch: str = MASTER, size: int = 1, finished: bool = True) -> str:
        return self._pachd.append_commit((DEFAULT_PROJECT, repo), branch=branch, size=size, finished=finished)

    def finish(self, repo: str, commit: str) -> None:
        self._pachd.finish_commit((DEFAULT_PROJECT, repo), commit)

    def wait_ended(self) -> None:
        """There are no workers."""


class SidecarWriter:
    """The spout of a real Pachyderm 2: it commits through the storage sidecar of its worker, as its code would."""

    def __init__(self, bed: Testbed, pachyderm: Pachyderm, name: str) -> None:
        self.name = name
        self._bed = bed
        self._pachyderm = pachyderm
        self._pod = ""
        self._channel: Any = None

    def commit(self, repo: str, *, branch: str = MASTER, size: int = 1, finished: bool = True) -> str:
        assert repo == self.name, f"{repo} has no worker that commits when it is told to"
        api, commit = self._start_commit(pfs.Branch(repo=_repo(repo), name=branch))
        file = pfs.AddFile(path=f"/{uuid.uuid4().hex}", raw=b"x" * size)
        api.modify_file(iter([pfs.ModifyFileRequest(set_commit=commit), pfs.ModifyFileRequest(add_file=file)]))
        if finished:
            self.finish(repo, commit.id)
        return str(commit.id)

    def finish(self, repo: str, commit: str) -> None:
        # pachd finishes the commit some time after the answer.
        self._sidecar().finish_commit(commit=pfs.Commit(repo=_repo(repo), id=commit))

    def wait_ended(self) -> None:
        """Wait until no worker runs."""
        workers = self._pachyderm.workers
        eventually(
            lambda: not [worker for worker in workers.running() if worker.pipeline == self.name],
            what=f"the worker of {self.name} to end",
            seconds=120,
        )

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()

    def _start_commit(self, branch: Any) -> tuple[Any, Any]:
        """The stub, and the commit. After a stop and a start, the old worker can end at any moment."""

        def started() -> tuple[Any, Any] | None:
            api = self._sidecar()
            try:
                return api, api.start_commit(branch=branch)
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
                return None

        return eventually(started, what=f"a sidecar of {self.name} that commits", seconds=120)

    def _sidecar(self) -> Any:
        """The stub of the sidecar in the Pod that runs now."""
        pod = self._pachyderm.workers.wait_running(self.name, timeout=90).pod
        if pod != self._pod:
            self.close()
            get = ("get", "pod", pod, "-n", self._pachyderm.namespace, "-o", "jsonpath={.status.podIP}")
            self._channel = grpc.insecure_channel(f"{self._bed.kubectl(*get).stdout}:{PACHD_2.peer}")
            grpc.channel_ready_future(self._channel).result(timeout=60)
            self._pod = pod
        return pfs.ApiStub(self._channel)


@dataclasses.dataclass(kw_only=True)
class SideTwo(Side):
    """A Pachyderm 2."""

    spout: SpoutWriter
    api: Any
    """What other people call: the stub of its pipelines."""
    shared: str = ""
    """The pipeline whose worker commits, where only one does."""
    in_projects: list[PipelineName] = dataclasses.field(default_factory=list)
    """Further pipelines that are deleted after the test."""

    @classmethod
    def at(cls, address: str, spout: SpoutWriter, *, version: str, shared: str = "") -> Self:
        """The side whose server is at `address`."""
        connection = connection_to(address)
        return cls(
            connection=connection,
            adapter=PachydermV2,
            spec=PLAIN,
            version=version,
            spout=spout,
            api=pps.ApiStub(connection.channel(None)),
            shared=shared,
            others=frozenset({shared} - {""}),
        )

    @property
    def makes_commits(self) -> bool:
        return True

    def with_heads(self) -> tuple[str, Heads]:
        name = self.created()
        heads: Heads = self.port.heads(name)
        assert heads.output is not None, "pachd makes the first commit"
        return name, heads

    def committing(self) -> str:
        return self.shared or self.created()

    def commit(self, name: str, *, branch: str = MASTER, size: int = 1, finished: bool = True) -> str:
        return self.spout.commit(name, branch=branch, size=size, finished=finished)

    def finish(self, name: str, commit: str) -> None:
        self.spout.finish(name, commit)

    def someones_spout(self, annotations: Mapping[str, str] | None = None) -> str:
        return self.someones_pipeline(spout={}, metadata={"annotations": dict(annotations or {})})

    def someones_reader(self, repo: str) -> str:
        return self.someones_pipeline(input={"pfs": {"repo": repo, "glob": "/"}})

    def someones_update(self, name: str) -> None:
        self._create(name, update=True, spout={})

    def begun(self) -> tuple[str, Heads]:
        # 2.12.2 begins to run a new pipeline late where it has many to begin with.
        name = self.committing()
        self.wait_begun(name)
        return name, self.port.heads(name)

    def wait_begun(self, name: str) -> None:
        """Wait until pachd has begun to run a pipeline: only then it does quickly what it is told."""
        eventually(lambda: self.observed(name).state is PipelineState.RUNNING, what="the state Running", seconds=120)

    def wait_paused(self, name: str) -> None:
        """Wait until a stopped pipeline whose spout commits has no worker any more."""
        eventually(lambda: self.observed(name).state is PipelineState.PAUSED, what="the state Paused", seconds=120)
        self.spout.wait_ended()

    def someones_start(self, name: str) -> None:
        """Let somebody else start a stopped pipeline."""
        self.api.start_pipeline(pipeline=_pipeline(PipelineName(name=name)))

    def in_project(self, project: str, name: str = "a") -> PipelineName:
        """The name of a pipeline of a project, which is deleted after the test."""
        self.in_projects.append(PipelineName(project=project, name=name))
        return self.in_projects[-1]

    def someones_pipeline(self, **fields: Any) -> str:
        """The name of a pipeline that somebody else made."""
        name = self.new_name()
        self._create(name, **fields)
        return name

    def _create(self, name: str, *, update: bool = False, **fields: Any) -> None:
        spec = {"pipeline": {"name": name}, "transform": {"image": "none:1", "cmd": ["true"]}, **fields}
        self.api.create_pipeline_v2(create_pipeline_request_json=json.dumps(spec), update=update)

    def clear(self) -> None:
        names = [*self.in_projects, *(PipelineName(name=name) for name in self.names)]
        for name in reversed(names):
            _unless_absent(self.api.delete_pipeline, pipeline=_pipeline(name), force=True)
        repos = pfs.ApiStub(self.connection.channel(None))
        for name in names:
            repo = pfs.Repo(project=pfs.Project(name=name.project), name=name.name, type="user")
            _unless_absent(repos.delete_repo, repo=repo, force=True)


def spout_that_commits(address: str) -> str:
    """The name of a new pipeline for a `SidecarWriter`."""
    name = f"{RUNS_FOR_REAL}{uuid.uuid4().hex[:12]}"
    Port(PachydermV2(connection_to(address))).create(name, PLAIN, OWNER)
    return name


def _pipeline(name: PipelineName) -> Any:
    return pps.Pipeline(project=pfs.Project(name=name.project), name=name.name)


def _repo(name: str) -> Any:
    return pfs.Repo(project=pfs.Project(name=DEFAULT_PROJECT), name=name, type="user")


def _unless_absent(method: Callable[..., object], **request: Any) -> None:
    try:
        method(**request)
    except grpc.RpcError as error:
        # In memory, nothing is left behind.
        if error.code() not in {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNIMPLEMENTED}:
            raise
