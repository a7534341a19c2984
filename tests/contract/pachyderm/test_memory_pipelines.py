"""The fake at the port, which the controller's tests stand on, is held to the contract of the adapters.

It runs every test of some modules; `NOT_FOR_THE_FAKE` says which of them it does not, and why.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from spout_operator.core.model import Heads, PipelineName
from tests.contract.pachyderm import (
    test_commits,
    test_create,
    test_delete,
    test_observe,
    test_pachyderm_1_lost_spec,
    test_pachyderm_1_marker,
    test_spec,
    test_start_and_stop,
    test_update,
)
from tests.contract.pachyderm.harness import SPEC, Side, connection_to
from tests.fakes.memory_pipelines import MemoryPipelines

#: By test: why it is not one for the fake, which has the port and no other client.
NOT_FOR_THE_FAKE = {
    "test_a_branch_of_another_name_is_not_a_head": "it has the branches of the port only",
    "test_a_name_that_pachyderm_does_not_accept_is_stalled": "it accepts every name",
    "test_a_spec_that_pachyderm_does_not_accept_is_stalled_and_makes_no_pipeline": "it accepts every spec",
    "test_an_update_that_pachyderm_does_not_accept_changes_nothing": "it accepts every spec",
    "test_a_pipeline_of_another_kind_is_left_as_it_is": "it has spouts only",
    "test_a_pipeline_that_is_not_a_spout_has_no_spec": "it has spouts only",
    "test_the_list_has_all_pipelines_without_their_workers": "it has spouts only",
    "test_a_pipeline_with_incomplete_owner_annotations_has_no_owner": "its owners are not in annotations",
    "test_a_pipeline_whose_repo_is_read_is_not_deleted": "it has no readers",
    "test_a_pipeline_whose_repo_is_read_is_deleted_where_the_repo_is_kept": "it has no readers",
    "test_a_pipeline_that_somebody_handed_over_can_be_updated": "its owners are not in annotations",
    "test_an_existing_repo_is_not_taken_over_and_keeps_its_heads": "its message names no command",
    "test_pachd_refuses_another_clients_update_of_a_pipeline_with_a_lost_spec": "about pachd alone",
    "test_a_pipeline_with_a_lost_spec_can_be_deleted_by_hand": "another client deletes it",
    "test_a_pipeline_with_a_lost_spec_can_be_deleted_by_hand_and_its_repo_kept": "another client deletes it",
    "test_memory_any_generated_spec_is_read_back_as_it_was_written": "about the in-memory pachd",
}
MODULES = (
    test_commits,
    test_create,
    test_delete,
    test_observe,
    test_pachyderm_1_lost_spec,
    test_pachyderm_1_marker,
    test_spec,
    test_start_and_stop,
    test_update,
)
CONTRACT: Mapping[str, Any] = {
    name: test for module in MODULES for name, test in vars(module).items() if name.startswith("test_")
}
globals().update({name: test for name, test in CONTRACT.items() if name not in NOT_FOR_THE_FAKE})


@dataclasses.dataclass(kw_only=True)
class FakeSide(Side):
    """The port without a server and without other clients, and the spouts of its pipelines."""

    pipelines: MemoryPipelines
    sizes: dict[tuple[str, str], int] = dataclasses.field(default_factory=dict)

    @property
    def spout(self) -> "FakeSide":
        """What the spout does."""
        return self

    @property
    def makes_commits(self) -> bool:
        return False

    def with_heads(self) -> tuple[str, Heads]:
        name = self.created()
        return name, Heads(output=self.commit(name), marker=self.marker(name, {"offset": b"1"}))

    def committing(self) -> str:
        return self.created()

    def commit(self, name: str, *, branch: str = "master", size: int = 1, finished: bool = True) -> str:
        # A commit holds everything that its parent holds.
        whole = self.sizes[name, branch] = self.sizes.get((name, branch), 0) + size
        return self.pipelines.commit(PipelineName(name=name), branch=branch, size=whole, **_open(finished))

    def marker(self, name: str, files: Mapping[str, bytes], *, finished: bool = True) -> str:
        """A new head of the marker branch."""
        return self.pipelines.write_marker(PipelineName(name=name), files, **_open(finished))

    def many_files(self, name: str, path: str, count: int) -> str:
        """A new head of the marker branch, with so many files below a path."""
        return self.marker(name, {f"{path}/{number:05}": b"%d\n" % number for number in range(count)})

    def finish(self, name: str, commit: str) -> None:
        self.pipelines.finish_commit(PipelineName(name=name), commit)

    def someones_spout(self, annotations: Mapping[str, str] | None = None) -> str:  # noqa: ARG002 - as the others have it
        name = self.new_name()
        self.pipelines.make(PipelineName(name=name), self.spec, None)
        return name

    def begun(self) -> tuple[str, Heads]:
        return self.with_heads()

    def someones_reader(self, repo: str) -> str:
        raise NotImplementedError

    def someones_update(self, name: str) -> None:
        self.pipelines.change(PipelineName(name=name), owner=None, spec=self.changed, version=2)

    def lose_spec(self, name: str) -> None:
        """As if object storage had lost the spec."""
        self.pipelines.lose_spec(PipelineName(name=name))

    def clear(self) -> None:
        """Nothing is left."""


def _open(finished: bool) -> dict[str, None]:
    return {} if finished else {"finished_at": None}


@pytest.fixture
def side() -> Side:
    pipelines = MemoryPipelines()
    return FakeSide(
        connection=connection_to("grpc://memory:650"),
        adapter=lambda _connection: pipelines,
        spec=SPEC,
        version="1.0.0",
        pipelines=pipelines,
    )


@pytest.fixture
def one(side: Side) -> Side:
    return side


def test_each_test_that_is_not_for_the_fake_exists() -> None:
    assert NOT_FOR_THE_FAKE.keys() <= CONTRACT.keys()
