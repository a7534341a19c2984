"""Code that makes a commit again after an error that goes away stays ready, on a real Pachyderm 2.12.2.

There is no pipe: the code makes its commits through the storage sidecar of its Pod. The history of Ready comes from the
watch, so no moment is missing.
"""

from collections import Counter
from pathlib import Path

from pachyderm_sdk import Client

from spout_testbed import Testbed
from spout_testbed.harness import bodies
from spout_testbed.harness.cluster import administrator
from spout_testbed.harness.spouts import Spouts, message
from tests.e2e.history import History
from tests.e2e.pachyderm_2.conftest import a_spec, numbers, raise_limit, up_to

RUNNING, FAILING = ("True", "Running"), ("False", "UserCodeFailing")
#: The container that the code makes its commits through.
SIDECAR = "storage"
LIMIT = 5


class Writer:
    """A Spout whose code commits through its sidecar, and what it has met there."""

    def __init__(self, name: str, folder: Path, *, retries: bool) -> None:
        self.name = name
        self._folder = folder / name
        self._folder.mkdir()
        self.source = self._folder / "position"
        self._retries = retries

    def spec(self) -> bodies.Body:
        """It commits nothing until the test raises the limit."""
        spec = a_spec(self.source, limit=0)
        errors = {"ERRORS": str(self._folder / "errors")} if self._retries else {}
        spec["transform"]["env"] |= {"DEADLINE": "2"} | errors
        return spec

    @property
    def errors(self) -> Counter[str]:
        """The errors that the code has met so far."""
        file = self._folder / "errors"
        return Counter(file.read_text().split()) if file.exists() else Counter()


def test_code_that_commits_again_never_leaves_ready_and_code_that_does_not_is_failing(
    spouts: Spouts, name: str, bed: Testbed, pachyderm: Client, tmp_path: Path
) -> None:
    is_cut_off = Writer(f"{name}-cut-off", tmp_path, retries=True)
    is_held_up = Writer(f"{name}-held-up", tmp_path, retries=True)
    dies = Writer(f"{name}-dies", tmp_path, retries=False)
    writers = (is_cut_off, is_held_up, dies)
    with administrator(bed) as kube:
        history = History(kube, spouts)
        for writer in writers:
            spouts.create(writer.name, writer.spec())
        for writer in writers:
            history.wait(writer.name, "to be ready", ready="True", reason="Running")

        with bed.workers.paused(is_held_up.name, SIDECAR), bed.workers.paused(dies.name, SIDECAR):
            bed.workers.kill(is_cut_off.name, SIDECAR)
            for writer in writers:
                raise_limit(writer.source, LIMIT)
            status = history.wait(dies.name, "to have died of an error", ready="False", reason="UserCodeFailing")
            assert "the last time with exit code 1" in message(status)
        for writer in writers:
            history.wait(writer.name, "all commits", ready="True", reason="Running", total=LIMIT)

    for writer in writers:
        assert numbers(pachyderm, writer.name) == up_to(LIMIT)
    assert is_cut_off.errors["UNAVAILABLE"], f"it has met {is_cut_off.errors}"
    assert is_held_up.errors["DEADLINE_EXCEEDED"], f"it has met {is_held_up.errors}"
    assert history.since_ready(is_cut_off.name) == history.since_ready(is_held_up.name) == [RUNNING]
    assert history.since_ready(dies.name)[:2] == [RUNNING, FAILING]
