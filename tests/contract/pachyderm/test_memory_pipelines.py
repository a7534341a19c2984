"""The fake at the port, which the controller's tests stand on, is held to the contract of the adapters.

It runs every test of some modules; `NOT_FOR_THE_FAKE` says which of them it does not, and why.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from spout_operator.core.model import PipelineName
from spout_operator.pachyderm.v1.branches import OUTPUT_BRANCH
from tests.contract.pachyderm import test_commits, test_lifecycle, test_lost_spec, test_marker, test_spec
from tests.contract.pachyderm.harness import Port, Side
from tests.fakes.memory_pipelines import MemoryPipelines

#: By test: why it is not one for the fake, which has the port and no other client.
NOT_FOR_THE_FAKE = {
    "test_a_pipeline_with_incomplete_owner_annotations_has_no_owner": "an owner is not in annotations here",
    "test_a_pipeline_that_is_not_a_spout_has_no_spec": "another client makes one that reads a repo",
    "test_the_list_has_all_pipelines_without_their_workers": "another client makes one that reads a repo",
    "test_a_pipeline_that_somebody_handed_over_can_be_updated": "about a crash of pachd",
    "test_another_client_can_update_a_pipeline_that_the_operator_created": "about a crash of pachd",
    "test_a_new_pipeline_with_a_marker_has_branches_without_heads": "another client lists the branches",
    "test_pachd_refuses_another_clients_update_of_a_pipeline_with_a_lost_spec": "about pachd alone",
    "test_a_pipeline_with_a_lost_spec_can_be_deleted_by_hand": "another client deletes it",
    "test_a_pipeline_with_a_lost_spec_can_be_deleted_by_hand_and_its_repo_kept": "another client deletes it",
    "test_memory_any_generated_spec_is_read_back_as_it_was_written": "about the in-memory pachd",
}
CONTRACT: Mapping[str, Any] = {
    name: test
    for module in (test_commits, test_lifecycle, test_lost_spec, test_marker, test_spec)
    for name, test in vars(module).items()
    if name.startswith("test_")
}
globals().update({name: test for name, test in CONTRACT.items() if name not in NOT_FOR_THE_FAKE})
NOBODY: Any = None


@dataclasses.dataclass
class FakeWriter:
    """The spout of a pipeline in memory."""

    pipelines: MemoryPipelines
    sizes: dict[tuple[str, str], int] = dataclasses.field(default_factory=dict)

    def commit(self, repo: str, *, branch: str = OUTPUT_BRANCH, size: int = 1, finished: bool = True) -> str:
        # A commit holds everything that its parent holds.
        whole = self.sizes[repo, branch] = self.sizes.get((repo, branch), 0) + size
        return self.pipelines.commit(PipelineName(name=repo), branch=branch, size=whole, **_open(finished))

    def marker(self, repo: str, files: Mapping[str, bytes], *, finished: bool = True) -> str:
        return self.pipelines.write_marker(PipelineName(name=repo), files, **_open(finished))

    def many_files(self, repo: str, path: str, count: int) -> str:
        return self.marker(repo, {f"{path}/{number:05}": b"%d\n" % number for number in range(count)})


def _open(finished: bool) -> dict[str, None]:
    return {} if finished else {"finished_at": None}


class FakeSide(Side):
    """The port without a server and without other clients."""

    def lose_spec(self, name: str) -> None:
        self.spout.pipelines.lose_spec(PipelineName(name=name))  # type: ignore[attr-defined] # a FakeWriter


@pytest.fixture
def side() -> Side:
    pipelines = MemoryPipelines()
    return FakeSide(
        connection=NOBODY, port=Port(pipelines), spout=FakeWriter(pipelines), client=NOBODY, most_pipelines=16
    )


def test_each_test_that_is_not_for_the_fake_exists() -> None:
    assert NOT_FOR_THE_FAKE.keys() <= CONTRACT.keys()
