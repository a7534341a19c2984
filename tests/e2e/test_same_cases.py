"""The user programs of same_cases.py on a real pachd 1.13.4: what is committed, file by file."""

import uuid
from pathlib import Path

import pytest

from spout_operator.pachyderm.v1.sdk import Client
from spout_testbed import Testbed
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually
from tests.e2e.same_cases import CASES, Case, Files, Result, changes, shown

SECONDS = 60


def tree(pachyderm: Client, name: str, commit: str) -> Files:
    """All files of a commit, or of the head of a branch."""
    return {
        info.file.path.lstrip("/"): shown(b"".join(pachyderm.get_file((name, commit), info.file.path)))
        for info in pachyderm.walk_file((name, commit), "/")
        if info.file_type == 1  # a file
    }


def commits(pachyderm: Client, name: str) -> list[str]:
    """The finished commits of the output branch, oldest first."""
    found = [info for info in pachyderm.list_commit(name, (name, "master")) if info.finished.seconds]
    return [info.commit.id for info in reversed(found)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_committed(bed: Testbed, spouts: Spouts, pachyderm: Client, tmp_path: Path, case: Case) -> None:
    name = f"same-cases-{uuid.uuid4().hex[:8]}"
    spouts.create(name, case.spec(tmp_path))
    # Not to be ready: most of the programs end, or fail, and their Spouts say so.
    spouts.wait(name, "to run", state="Running")
    log = bed.workers.wait_running(name).log

    def ended() -> bool:
        if case.says:
            return case.says in log.read_text(errors="replace")
        found = commits(pachyderm, name)
        return bool(found) and "end" in tree(pachyderm, name, found[-1])

    eventually(
        ended,
        what=f"the worker to say {case.says!r}" if case.says else "the archive that the program writes last",
        seconds=SECONDS,
        details=lambda: (
            f"{[tree(pachyderm, name, commit) for commit in commits(pachyderm, name)]}\n--- log of the worker\n"
            + log.read_text(errors="replace")[:6000]
        ),
    )

    head = pachyderm.inspect_branch(name, "marker").head.id if case.options.get("marker") else ""
    made = commits(pachyderm, name)
    found = Result(
        commits=changes(tree(pachyderm, name, commit) for commit in made),
        marker=tree(pachyderm, name, head) if head else {},
    )
    assert found == (case.on_pachyderm_1 or case.result)
    assert len(made) == len(found.commits) + case.markers, "an archive with a marker alone makes an empty commit"
