"""Pachyderm 1.13, in memory and for real. Both of a spout's branches can be written from outside there.

Other people use Pachyderm's own client, here the SDK's.
"""

import dataclasses
import uuid
from collections.abc import Mapping
from typing import Any, Protocol, Self

from spout_operator.core.model import Heads
from spout_operator.pachyderm.v1.backend import PachydermV1
from spout_operator.pachyderm.v1.branches import MARKER_BRANCH, OUTPUT_BRANCH
from spout_operator.pachyderm.v1.sdk import Client, pfs_pb2, pps_pb2
from tests.contract.pachyderm.harness import SPEC, Side, connection_to
from tests.memory_pachd import MemoryPachd
from tests.memory_pachd.store import SPEC_REPO


class SpoutWriter(Protocol):
    """What the spout does: it commits. The first three return the commit's id."""

    def commit(self, repo: str, *, branch: str = OUTPUT_BRANCH, size: int = 1, finished: bool = True) -> str:
        """Make a new head that is `size` bytes larger than its parent."""

    def marker(self, repo: str, files: Mapping[str, bytes], *, finished: bool = True) -> str:
        """Make a new head of the marker branch with these files."""

    def many_files(self, repo: str, path: str, count: int) -> str:
        """Make a new head of the marker branch with `count` files below a path."""

    def finish(self, repo: str, commit: str) -> None:
        """Finish an open commit."""


class MemoryWriter:
    """The spout of an in-memory pachd."""

    def __init__(self, pachd: MemoryPachd) -> None:
        self._pachd = pachd
        self._sizes: dict[tuple[str, str], int] = {}

    def commit(self, repo: str, *, branch: str = OUTPUT_BRANCH, size: int = 1, finished: bool = True) -> str:
        # A commit holds everything that its parent holds, and pachd reports the size of the whole.
        whole = self._sizes[repo, branch] = self._sizes.get((repo, branch), 0) + size
        return self._pachd.append_commit(repo, branch=branch, size=whole, finished=finished)

    def marker(self, repo: str, files: Mapping[str, bytes], *, finished: bool = True) -> str:
        return self._pachd.write_marker(repo, files, finished=finished)

    def many_files(self, repo: str, path: str, count: int) -> str:
        return self.marker(repo, {f"{path}/{number:016x}": b"%d\n" % number for number in range(count)})

    def finish(self, repo: str, commit: str) -> None:
        self._pachd.finish_commit(repo, commit)


class RealWriter:
    """The spout of a real pachd, played by a client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def commit(self, repo: str, *, branch: str = OUTPUT_BRANCH, size: int = 1, finished: bool = True) -> str:
        return self._commit(repo, branch, {uuid.uuid4().hex: b"x" * size}, finished=finished)

    def marker(self, repo: str, files: Mapping[str, bytes], *, finished: bool = True) -> str:
        return self._commit(repo, MARKER_BRANCH, files, finished=finished)

    def many_files(self, repo: str, path: str, count: int) -> str:
        commit = self._client.start_commit(repo, MARKER_BRANCH)
        # pachd splits one file into a file for each line, which is a hundred times as fast.
        lines = b"".join(b"%d\n" % number for number in range(count))
        self._client.put_file_bytes(
            commit, path, lines, delimiter=pfs_pb2.Delimiter.Value("LINE"), target_file_datums=1
        )
        self._client.finish_commit(commit)
        return str(commit.id)

    def finish(self, repo: str, commit: str) -> None:
        self._client.finish_commit((repo, commit))

    def _commit(self, repo: str, branch: str, files: Mapping[str, bytes], *, finished: bool) -> str:
        commit = self._client.start_commit(repo, branch)
        with self._client.put_file_client() as puts:
            for path, content in files.items():
                puts.put_file_from_bytes(commit, path, content, overwrite_index=0)
        if finished:
            self._client.finish_commit(commit)
        return str(commit.id)


@dataclasses.dataclass(kw_only=True)
class SideOne(Side):
    """A Pachyderm 1.13 of the Community Edition."""

    spout: SpoutWriter
    client: Client
    most_pipelines: int

    @classmethod
    def at(cls, address: str, spout: SpoutWriter, *, most_pipelines: int) -> Self:
        """The side whose server is at `address`."""
        return cls(
            connection=connection_to(address),
            adapter=PachydermV1,
            spec=SPEC,
            version="1.13.4",
            spout=spout,
            client=Client.new_from_pachd_address(address),
            most_pipelines=most_pipelines,
        )

    @property
    def makes_commits(self) -> bool:
        return False

    def with_heads(self) -> tuple[str, Heads]:
        name = self.created()
        return name, Heads(output=self.spout.commit(name), marker=self.spout.marker(name, {"offset": b"1"}))

    def committing(self) -> str:
        return self.created()

    def commit(self, name: str, *, branch: str = OUTPUT_BRANCH, size: int = 1, finished: bool = True) -> str:
        return self.spout.commit(name, branch=branch, size=size, finished=finished)

    def finish(self, name: str, commit: str) -> None:
        self.spout.finish(name, commit)

    def begun(self) -> tuple[str, Heads]:
        return self.with_heads()

    def someones_spout(self, annotations: Mapping[str, str] | None = None) -> str:
        return self.someones_pipeline(spout=pps_pb2.Spout(), metadata=pps_pb2.Metadata(annotations=annotations or {}))

    def someones_reader(self, repo: str) -> str:
        return self.someones_pipeline(reads=repo)

    def someones_update(self, name: str) -> None:
        self.client.create_pipeline(name, pps_pb2.Transform(image="theirs"), spout=pps_pb2.Spout(), update=True)

    def someones_pipeline(self, *, reads: str = "", **fields: Any) -> str:
        """The name of a pipeline that somebody else made, by default one that reads a repo."""
        name = self.new_name()
        inputs = pps_pb2.Input(pfs=pps_pb2.PFSInput(name=reads, repo=reads, branch=OUTPUT_BRANCH, glob="/"))
        transform = pps_pb2.Transform(image="example/other:1", cmd=["true"])
        self.client.create_pipeline(name, transform=transform, input=inputs if reads else None, **fields)
        return name

    def lose_spec(self, name: str) -> None:
        """Delete the commit that holds a pipeline's spec, as if object storage had lost it."""
        self.client.delete_commit((SPEC_REPO, self.client.inspect_pipeline(name).spec_commit.id))

    def clear(self) -> None:
        for name in reversed(self.names):
            self.client.delete_pipeline(name, force=True)
        for name in self.names:
            self.client.delete_repo(name, force=True)
