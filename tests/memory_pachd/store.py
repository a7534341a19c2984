"""What pachd stores: repos with their branches, commits and files."""

import dataclasses
import re
import time
import uuid
from collections.abc import Mapping
from typing import Any

import grpc
from google.protobuf import timestamp_pb2

# pkg/uuid of Pachyderm 1.13.4; what does not look like this is taken for a branch.
_COMMIT_ID = re.compile(r"[0-9a-f]{12}4[0-9a-f]{19}")


#: Where pachd keeps the specs of its pipelines.
SPEC_REPO = "__spec__"


class Refusal(Exception):  # noqa: N818 - it is the server's answer
    """A failure in pachd's words. It arrives as gRPC UNKNOWN, as nearly all of 1.13's do."""

    code = grpc.StatusCode.UNKNOWN


@dataclasses.dataclass(kw_only=True, slots=True)
class Commit:
    id: str
    parent: str | None
    size: int
    files: Mapping[str, bytes]
    finished: Any = None


@dataclasses.dataclass(kw_only=True, slots=True)
class Repo:
    """Heads by branch (None: no commit yet) and commits by id."""

    name: str
    branches: dict[str, str | None] = dataclasses.field(default_factory=dict)
    commits: dict[str, Commit] = dataclasses.field(default_factory=dict)

    def append(self, branch: str, *, size: int, finished: bool, files: Mapping[str, bytes] | None = None) -> Commit:
        """A new head for a branch."""
        commit = Commit(
            id=uuid.uuid4().hex,
            parent=self.branches.get(branch),
            size=size,
            files=files or {},
            finished=now() if finished else None,
        )
        self.commits[commit.id] = commit
        self.branches[branch] = commit.id
        return commit

    def resolve(self, name: str) -> Commit:
        """The commit of an id or at the head of a branch."""
        if _COMMIT_ID.fullmatch(name):
            if name not in self.commits:
                raise Refusal(f"commit {name} not found in repo {self.name}")
            return self.commits[name]
        if name not in self.branches:
            raise Refusal(f"/pachyderm_pfs/branches/{self.name}/ {name} not found")
        head = self.branches[name]
        if head is None:
            raise Refusal(f"the branch \"{name}\" has no head (create one with 'start commit')")
        return self.commits[head]


class Repos(dict[str, Repo]):
    """The repos by name; and which commits of the spec repo are gone, with the specs that they held."""

    def __init__(self) -> None:
        super().__init__()
        self.lost_specs: set[str] = set()

    def get_or_refuse(self, name: str) -> Repo:
        """A repo that has to be there."""
        if name not in self:
            raise Refusal(f"/pachyderm_pfs/repos/ {name} not found")
        return self[name]

    def resolve(self, commit: Any) -> Commit:
        """The commit that a message names. Of a repo that is not there, pachd says that the commit is not."""
        name = commit.repo.name
        return self.get(name, Repo(name=name)).resolve(commit.id)


def now(*, ago: float = 0) -> Any:
    seconds, nanos = divmod(time.time_ns() - int(ago * 1e9), 1_000_000_000)
    return timestamp_pb2.Timestamp(seconds=seconds, nanos=nanos)
