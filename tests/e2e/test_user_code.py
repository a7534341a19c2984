"""Ready means that the user code runs, on a real Pachyderm 1.13.4 and its workers."""

import sys
from pathlib import Path

import pytest

from spout_testbed.harness.spouts import Spouts
from tests.e2e.conftest import a_spec
from tests.e2e.failing_code import CASES, ENDS, Case, Installation, check_case, ready, with_command

#: As Pachyderm's own example of a marker does it, once a second: data and marker in one archive.
DATA_AND_MARKER = """
import io, tarfile, time
while True:
    try:
        with open("/pfs/out", "wb") as out, tarfile.open(fileobj=out, mode="w|") as tar:
            for name in ("data", "offset"):
                entry = tarfile.TarInfo(name)
                entry.size = 1
                tar.addfile(entry, io.BytesIO(b"1"))
    except BrokenPipeError:
        pass
    time.sleep(1)
"""
#: Ends with exit code 3 for 15 seconds, and then does what a_spec's code does.
MENDS_ITSELF = """
import pathlib, runpy, sys, time
first = pathlib.Path(sys.argv[1])
if not first.exists():
    first.write_text(str(time.time()))
if time.time() - float(first.read_text()) < 15:
    sys.exit(3)
runpy.run_path(sys.argv[2], run_name="__main__")
"""


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_code_that_does_not_run_is_not_ready(case: Case, spouts: Spouts, name: str) -> None:
    check_case(case, spouts, name, a_spec())


def test_by_default_no_line_of_the_code_is_told(installation: Installation) -> None:
    installation.check_no_line(a_spec())


@pytest.mark.parametrize(("end", "reason"), ENDS)
def test_the_last_lines_of_the_code_are_told_where_the_installation_asks_for_them(
    installation: Installation, end: str, reason: str
) -> None:
    installation.check_last_lines(a_spec(), end, reason)


def test_output_that_the_server_refuses_is_told_in_its_words(spouts: Spouts, name: str, tmp_path: Path) -> None:
    program = tmp_path / "data_and_marker.py"
    program.write_text(DATA_AND_MARKER)

    spouts.create(name, with_command(a_spec(), sys.executable, str(program)))

    status = spouts.wait(name, "its output to be refused", ready="False", reason="OutputRefused")
    assert "must have the same commit ID" in ready(status)["message"]
    assert "write the marker in an archive of its own" in ready(status)["message"], "what to change"


def test_code_that_has_mended_itself_is_ready_with_its_first_commit(spouts: Spouts, name: str, tmp_path: Path) -> None:
    program = tmp_path / "mends_itself.py"
    program.write_text(MENDS_ITSELF)
    code = a_spec()["transform"]["cmd"][1]

    spouts.create(name, with_command(a_spec(), sys.executable, str(program), str(tmp_path / "first"), code))

    spouts.wait(name, "its code to fail", ready="False", reason="UserCodeFailing")
    spouts.wait(name, "its first commits", ready="True", reason="Running", total=5)


def test_an_edit_mends_the_command_and_the_spout_goes_on_from_its_marker(spouts: Spouts, name: str) -> None:
    spouts.create(name, a_spec())
    spouts.wait(name, "to have committed all", ready="True", marker="5")

    spouts.edit(name, with_command(a_spec(), "/no/such/program"))
    spouts.wait(name, "its code to fail", ready="False", reason="UserCodeFailing", version=2)

    spouts.edit(name, a_spec(transform={"env": {"LIMIT": "9"}}))
    spouts.wait(name, "to go on", ready="True", reason="Running", version=3, marker="9", total=9)
