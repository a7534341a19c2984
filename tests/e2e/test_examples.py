"""The examples that run-local runs, unchanged on a real pachd 1.13.4."""

from pathlib import Path

import yaml

from spout_operator.pachyderm.v1.sdk import Client
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_clock_commits_and_moves_its_marker(spouts: Spouts, pachyderm: Client) -> None:
    spout = yaml.safe_load((EXAMPLES / "clock" / "spout.yaml").read_text(encoding="utf-8"))

    spouts.create("clock", spout["spec"])

    spouts.wait("clock", "to run", ready="True", state="Running")
    eventually(
        lambda: int((spouts.get("clock") or {}).get("status", {}).get("marker", {}).get("value", "0")) >= 3,
        what="the third tick",
        seconds=30,
        details=lambda: spouts.details("clock"),
    )
    files = {info.file.path for info in pachyderm.walk_file(("clock", "master"), "/")}
    assert {"/tick-1", "/tick-2", "/tick-3"} <= files


def test_each_file_of_a_folder_is_committed(spouts: Spouts, pachyderm: Client, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.txt").write_text("content")
    spout = yaml.safe_load((EXAMPLES / "files" / "spout.yaml").read_text(encoding="utf-8"))
    # The test bed runs no images, so the program is that of the repository.
    spout["spec"]["transform"] |= {"workingDir": str(EXAMPLES / "files"), "env": {"FOLDER": str(source)}}

    spouts.create("files", spout["spec"])

    spouts.wait("files", "the first file", ready="True", marker="a.txt\n")
    (source / "b.txt").write_text("more")
    spouts.wait("files", "the second file", ready="True", marker="a.txt\nb.txt\n")
    assert b"".join(pachyderm.get_file(("files", "master"), "/files/b.txt")) == b"more"
