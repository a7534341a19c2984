"""The rule of a spout's code: retry a write that fails because of the one before it. Whoever does so stays ready.

On a real Pachyderm 1.13.4. The history of Ready comes from the watch, so no moment is missing.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client

from spout_operator.pachyderm.v1.sdk import Client
from spout_testbed import Testbed
from spout_testbed.harness import bodies
from spout_testbed.harness.cluster import administrator
from spout_testbed.harness.spouts import Spouts, message
from tests.e2e.history import History

CODE = Path(__file__).with_name("restless_code.py")
#: More archives of 2 KiB than a pipe of 64 KiB has room for.
MANY = 60
RUNNING, FAILING = ("True", "Running"), ("False", "UserCodeFailing")
#: The container that the worker makes its commits through.
SIDECAR = "storage"
#: The number of the type in Pachyderm's API.
FILE = 1


class Writer:
    """A Spout whose code does not wait for its worker, and what the code and the test tell each other."""

    def __init__(self, name: str, folder: Path, *options: str) -> None:
        self.name = name
        self._folder = folder / name
        self._folder.mkdir()
        self._options = options
        self.allow(0)

    def spec(self) -> bodies.Body:
        files = {name: str(self._folder / name) for name in ("LIMIT", "POSITION", "ERRORS")}
        return bodies.a_spec(
            {
                "transform.image": "python:3.13",
                "transform.cmd": [sys.executable, str(CODE)],
                "transform.env": files | dict.fromkeys(self._options, "yes"),
            }
        )

    def allow(self, limit: int) -> None:
        """Let the code write up to this number."""
        (self._folder / "LIMIT").write_text(str(limit))

    @property
    def errors(self) -> Counter[str]:
        """The errors that the code has met so far."""
        file = self._folder / "ERRORS"
        return Counter(file.read_text().split()) if file.exists() else Counter()


@pytest.fixture
def kube(bed: Testbed) -> Iterator[client.ApiClient]:
    with administrator(bed) as api_client:
        yield api_client


def committed(pachyderm: Client, name: str) -> set[str]:
    """What is committed: the content of each file."""
    files = [info.file.path for info in pachyderm.walk_file((name, "master"), "/") if info.file_type == FILE]
    return {b"".join(pachyderm.get_file((name, "master"), path)).decode() for path in files}


def test_code_that_retries_a_write_never_leaves_ready_and_code_that_does_not_is_failing(  # noqa: PLR0917 - fixtures
    spouts: Spouts, name: str, bed: Testbed, pachyderm: Client, kube: client.ApiClient, tmp_path: Path
) -> None:
    blocks = Writer(f"{name}-blocks", tmp_path, "RETRIES", "BLOCKS")
    retries = Writer(f"{name}-retries", tmp_path, "RETRIES")
    # Their worker can make no commit for a while, so the pipe stays full.
    loses_sidecar = Writer(f"{name}-loses-sidecar", tmp_path, "RETRIES")
    is_held_up = Writer(f"{name}-held-up", tmp_path, "RETRIES")
    dies = Writer(f"{name}-dies", tmp_path)
    writers = (blocks, retries, loses_sidecar, is_held_up, dies)
    history = History(kube, spouts)
    for writer in writers:
        spouts.create(writer.name, writer.spec())
    for writer in writers:
        history.wait(writer.name, "to be ready", ready="True", reason="Running")

    with bed.workers.paused(is_held_up.name, SIDECAR), bed.workers.paused(dies.name, SIDECAR):
        # Before it commits: a commit that is cut off would stay open, and keep the worker from the next one.
        bed.workers.kill(loses_sidecar.name, SIDECAR)
        for writer in writers:
            writer.allow(MANY)
        status = history.wait(dies.name, "to have died of an error", ready="False", reason="UserCodeFailing")
        assert "the last time with exit code 1" in message(status)
    for writer in writers:
        history.wait(writer.name, "all archives", ready="True", reason="Running", total=MANY)

    for writer in writers:
        assert committed(pachyderm, writer.name) == {str(number) for number in range(1, MANY + 1)}
        commits = list(pachyderm.list_commit(writer.name, (writer.name, "master")))
        assert len(commits) == MANY, "each archive once"
    assert not blocks.errors, "the worker keeps its end of the pipe open"
    log = bed.workers.log(loses_sidecar.name, "user").read_text(errors="replace")
    assert "error in withSpoutCommit: rpc error: code = Unavailable" in log, "the worker retries too"
    for writer in (retries, loses_sidecar, is_held_up, dies):
        assert set(writer.errors) == {"EAGAIN"}, f"{writer.name} has met {writer.errors}"
    for writer in (blocks, retries, loses_sidecar, is_held_up):
        assert history.since_ready(writer.name) == [RUNNING], writer.name
    assert history.since_ready(dies.name)[:2] == [RUNNING, FAILING]
