"""Delete a pipeline, with its repo or without; what others read stays."""

import pytest

from spout_operator.core.errors import Stalled
from spout_operator.core.model import Heads
from spout_operator.core.reasons import Reason
from tests.contract.pachyderm.harness import MANY, OWNER, Side


def test_a_deleted_pipeline_is_gone_with_its_repo(side: Side) -> None:
    name, _ = side.with_heads()

    side.port.delete(name, keep_repo=False)

    assert side.port.observe(name) is None
    assert side.port.heads(name) == Heads()
    side.port.create(name, side.spec, OWNER)
    side.assert_no_commits(name)


@pytest.mark.parametrize("keep_repo", [False, True])
def test_deleting_a_missing_pipeline_succeeds(side: Side, keep_repo: bool) -> None:
    name = side.new_name()

    side.port.delete(name, keep_repo=keep_repo)
    side.port.delete(name, keep_repo=keep_repo)

    assert side.port.observe(name) is None


def test_a_kept_repo_has_its_heads_and_all_commits(side: Side) -> None:
    name, heads = side.with_heads()
    commits = side.port.commits(name, heads.output, since=None, most=MANY)

    for _ in range(2):
        side.port.delete(name, keep_repo=True)

    assert side.port.observe(name) is None
    assert side.port.heads(name) == heads
    kept = side.port.commits(name, heads.output, since=None, most=MANY)
    assert [commit.id for commit in kept] == [commit.id for commit in commits]


def test_a_stopped_pipeline_can_be_deleted(side: Side) -> None:
    name = side.created()
    side.port.stop(name)

    side.port.delete(name, keep_repo=False)

    assert side.port.observe(name) is None


def test_a_pipeline_whose_repo_is_read_is_not_deleted(side: Side) -> None:
    name, heads = side.with_heads()
    reader = side.someones_reader(name)

    with pytest.raises(Stalled, match="other pipelines read its repo") as caught:
        side.port.delete(name, keep_repo=False)

    assert caught.value.reason is Reason.DELETION_BLOCKED
    assert reader in caught.value.said
    assert side.observed(name).spec == side.spec
    assert side.port.heads(name) == heads


def test_a_pipeline_whose_repo_is_read_is_deleted_where_the_repo_is_kept(side: Side) -> None:
    name, heads = side.with_heads()
    reader = side.someones_reader(name)

    side.port.delete(name, keep_repo=True)

    assert side.port.observe(name) is None
    assert side.port.heads(name) == heads
    assert side.port.observe(reader) is not None
