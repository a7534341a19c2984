"""Which repos have new commits: no commit set is left out, and an open one is not forgotten."""

import datetime

import pytest

from spout_operator.core.model import Commit, PipelineName
from spout_operator.pachyderm.v2.changes import MOST, Changes, CommitSet

A, B = PipelineName(name="a"), PipelineName(name="b")


def a_set(number: int, *names: PipelineName, finished: bool = True) -> CommitSet:
    return f"{number:032x}", [(name, finished) for name in names]


def a_commit(number: int, *, finished: bool) -> Commit:
    moment = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC) if finished else None
    return Commit(id=f"{number:032x}", parent=None, finished_at=moment, size=0)


def told(*names: PipelineName) -> tuple[frozenset[PipelineName], bool]:
    """That these, and no others, may have changed."""
    return frozenset(names), True


@pytest.fixture
def changes() -> Changes:
    found = Changes()
    assert found.read(iter([a_set(1, A)])) == (frozenset({A}), False), "at first nothing is known"
    return found


def test_without_a_new_commit_set_nothing_changed_and_one_is_read(changes: Changes) -> None:
    sets = iter([a_set(1, A), a_set(0, B)])

    assert changes.read(sets) == told()
    assert next(sets) == a_set(0, B)


def test_a_new_commit_set_tells_its_repos(changes: Changes) -> None:
    assert changes.read(iter([a_set(3, B), a_set(2, A, B), a_set(1, A)])) == told(A, B)
    assert changes.read(iter([a_set(3, B), a_set(2, A, B), a_set(1, A)])) == told()


def test_a_set_that_gets_a_commit_later_hides_no_new_set_behind_it(changes: Changes) -> None:
    """A trigger fires: the old set comes first, before one that is new."""
    assert changes.read(iter([a_set(1, A, B), a_set(2, B)])) == told(A, B)


def test_an_open_commit_is_told_of_until_it_was_seen_finished(changes: Changes) -> None:
    opened = [a_set(2, A, finished=False), a_set(1, A)]

    assert changes.read(iter(opened)) == told(A)
    assert changes.read(iter(opened)) == told(A)
    assert changes.read(iter([a_set(2, A), a_set(1, A)])) == told(A)
    assert changes.read(iter([a_set(2, A), a_set(1, A)])) == told()


def test_an_open_commit_below_newer_ones_is_told_of_until_its_repo_was_read(changes: Changes) -> None:
    changes.read(iter([a_set(3, B), a_set(2, A, finished=False), a_set(1, A)]))
    now = [a_set(3, B), a_set(2, A), a_set(1, A)]

    assert changes.read(iter(now)) == told(A)
    changes.saw(A, [a_commit(2, finished=True)])
    assert changes.read(iter(now)) == told()


def test_an_open_commit_that_was_read_before_the_first_list_is_told_of(changes: Changes) -> None:
    changes.saw(B, [a_commit(0, finished=False)])

    assert changes.read(iter([a_set(1, A)])) == told(B)


def test_an_open_commit_that_was_deleted_is_forgotten(changes: Changes) -> None:
    changes.read(iter([a_set(2, A, finished=False), a_set(1, A)]))

    changes.saw(A, [a_commit(1, finished=True)])

    assert changes.read(iter([a_set(1, A)])) == told()


def test_too_many_new_sets_mean_that_everything_may_have_changed(changes: Changes) -> None:
    sets = [a_set(number, A) for number in range(MOST + 10, 0, -1)]

    assert changes.read(iter(sets)) == (frozenset({A}), False)
    assert changes.read(iter(sets)) == told()


def test_a_deleted_set_is_not_looked_for_down_to_the_end(changes: Changes) -> None:
    changes.read(iter([a_set(3, B), a_set(2, A), a_set(1, A)]))
    rest = iter([a_set(2, A), a_set(1, A)])

    assert changes.read(rest) == told()
    assert next(rest) == a_set(1, A)
