"""Which pipelines have committed since the last poll, asked for all of them at once where the server can tell."""

import pytest

from spout_operator.core.model import PipelineName
from spout_operator.pachyderm.v2.changes import MOST
from spout_testbed.waiting import eventually
from tests.contract.pachyderm.harness import MANY
from tests.contract.pachyderm.sides_1 import SideOne
from tests.contract.pachyderm.sides_2 import SideTwo
from tests.memory_pachd.two import MemoryPachd2


def told(two: SideTwo) -> set[str]:
    return {str(name) for name in two.port.recently_committed()}


def at_rest(two: SideTwo, name: str) -> None:
    """Wait until a pipeline is not told of any more."""

    def rests() -> bool:
        two.port.commits(name, two.port.heads(name).output, since=None, most=MANY)
        return name not in told(two)

    eventually(rests, what=f"an answer without {name}")


def test_pachyderm_1_cannot_tell_of_all_pipelines_at_once(one: SideOne) -> None:
    one.created()

    assert one.port.recently_committed() is None


def test_at_first_all_pipelines_are_told_of(two: SideTwo) -> None:
    names = {two.created(), two.created()}

    assert names <= told(two)


def test_pipelines_at_rest_are_not_told_of_again(two: SideTwo) -> None:
    name = two.created()
    assert name in told(two)
    at_rest(two, name)
    before = two.port.heads(name)

    two.port.stop(name)
    two.port.start(name)

    eventually(lambda: two.port.heads(name) != before, what="the automatic commit of the start")
    assert name in told(two)


def test_a_commit_of_the_spout_is_told_of(two: SideTwo) -> None:
    name = two.committing()
    at_rest(two, name)

    two.commit(name)

    assert name in told(two)


def test_an_open_commit_is_told_of_until_it_is_finished(two: SideTwo) -> None:
    name = two.committing()
    at_rest(two, name)
    opened = two.commit(name, finished=False)
    two.created()

    for _ in range(3):
        assert name in told(two)
    two.finish(name, opened)

    assert name in told(two)
    at_rest(two, name)


@pytest.mark.parametrize("lost", [0, MOST + 1], ids=["at-first", "after-too-many-commits"])
def test_memory_a_poll_is_one_list_of_pipelines_and_one_of_commit_sets(
    memory_two: SideTwo, pachd_two: MemoryPachd2, lost: int
) -> None:
    """The list that the poll has just made tells which pipelines there are when the adapter lost count."""
    names = {memory_two.created(), memory_two.created()}
    if lost:
        memory_two.port.recently_committed()
        for _ in range(lost):
            memory_two.commit(min(names))
    pachd_two.calls.reset()

    memory_two.port.list()
    assert told(memory_two) == names

    assert pachd_two.calls == {"ListPipeline": 1, "ListCommitSet": 1}


def test_memory_a_list_is_used_for_one_poll(memory_two: SideTwo, pachd_two: MemoryPachd2) -> None:
    """A later poll needs a later list: pipelines that came in between would be left out."""
    memory_two.port.list()
    memory_two.port.recently_committed()
    name, busy = memory_two.created(), memory_two.created()
    memory_two.port.recently_committed()
    for _ in range(MOST + 1):
        memory_two.commit(busy)
    pachd_two.calls.reset()

    assert told(memory_two) == {name, busy}

    assert pachd_two.calls == {"ListPipeline": 1, "ListCommitSet": 1}


def test_memory_a_pipeline_that_was_made_after_the_list_is_told_of(memory_two: SideTwo) -> None:
    memory_two.port.list()
    name = memory_two.created()

    assert memory_two.port.recently_committed() == {PipelineName(name=name)}


def test_memory_a_commit_that_pachd_is_finishing_is_not_finished_again(
    memory_two: SideTwo, pachd_two: MemoryPachd2
) -> None:
    name = memory_two.created()
    pachd_two.begin_to_finish(("default", name))

    (commit,) = memory_two.port.commits(name, memory_two.port.heads(name).output, since=None, most=1)
    memory_two.port.start(name)

    assert (commit.finished_at, commit.is_finishing, commit.is_left_open) == (None, True, False)
    assert pachd_two.calls["FinishCommit"] == 0
