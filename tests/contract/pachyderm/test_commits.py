"""The heads show cheaply that something happened; the commits show what."""

import pytest

from spout_operator.core.errors import Missing
from spout_operator.core.model import Heads
from tests.contract.pachyderm.harness import NO_COMMIT, Side

MOST = 100


def ids(side: Side, name: str, head: str, since: str | None) -> list[str]:
    return [commit.id for commit in side.port.commits(name, head, since=since, most=MOST)]


def test_a_missing_repo_has_no_heads(side: Side) -> None:
    assert side.port.heads(side.new_name()) == Heads()


def test_each_head_follows_its_own_branch(side: Side) -> None:
    name = side.created()
    assert side.port.heads(name) == Heads(output=None, marker=None)

    output = side.spout.commit(name)
    assert side.port.heads(name) == Heads(output=output, marker=None)

    marker = side.spout.marker(name, {"offset": b"1"})
    assert side.port.heads(name) == Heads(output=output, marker=marker)

    output = side.spout.commit(name)
    assert side.port.heads(name) == Heads(output=output, marker=marker)


def test_a_branch_of_another_name_is_not_a_head(side: Side) -> None:
    name = side.created()

    side.spout.commit(name, branch="side")

    assert side.port.heads(name) == Heads()


def test_an_open_commit_is_a_head_already(side: Side) -> None:
    name = side.created()

    opened = side.spout.commit(name, finished=False)

    assert side.port.heads(name).output == opened


def test_commits_come_newest_first_with_parent_size_and_finish_time(side: Side) -> None:
    name = side.created()
    first, second, third = (side.spout.commit(name, size=size) for size in (5, 7, 1))

    found = side.port.commits(name, third, since=None, most=MOST)

    # A commit holds what its parent holds, unless the spout overwrites.
    assert [(commit.id, commit.parent, commit.size) for commit in found] == [
        (third, second, 13),
        (second, first, 12),
        (first, None, 5),
    ]
    ends = [commit.finished_at for commit in found]
    assert all(end is not None and end.tzinfo is not None for end in ends)


def test_commits_since_a_known_commit_exclude_it(side: Side) -> None:
    name = side.created()
    first, second, third = (side.spout.commit(name) for _ in range(3))

    assert ids(side, name, third, since=first) == [third, second]
    assert ids(side, name, third, since=second) == [third]
    assert ids(side, name, third, since=third) == []


def test_a_page_has_at_most_the_requested_commits_and_the_next_begins_at_the_parent_of_its_last(side: Side) -> None:
    name = side.created()
    first, second, third, fourth, fifth = (side.spout.commit(name) for _ in range(5))

    newer = side.port.commits(name, fifth, since=first, most=3)
    older = side.port.commits(name, newer[-1].parent or "", since=first, most=3)

    assert [commit.id for commit in newer] == [fifth, fourth, third]
    assert [commit.id for commit in older] == [second]


def test_commits_start_at_the_requested_head_and_not_at_a_newer_one(side: Side) -> None:
    name = side.created()
    first, second, _third = (side.spout.commit(name) for _ in range(3))

    assert ids(side, name, second, since=first) == [second]


def test_an_open_commit_comes_first_and_has_no_finish_time(side: Side) -> None:
    name = side.created()
    finished = side.spout.commit(name)
    opened = side.spout.commit(name, finished=False)

    newest, oldest = side.port.commits(name, opened, since=None, most=MOST)

    assert (newest.id, newest.parent, newest.finished_at) == (opened, finished, None)
    assert oldest.finished_at is not None


@pytest.mark.parametrize(
    "since",
    [
        pytest.param(NO_COMMIT, id="looks-like-a-commit"),
        pytest.param("no-commit", id="looks-like-a-branch"),
        pytest.param("0" * 32, id="32-digits-of-another-kind"),
    ],
)
def test_an_unknown_since_commit_returns_all_commits(side: Side, since: str) -> None:
    name = side.created()
    first, second = side.spout.commit(name), side.spout.commit(name)

    assert ids(side, name, second, since=since) == [second, first]


def test_a_since_commit_that_is_not_an_ancestor_returns_all_commits(side: Side) -> None:
    name = side.created()
    first, second = side.spout.commit(name), side.spout.commit(name)
    stranger = side.spout.commit(name, branch="side")

    assert ids(side, name, second, since=stranger) == [second, first]
    assert ids(side, name, first, since=second) == [first]


def test_a_since_commit_of_another_repo_returns_all_commits(side: Side) -> None:
    name, other = side.created(), side.created()
    first, second = side.spout.commit(name), side.spout.commit(name)

    assert ids(side, name, second, since=side.spout.commit(other)) == [second, first]


def test_a_head_that_is_gone_is_missing(side: Side) -> None:
    name = side.created()
    side.spout.commit(name)

    with pytest.raises(Missing, match="could not list the commits"):
        side.port.commits(name, NO_COMMIT, since=None, most=MOST)
