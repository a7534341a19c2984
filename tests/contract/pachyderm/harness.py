"""What the suite needs on either side besides the port itself: to act as the spout, and as other people.

The spout is the one that makes commits; on Pachyderm 1.13.4 both of its branches can be written from outside. Other
people use Pachyderm's own client, here the SDK's.
"""

import dataclasses
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Protocol, Self

from spout_operator.config import PachdAddress
from spout_operator.core.model import (
    Owner,
    Pipeline,
    PipelineName,
    PipelineSpec,
    SpoutKey,
    SpoutOptions,
    Transform,
)
from spout_operator.pachyderm.connection import Connection
from spout_operator.pachyderm.v1.backend import PachydermV1
from spout_operator.pachyderm.v1.branches import MARKER_BRANCH, OUTPUT_BRANCH
from spout_operator.pachyderm.v1.sdk import Client, pfs_pb2, pps_pb2
from spout_operator.telemetry.metrics import Metrics
from tests.contract.calls import Synchronous
from tests.memory_pachd import MemoryPachd
from tests.memory_pachd.store import SPEC_REPO

OWNER = Owner(cluster="5e9d8c1b-cluster", spout=SpoutKey(namespace="ingest", name="my-spout"))
TRANSFORM = Transform(image="example/spout:1", cmd=("spout",))
SPEC = PipelineSpec(transform=TRANSFORM, spout=SpoutOptions(marker="offset"))
#: Has the form of a commit id, and no commit has it.
NO_COMMIT = uuid.UUID(int=1, version=4).hex


def connection_to(address: str) -> Connection:
    """The operator's connection to the server at an address."""
    return Connection(pachd=PachdAddress.parse(address), telemetry=Metrics())


class Port(Synchronous):
    """The port, for pipelines of the project `default`: a test gives and gets their names as text."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = super().__getattr__(name)

        def call(*args: Any, **kwargs: Any) -> Any:
            return method(*(PipelineName(name=arg) if arg is args[0] else arg for arg in args), **kwargs)

        return call

    def list(self) -> dict[str, Pipeline]:
        """All pipelines by name."""
        return {str(name): pipeline for name, pipeline in super().__getattr__("list")().items()}


class SpoutWriter(Protocol):
    """What the spout does: it commits. Each method returns the commit's id."""

    def commit(self, repo: str, *, branch: str = OUTPUT_BRANCH, size: int = 1, finished: bool = True) -> str:
        """Make a new head that is `size` bytes larger than its parent."""

    def marker(self, repo: str, files: Mapping[str, bytes], *, finished: bool = True) -> str:
        """Make a new head of the marker branch with these files."""

    def many_files(self, repo: str, path: str, count: int) -> str:
        """Make a new head of the marker branch with `count` files below a path."""


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

    def _commit(self, repo: str, branch: str, files: Mapping[str, bytes], *, finished: bool) -> str:
        commit = self._client.start_commit(repo, branch)
        with self._client.put_file_client() as puts:
            for path, content in files.items():
                puts.put_file_from_bytes(commit, path, content, overwrite_index=0)
        if finished:
            self._client.finish_commit(commit)
        return str(commit.id)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Side:
    """One side of the port: the adapter under test, the spout, and the SDK's client for what other people do."""

    connection: Connection
    port: Port
    spout: SpoutWriter
    client: Client
    most_pipelines: int
    names: list[str] = dataclasses.field(default_factory=list)

    @classmethod
    def at(cls, address: str, spout: SpoutWriter, *, most_pipelines: int) -> Self:
        """The side whose server is at `address`."""
        connection = connection_to(address)
        return cls(
            connection=connection,
            port=Port(PachydermV1(connection)),
            spout=spout,
            client=Client.new_from_pachd_address(address),
            most_pipelines=most_pipelines,
        )

    def new_name(self) -> str:
        """A name for a pipeline or a repo, which is deleted after the test."""
        self.names.append(f"contract-{uuid.uuid4().hex[:12]}")
        return self.names[-1]

    def created(self, spec: PipelineSpec = SPEC) -> str:
        """The name of a new pipeline."""
        name = self.new_name()
        self.port.create(name, spec, OWNER)
        return name

    def observed(self, name: str) -> Pipeline:
        """A pipeline that has to be there."""
        pipeline: Pipeline | None = self.port.observe(name)
        assert pipeline is not None
        return pipeline

    def lose_spec(self, name: str) -> None:
        """Delete the commit that holds a pipeline's spec, as if object storage had lost it."""
        self.client.delete_commit((SPEC_REPO, self.client.inspect_pipeline(name).spec_commit.id))

    def abandoned_repo(self) -> str:
        """The name of a repo with both heads whose pipeline was deleted."""
        name = self.created()
        self.spout.commit(name)
        self.spout.marker(name, {"offset": b"1"})
        self.port.delete(name, keep_repo=True)
        return name

    def someones_pipeline(self, *, reads: str = "", **fields: Any) -> str:
        """The name of a pipeline that somebody else made, by default one that reads a repo."""
        name = self.new_name()
        inputs = pps_pb2.Input(pfs=pps_pb2.PFSInput(name=reads, repo=reads, branch=OUTPUT_BRANCH, glob="/"))
        transform = pps_pb2.Transform(image="example/other:1", cmd=["true"])
        self.client.create_pipeline(name, transform=transform, input=inputs if reads else None, **fields)
        return name

    def clear(self) -> None:
        """Delete everything that the test made, each reader before the repo that it reads."""
        for name in reversed(self.names):
            self.client.delete_pipeline(name, force=True)
        for name in self.names:
            self.client.delete_repo(name, force=True)
