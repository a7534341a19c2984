"""The heads show cheaply that something happened; the commits show what."""

import datetime

import pytest

from spout_operator.core.errors import Missing
from spout_operator.core.model import Commit, Heads
from spout_testbed.waiting import eventually
from tests.contract.pachyderm.harness import MANY, NO_COMMIT, Side


def ids(side: Side, name: str, head: str | None, since: str | None = None) -> list[str]:
    return [commit.id for commit in side.port.commits(name, head, since=since, most=MANY)] if head else []


def finished_at(side: Side, name: str, commit: str) -> datetime.datetime | None:
    found: datetime.datetime | None = side.port.commits(name, commit, since=None, most=1)[0].finished_at
    return found


def finished_size(side: Side, name: str, commit: str) -> int:
    eventually(lambda: finished_at(side, name, commit), what=f"the commit {commit} to be finished", seconds=120)
    size: int = side.port.commits(name, commit, since=None, most=1)[0].size
    return size


def begun(side: Side) -> tuple[str, list[str]]:
    """A pipeline whose spout commits when it is told to, and the commits that are there, newest first."""
    name = side.committing()
    return name, ids(side, name, side.port.heads(name).output)


def test_a_missing_repo_has_no_heads(side: Side) -> None:
    assert side.port.heads(side.new_name()) == Heads()


def test_the_output_head_follows_its_branch(side: Side) -> None:
    name = side.committing()

    for _ in range(2):
        output = side.commit(name)
        assert side.port.heads(name) == Heads(output=output, marker=None)


def test_a_branch_of_another_name_is_not_a_head(side: Side) -> None:
    name = side.committing()
    before = side.port.heads(name)

    side.commit(name, branch="side")

    assert side.port.heads(name) == before


def test_an_open_commit_is_a_head_already(side: Side) -> None:
    name = side.committing()

    opened = side.commit(name, finished=False)

    assert side.port.heads(name).output == opened
    side.finish(name, opened)


def test_commits_come_newest_first_with_parent_size_and_finish_time(side: Side) -> None:
    name, before = begun(side)
    base = next(iter(before), None)
    size = finished_size(side, name, base) if base else 0
    first, second, third = (side.commit(name, size=more) for more in (5, 7, 1))

    def listed() -> list[Commit]:
        found: list[Commit] = side.port.commits(name, third, since=base, most=MANY)
        return found

    # pachd 2.12.2 finishes a commit, and knows its size, some time after it was asked to.
    eventually(lambda: all(commit.finished_at for commit in listed()), what="the commits to be finished", seconds=120)
    found = listed()
    # A commit holds what its parent holds, unless the spout overwrites.
    assert [(commit.id, commit.parent, commit.size - size) for commit in found] == [
        (third, second, 13),
        (second, first, 12),
        (first, base, 5),
    ]
    ends = [commit.finished_at for commit in found]
    assert all(end is not None and end.tzinfo is not None for end in ends)
    assert not any(commit.is_automatic for commit in found)


def test_the_first_commit_of_all_has_no_parent(side: Side) -> None:
    name, _ = begun(side)

    oldest = side.port.commits(name, side.commit(name), since=None, most=MANY)[-1]

    assert (oldest.parent, oldest.is_automatic) == (None, side.makes_commits)


def test_commits_since_a_known_commit_exclude_it(side: Side) -> None:
    name, _ = begun(side)
    first, second, third = (side.commit(name) for _ in range(3))

    assert ids(side, name, third, since=first) == [third, second]
    assert ids(side, name, third, since=second) == [third]
    assert ids(side, name, third, since=third) == []


def test_a_page_has_at_most_the_requested_commits_and_the_next_begins_at_the_parent_of_its_last(side: Side) -> None:
    name, _ = begun(side)
    first, second, third, fourth, fifth = (side.commit(name) for _ in range(5))

    newer = side.port.commits(name, fifth, since=first, most=3)
    older = side.port.commits(name, newer[-1].parent or "", since=first, most=3)

    assert [commit.id for commit in newer] == [fifth, fourth, third]
    assert [commit.id for commit in older] == [second]


def test_commits_start_at_the_requested_head_and_not_at_a_newer_one(side: Side) -> None:
    name, _ = begun(side)
    first, second, _third = (side.commit(name) for _ in range(3))

    assert ids(side, name, second, since=first) == [second]


def test_an_open_commit_comes_first_and_has_no_finish_time(side: Side) -> None:
    name, _ = begun(side)
    finished = side.commit(name)
    opened = side.commit(name, finished=False)

    eventually(lambda: finished_at(side, name, finished), what="the first commit to be finished", seconds=120)

    newest, oldest = side.port.commits(name, opened, since=None, most=2)

    assert (newest.id, newest.parent, newest.finished_at) == (opened, finished, None)
    assert not newest.is_left_open, "the spout's own is the spout's to finish"
    assert oldest.finished_at is not None
    side.finish(name, opened)
    eventually(lambda: finished_at(side, name, opened), what="the second commit to be finished", seconds=120)


@pytest.mark.parametrize(
    "since",
    [
        pytest.param(NO_COMMIT, id="looks-like-a-commit"),
        pytest.param("no-commit", id="looks-like-a-branch"),
        pytest.param("0" * 32, id="32-digits-of-another-kind"),
    ],
)
def test_an_unknown_since_commit_returns_all_commits(side: Side, since: str) -> None:
    name, before = begun(side)
    first, second = side.commit(name), side.commit(name)

    assert ids(side, name, second, since=since) == [second, first, *before]


def test_a_since_commit_that_is_not_an_ancestor_returns_all_commits(side: Side) -> None:
    name, before = begun(side)
    first, second = side.commit(name), side.commit(name)
    stranger = side.commit(name, branch="side")

    assert ids(side, name, second, since=stranger) == [second, first, *before]
    assert ids(side, name, first, since=second) == [first, *before]


def test_a_since_commit_of_another_repo_returns_all_commits(side: Side) -> None:
    name, before = begun(side)
    _, others = side.with_heads()
    first, second = side.commit(name), side.commit(name)

    assert ids(side, name, second, since=others.output) == [second, first, *before]


def test_a_head_that_is_gone_is_missing(side: Side) -> None:
    name = side.created()

    with pytest.raises(Missing, match="could not list the commits"):
        side.port.commits(name, NO_COMMIT, since=None, most=MANY)
