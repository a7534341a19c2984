"""The file system's half of the API: repos, branches, commits, files."""
# ruff: noqa: N802 - the methods are named as the calls

from collections.abc import Iterator
from typing import Any

from google.protobuf import empty_pb2, wrappers_pb2
from python_pachyderm.proto.pfs import pfs_pb2_grpc

from spout_operator.pachyderm.v1.sdk import pfs_pb2
from tests.memory_pachd.store import SPEC_REPO, Commit, Refusal, Repos

# The generated modules are untyped.
Message = Any
CHUNK = 256 * 1024


class PfsService(pfs_pb2_grpc.APIServicer):  # type: ignore[misc] # generated, untyped
    def __init__(self, repos: Repos) -> None:
        self._repos = repos

    def InspectRepo(self, request: Message, _context: object) -> Message:
        return pfs_pb2.RepoInfo(repo=pfs_pb2.Repo(name=self._repos.get_or_refuse(request.repo.name).name))

    def ListBranch(self, request: Message, _context: object) -> Message:
        repo = self._repos.get_or_refuse(request.repo.name)
        return pfs_pb2.BranchInfos(
            branch_info=[
                pfs_pb2.BranchInfo(
                    name=name,
                    branch=pfs_pb2.Branch(repo=request.repo, name=name),
                    head=_id(repo.name, head) if head else None,
                )
                for name, head in repo.branches.items()
            ]
        )

    def InspectCommit(self, request: Message, _context: object) -> Message:
        return _commit_info(request.commit.repo.name, self._repos.resolve(request.commit))

    def DeleteCommit(self, request: Message, _context: object) -> Message:
        """Of the spec repo only."""
        assert request.commit.repo.name == SPEC_REPO, "no other is deleted in any test"
        self._repos.lost_specs.add(request.commit.id)
        return empty_pb2.Empty()

    def ListCommitStream(self, request: Message, _context: object) -> Iterator[Message]:
        """From `to` along the parents until `from`, which has to be a commit of the repo but no ancestor."""
        repo = self._repos.get_or_refuse(request.repo.name)
        last = repo.resolve(getattr(request, "from").id).id if request.HasField("from") else None
        cursor: str | None = repo.resolve(request.to.id).id
        left = request.number or len(repo.commits)
        while left and cursor is not None and cursor != last:
            yield _commit_info(repo.name, repo.commits[cursor])
            cursor = repo.commits[cursor].parent
            left -= 1

    def InspectFile(self, request: Message, _context: object) -> Message:
        commit = self._repos.resolve(request.file.commit)
        nodes = _nodes(commit)
        path = _clean(request.file.path)
        if path not in nodes:
            where = f"in repo {request.file.commit.repo.name} at commit {commit.id}"
            raise Refusal(f"file {request.file.path} not found {where}")
        return _file_info(request.file, path, nodes[path])

    def WalkFile(self, request: Message, _context: object) -> Iterator[Message]:
        """Everything at and below a path, by name; nothing where there is nothing."""
        nodes = _nodes(self._repos.resolve(request.file.commit))
        top = _clean(request.file.path)
        for path in sorted(nodes, key=lambda path: path.split("/")):
            if path == top or path.startswith(f"{top}/"):
                yield _file_info(request.file, path, nodes[path])

    def GetFile(self, request: Message, _context: object) -> Iterator[Message]:
        files = self._repos.resolve(request.file.commit).files
        path = _clean(request.file.path)
        if path not in files:
            raise Refusal(f'file "{path}" not found')
        for start in range(0, len(files[path]), CHUNK):
            yield wrappers_pb2.BytesValue(value=files[path][start : start + CHUNK])


def _id(repo: str, commit: str) -> Message:
    return pfs_pb2.Commit(repo=pfs_pb2.Repo(name=repo), id=commit)


def _commit_info(repo: str, commit: Commit) -> Message:
    return pfs_pb2.CommitInfo(
        commit=_id(repo, commit.id),
        parent_commit=_id(repo, commit.parent) if commit.parent else None,
        finished=commit.finished,
        # The size of an open commit is not known yet.
        size_bytes=commit.size if commit.finished else 0,
    )


def _clean(path: str) -> str:
    return "/" + path.strip("/")


def _nodes(commit: Commit) -> dict[str, bytes | None]:
    """The tree of a commit: content by path, None for directories."""
    nodes: dict[str, bytes | None] = dict(commit.files)
    for path in commit.files:
        parts = path.split("/")
        nodes |= {"/".join(parts[:depth]): None for depth in range(2, len(parts))}
    return nodes


def _file_info(file: Message, path: str, content: bytes | None) -> Message:
    return pfs_pb2.FileInfo(
        file=pfs_pb2.File(commit=file.commit, path=path),
        file_type=pfs_pb2.DIR if content is None else pfs_pb2.FILE,
        size_bytes=len(content or b""),
    )
