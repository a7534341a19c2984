"""Somebody moves the output branch of a spout by hand: the status counts what is on the branch, and nothing twice."""

from pathlib import Path
from typing import Any

from pachyderm_sdk import Client

from spout_testbed import Testbed
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually
from tests.e2e.pachyderm_2.conftest import a_spec, own_commits, raise_limit


def test_the_count_is_that_of_the_branch_wherever_somebody_moves_it(
    spouts: Spouts, name: str, pachyderm: Client, source: Path, bed: Testbed
) -> None:
    spouts.create(name, a_spec(source, limit=6))
    spouts.wait(name, "six commits", ready="True", total=6)
    six = own_commits(pachyderm, name)

    def commits_once_more(limit: int, expected: int) -> None:
        """The status tells of a move with the spout's next commit."""
        raise_limit(source, limit)

        def counted() -> dict[str, Any] | None:
            status = spouts.status_as(name, ready="True", synced="True", reason="Running", version=1)
            return status if status is not None and status["commits"]["total"] == expected else None

        status = eventually(counted, what=f"{expected} commits", details=lambda: spouts.details(name))
        own = own_commits(pachyderm, name)
        assert len(own) == expected
        assert status["commits"]["last"]["id"] == own[0]

    bed.pachctl("create", "branch", f"{name}@master", "--head", six[3])
    commits_once_more(7, 3 + 1)
    bed.pachctl("create", "branch", f"{name}@master", "--head", six[0])
    commits_once_more(8, 6 + 1)
    bed.pachctl("delete", "branch", f"{name}@master", "--force")
    commits_once_more(9, 1)
