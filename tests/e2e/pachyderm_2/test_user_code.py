"""Ready means that the user code runs, on a real Pachyderm 2.12.2 and its workers."""

from pathlib import Path

import pytest

from spout_testbed.harness.spouts import Spouts
from tests.e2e.failing_code import CASES, Case, check_case, with_command
from tests.e2e.pachyderm_2.conftest import a_spec


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_code_that_does_not_run_is_not_ready(case: Case, spouts: Spouts, name: str, source: Path) -> None:
    check_case(case, spouts, name, a_spec(source))


def test_an_edit_mends_the_command_and_the_spout_goes_on(spouts: Spouts, name: str, source: Path) -> None:
    spouts.create(name, a_spec(source))
    spouts.wait(name, "to have committed all", ready="True", total=5)

    spouts.edit(name, with_command(a_spec(source), "/no/such/program"))
    spouts.wait(name, "its code to fail", ready="False", reason="UserCodeFailing", version=2)

    spouts.edit(name, a_spec(source, limit=9))
    spouts.wait(name, "to go on", ready="True", reason="Running", version=3, total=9)
