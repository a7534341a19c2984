"""A Pachyderm 2.12.2 in memory that speaks the real gRPC: what the operator calls, in the words of the real one."""

import datetime
import json
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import grpc
from betterproto.lib.google.protobuf import Empty
from pachyderm_sdk.api import metadata, pfs, pps, version

from spout_operator.core.model import DEFAULT_PROJECT, PipelineState
from tests.memory_pachd.base import MemoryServer
from tests.memory_pachd.store import Refusal

#: Project and name of a pipeline, and of its output repo.
Name = tuple[str, str]
MASTER = "master"


class Absent(Refusal):
    code = grpc.StatusCode.NOT_FOUND


class AlreadyThere(Refusal):
    code = grpc.StatusCode.ALREADY_EXISTS


class Repo:
    """The commits of an output repo, oldest first, and the heads of its branches."""

    def __init__(self, name: Name) -> None:
        self.message = pfs.Repo(project=pfs.Project(name=name[0]), name=name[1], type="user")
        self.commits: dict[str, Any] = {}
        self.heads: dict[str, str] = {}

    def append(self, *, branch: str = MASTER, kind: Any = pfs.OriginKind.USER, size: int = 0, finished: bool) -> str:
        """A new head for a branch; returns its id."""
        parent = self.commits.get(self.heads.get(branch, ""))
        commit = pfs.Commit(repo=self.message, id=uuid.uuid4().hex)
        whole = size + (parent.details.size_bytes if parent is not None else 0)
        self.commits[commit.id] = pfs.CommitInfo(
            commit=commit,
            origin=pfs.CommitOrigin(kind=kind),
            started=_now(),
            details=pfs.CommitInfoDetails(size_bytes=whole),
        )
        if parent is not None:
            self.commits[commit.id].parent_commit = parent.commit
        self.heads[branch] = commit.id
        if finished:
            self.finish(commit.id)
        return str(commit.id)

    def finish(self, commit: str) -> None:
        found = self.commits[commit]
        found.finishing = found.finished = _now()

    def get_or_refuse(self, commit: str) -> Any:
        if commit not in self.commits:
            raise Absent(f"commit {commit} not found")
        return self.commits[commit]


class MemoryPachd2(MemoryServer):
    """Its pipelines run at once; their workers never answer. What they would commit, a test commits."""

    def __init__(self, *, tls: tuple[bytes, bytes] | None = None) -> None:
        super().__init__(tls=tls)
        self.become("2.12.2")
        self._pipelines: dict[Name, Any] = {}
        self._repos: dict[Name, Repo] = {}

    def become(self, release: str) -> None:
        """Be of another version from now on: `MAJOR.MINOR.MICRO`, and whatever a build adds to it."""
        found = re.match(r"(\d+)\.(\d+)\.(\d+)", release)
        assert found is not None, release
        major, minor, micro = map(int, found.groups())
        with self._gate.lock:
            self._version = version.Version(major=major, minor=minor, micro=micro, additional=release[found.end() :])

    def set_state(self, name: str, state: PipelineState, reason: str = "") -> None:
        """Set the state and its reason, as the pipeline's controller would, of a pipeline of the project `default`."""
        with self._gate.lock:
            info = self._pipelines[DEFAULT_PROJECT, name]
            info.state = pps.PipelineState[f"PIPELINE_{state.name}"]
            info.reason = reason

    def workers(self, name: str, available: int) -> None:
        """Set how many workers of a pipeline of the project `default` answer; one is requested."""
        with self._gate.lock:
            self._pipelines[DEFAULT_PROJECT, name].details.workers_available = available

    def append_commit(self, name: Name, *, branch: str = MASTER, size: int = 1, finished: bool = True) -> str:
        """A commit of the spout's own."""
        with self._gate.lock:
            return self._repos[name].append(branch=branch, size=size, finished=finished)

    def finish_commit(self, name: Name, commit: str) -> None:
        """Finish an open commit."""
        with self._gate.lock:
            self._repos[name].finish(commit)

    def begin_to_finish(self, name: Name) -> None:
        """Leave the head of the output branch as it is while pachd finishes it."""
        with self._gate.lock:
            repo = self._repos[name]
            head = repo.commits[repo.heads[MASTER]]
            head.finishing, head.finished = _now(), None

    def add_services(self, server: Any) -> None:
        unary, stream = grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler
        services: dict[str, list[tuple[Any, Callable[[Any], Any], Any]]] = {
            "versionpb_v2": [(unary, self._get_version, Empty)],
            "metadata": [(unary, self._edit_metadata, metadata.EditMetadataRequest)],
            "pps_v2": [
                (unary, self._inspect_pipeline, pps.InspectPipelineRequest),
                (stream, self._list_pipeline, pps.ListPipelineRequest),
                (unary, self._create_pipeline_v2, pps.CreatePipelineV2Request),
                (unary, self._start_pipeline, pps.StartPipelineRequest),
                (unary, self._stop_pipeline, pps.StopPipelineRequest),
                (unary, self._delete_pipeline, pps.DeletePipelineRequest),
            ],
            "pfs_v2": [
                (stream, self._list_branch, pfs.ListBranchRequest),
                (unary, self._inspect_commit, pfs.InspectCommitRequest),
                (unary, self._finish_commit, pfs.FinishCommitRequest),
                (stream, self._list_commit, pfs.ListCommitRequest),
                (stream, self._list_commit_set, pfs.ListCommitSetRequest),
            ],
        }
        for service, methods in services.items():
            handlers = {
                answer.__name__.title().replace("_", ""): kind(_alone(answer), request.FromString, bytes)
                for kind, answer, request in methods
            }
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(f"{service}.API", handlers),))

    def _get_version(self, _request: Any) -> Any:
        return self._version

    def _edit_metadata(self, request: Any) -> Any:
        for edit in request.edits:
            picked = edit.pipeline.name
            found = self._get_or_refuse((picked.project.name, picked.name))
            found.metadata[edit.add_key.key] = edit.add_key.value
        return Empty()

    def _inspect_pipeline(self, request: Any) -> Any:
        return self._get_or_refuse(_named(request.pipeline))

    def _list_pipeline(self, _request: Any) -> Iterator[Any]:
        yield from list(self._pipelines.values())

    def _create_pipeline_v2(self, request: Any) -> Any:
        text = request.create_pipeline_request_json
        asked = json.loads(text)["pipeline"]
        name = (asked.get("project", {}).get("name", DEFAULT_PROJECT), asked["name"])
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,50}", name[1]):
            raise Refusal(f"invalid pipeline name {name[1]!r}")
        if (patch := json.loads(text).get("podPatch")) is not None and not patch.startswith("["):
            raise Refusal("malformed PodPatch")
        before = self._pipelines.get(name)
        if before is not None and not request.update:
            raise AlreadyThere(f'pipeline "{name[0]}/{name[1]}" already exists')
        if before is None and name in self._repos:
            raise Refusal(f'pipeline "{name[1]}" cannot be created because a repo with the same name already exists')
        if before is None:
            self._repos[name] = Repo(name)
            self._repos[name].append(kind=pfs.OriginKind.AUTO, finished=True)
        is_stopped = before is not None and before.stopped
        self._pipelines[name] = pps.PipelineInfo(
            pipeline=pps.Pipeline(project=pfs.Project(name=name[0]), name=name[1]),
            version=1 if before is None else before.version + 1,
            spec_commit=pfs.Commit(id=uuid.uuid4().hex),
            stopped=is_stopped,
            state=pps.PipelineState.PIPELINE_PAUSED if is_stopped else pps.PipelineState.PIPELINE_RUNNING,
            details=pps.PipelineInfoDetails(created_at=_now(), workers_requested=1),
            user_spec_json=text,
            effective_spec_json=text,
        )
        return Empty()

    def _start_pipeline(self, request: Any) -> Any:
        found = self._get_or_refuse(_named(request.pipeline))
        if found.stopped:
            self._repos[_named(request.pipeline)].append(kind=pfs.OriginKind.AUTO, finished=False)
        found.stopped, found.state = False, pps.PipelineState.PIPELINE_RUNNING
        return Empty()

    def _stop_pipeline(self, request: Any) -> Any:
        found = self._get_or_refuse(_named(request.pipeline))
        found.stopped, found.state = True, pps.PipelineState.PIPELINE_PAUSED
        return Empty()

    def _delete_pipeline(self, request: Any) -> Any:
        name = _named(request.pipeline)
        self._get_or_refuse(name)
        readers = [other for other, info in self._pipelines.items() if _reads(info) == name[1]]
        if readers and not request.keep_repo:
            repo, reader = f"{name[0]}/{name[1]}", f"{readers[0][0]}/{readers[0][1]}"
            raise Refusal(
                f"delete branch {repo}@master cannot be deleted because it's in the direct provenance of "
                f"[{reader}@master]"
            )
        del self._pipelines[name]
        if not request.keep_repo:
            del self._repos[name]
        return Empty()

    def _list_branch(self, request: Any) -> Iterator[Any]:
        repo = self._repo_or_refuse(request.repo)
        for name, head in repo.heads.items():
            yield pfs.BranchInfo(branch=pfs.Branch(name=name), head=pfs.Commit(id=head))

    def _inspect_commit(self, request: Any) -> Any:
        return self._repo_or_refuse(request.commit.repo).get_or_refuse(request.commit.id)

    def _finish_commit(self, request: Any) -> Any:
        repo, commit = self._repo_or_refuse(request.commit.repo), request.commit.id
        if _is_set(repo.get_or_refuse(commit).finishing):
            raise Refusal(f"commit {commit} has already finished")
        repo.finish(commit)
        return Empty()

    def _list_commit(self, request: Any) -> Iterator[Any]:
        repo = self._repo_or_refuse(request.repo)
        known = request.from_.id if request.from_ is not None else ""
        at, told = repo.get_or_refuse(request.to.id), 0
        while at is not None and at.commit.id != known and told < request.number:
            yield at
            told += 1
            at = repo.commits.get(at.parent_commit.id) if at.parent_commit is not None else None

    def _list_commit_set(self, _request: Any) -> Iterator[Any]:
        commits = [commit for repo in self._repos.values() for commit in repo.commits.values()]
        for commit in sorted(commits, key=lambda commit: commit.started, reverse=True):
            yield pfs.CommitSetInfo(commit_set=pfs.CommitSet(id=commit.commit.id), commits=[commit])

    def _get_or_refuse(self, name: Name) -> Any:
        if name not in self._pipelines:
            raise Absent(f'pipeline "{name[0]}/{name[1]}" not found')
        return self._pipelines[name]

    def _repo_or_refuse(self, asked: Any) -> Repo:
        name = (asked.project.name, asked.name)
        if name not in self._repos:
            raise Absent(f"repo {name[0]}/{name[1]} not found")
        return self._repos[name]


def _alone(answer: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda request, _context: answer(request)


def _named(pipeline: Any) -> Name:
    return pipeline.project.name, pipeline.name


def _reads(info: Any) -> str | None:
    """The repo that a pipeline reads."""
    found: str | None = json.loads(info.user_spec_json).get("input", {}).get("pfs", {}).get("repo")
    return found


def _is_set(moment: datetime.datetime | None) -> bool:
    return moment is not None and moment.year > 1970


def _now() -> datetime.datetime:
    return datetime.datetime.now(tz=datetime.UTC)
