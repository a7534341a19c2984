"""What the suite needs of every server besides the port itself: to act as the spout, and as other people.

A `Side` is one server with its adapter. `sides_1.py` and `sides_2.py` have those of each major version.
"""

import abc
import dataclasses
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from spout_operator.config import PachdAddress
from spout_operator.core.model import (
    Commit,
    Heads,
    Owner,
    Pipeline,
    PipelineName,
    PipelineSpec,
    SpoutKey,
    SpoutOptions,
    Transform,
)
from spout_operator.pachyderm.connection import Connection
from spout_operator.ports import Pachyderm
from spout_operator.telemetry.metrics import Metrics
from tests.contract.calls import Synchronous

OWNER = Owner(cluster="5e9d8c1b-cluster", spout=SpoutKey(namespace="ingest", name="my-spout"))
HEIR = Owner(cluster="another", spout=SpoutKey(namespace="other", name="heir"))
TRANSFORM = Transform(image="example/spout:1", cmd=("sleep", "1000000"))
#: A spec that every server takes, and one for a server that keeps markers.
PLAIN = PipelineSpec(transform=TRANSFORM)
SPEC = PipelineSpec(transform=TRANSFORM, spout=SpoutOptions(marker="offset"))
#: The names of the pipelines begin with this; on the real 2.12.2, no worker runs for them.
NO_WORKER = "contract-"
#: Has the form of a commit id, and no commit has it.
NO_COMMIT = uuid.UUID(int=1, version=4).hex
#: More commits than any test makes.
MANY = 1000


def connection_to(address: str) -> Connection:
    """The operator's connection to the server at an address."""
    return Connection(pachd=PachdAddress.parse(address), telemetry=Metrics())


class Port(Synchronous):
    """The port, for pipelines of the project `default`: a test gives and gets their names as text."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = super().__getattr__(name)

        def call(*args: Any, **kwargs: Any) -> Any:
            return method(
                *(PipelineName(name=arg) if arg is args[0] and isinstance(arg, str) else arg for arg in args), **kwargs
            )

        return call

    def list(self) -> dict[str, Pipeline]:
        """All pipelines by name."""
        return {str(name): pipeline for name, pipeline in super().__getattr__("list")().items()}


@dataclasses.dataclass(kw_only=True)
class Side(abc.ABC):
    """One server: the adapter under test, the spouts, and other people."""

    connection: Connection
    adapter: Callable[[Connection], Pachyderm]
    spec: PipelineSpec
    """The least that a test asks for."""
    version: str
    """The whole version of the server."""
    others: frozenset[str] = frozenset()
    """Pipelines that are there in every test."""
    names: list[str] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        self.port = self.connect()

    @property
    def changed(self) -> PipelineSpec:
        """Another spec than `spec`."""
        return dataclasses.replace(self.spec, description="changed")

    def connect(self, **changes: Any) -> Port:
        """The port over a new adapter, whose connection differs in some fields."""
        return Port(self.adapter(dataclasses.replace(self.connection, **changes)))

    def new_name(self, prefix: str = NO_WORKER) -> str:
        """A name for a pipeline or a repo, which is deleted after the test."""
        self.names.append(f"{prefix}{uuid.uuid4().hex[:12]}")
        return self.names[-1]

    def created(self, spec: PipelineSpec | None = None) -> str:
        """The name of a new pipeline."""
        name = self.new_name()
        self.port.create(name, self.spec if spec is None else spec, OWNER)
        return name

    def observed(self, name: str | PipelineName) -> Pipeline:
        """A pipeline that has to be there."""
        pipeline: Pipeline | None = self.port.observe(name)
        assert pipeline is not None
        return pipeline

    def listed(self) -> dict[str, Pipeline]:
        """The listed pipelines of the test."""
        return {name: pipeline for name, pipeline in self.port.list().items() if name not in self.others}

    def own_commits(self, name: str) -> list[str]:
        """The ids of the commits of the spout's own, newest first."""
        head = self.port.heads(name).output
        found: list[Commit] = self.port.commits(name, head, since=None, most=MANY) if head is not None else []
        return [commit.id for commit in found if not commit.is_automatic]

    def abandoned_repo(self) -> str:
        """The name of a repo with heads whose pipeline was deleted."""
        name, _ = self.with_heads()
        self.port.delete(name, keep_repo=True)
        return name

    def assert_no_commits(self, name: str) -> None:
        """That a pipeline has no commit of its spout's."""
        heads = self.port.heads(name)
        assert heads.marker is None
        assert (heads.output is not None) is self.makes_commits
        assert self.own_commits(name) == []

    def assert_heads_kept(self, name: str, before: Heads) -> None:
        """That the spout goes on where it was: the server put at most commits of its own on top."""
        now = self.port.heads(name)
        assert now.marker == before.marker
        if now.output != before.output:
            assert self.makes_commits, f"{name}: the head was {before.output}, and is {now.output}"
            above: list[Commit] = self.port.commits(name, now.output, since=before.output, most=MANY)
            assert all(commit.is_automatic for commit in above)
            assert above[-1].parent == before.output

    @property
    @abc.abstractmethod
    def makes_commits(self) -> bool:
        """Whether the server makes commits of its own on the output branch."""

    @abc.abstractmethod
    def with_heads(self) -> tuple[str, Heads]:
        """A new pipeline, each of whose branches has a head."""

    @abc.abstractmethod
    def committing(self) -> str:
        """A pipeline whose spout commits when the test says so; it can have commits of its own already."""

    @abc.abstractmethod
    def commit(self, name: str, *, branch: str = "master", size: int = 1, finished: bool = True) -> str:
        """Let the spout make a new head that is `size` bytes larger than its parent; returns its id."""

    @abc.abstractmethod
    def finish(self, name: str, commit: str) -> None:
        """Let the spout finish an open commit."""

    @abc.abstractmethod
    def begun(self) -> tuple[str, Heads]:
        """As `with_heads`, a pipeline that the server has begun to run; a test that stops it starts it again."""

    @abc.abstractmethod
    def someones_spout(self, annotations: Mapping[str, str] | None = None) -> str:
        """The name of a spout that somebody else made."""

    @abc.abstractmethod
    def someones_reader(self, repo: str) -> str:
        """The name of a pipeline that somebody else made, and that reads a repo."""

    @abc.abstractmethod
    def someones_update(self, name: str) -> None:
        """Let somebody else update a spout."""

    @abc.abstractmethod
    def clear(self) -> None:
        """Delete everything that the test made, each reader before the repo that it reads."""
