"""Ready means that the user code runs, on a real Pachyderm 2.12.2 and its workers."""

from pathlib import Path

import pytest

from spout_testbed.harness.spouts import Spouts
from tests.e2e.failing_code import CASES, ENDS, Case, Installation, check_case, with_command
from tests.e2e.pachyderm_2.conftest import a_spec


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_code_that_does_not_run_is_not_ready(case: Case, spouts: Spouts, name: str, source: Path) -> None:
    check_case(case, spouts, name, a_spec(source))


def test_by_default_no_line_of_the_code_is_told(installation: Installation, source: Path) -> None:
    installation.check_no_line(a_spec(source))


@pytest.mark.parametrize(("end", "reason"), ENDS)
def test_the_last_lines_of_the_code_are_told_where_the_installation_asks_for_them(
    installation: Installation, source: Path, end: str, reason: str
) -> None:
    installation.check_last_lines(a_spec(source), end, reason)


def test_an_edit_mends_the_command_and_the_spout_goes_on(spouts: Spouts, name: str, source: Path) -> None:
    spouts.create(name, a_spec(source))
    spouts.wait(name, "to have committed all", ready="True", total=5)

    spouts.edit(name, with_command(a_spec(source), "/no/such/program"))
    spouts.wait(name, "its code to fail", ready="False", reason="UserCodeFailing", version=2)

    spouts.edit(name, a_spec(source, limit=9))
    spouts.wait(name, "to go on", ready="True", reason="Running", version=3, total=9)
