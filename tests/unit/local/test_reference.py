"""docs/reference/run-local.md has the options and the exit codes of the code, and no others."""

import re
from pathlib import Path

import click
import pytest

from spout_operator.commands.run_local import run_local
from spout_operator.local.runner import Outcome

PAGE = (Path(__file__).parents[3] / "docs/reference/run-local.md").read_text(encoding="utf-8")
#: click ends with it where the options are wrong.
WRONG_OPTIONS = click.UsageError.exit_code


def first_column(heading: str) -> list[str]:
    """The first cells of the table below a heading, without code marks."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1].strip().strip("`") for line in section.splitlines() if line.startswith("|")]
    return rows[2:]


def test_the_options_are_those_of_the_command() -> None:
    context = click.Context(run_local)
    options = [parameter for parameter in run_local.get_params(context) if isinstance(parameter, click.Option)]
    records = [option.get_help_record(context) for option in options]
    assert first_column("Options") == [record[0] for record in records if record is not None]


def test_the_exit_codes_are_those_of_the_command() -> None:
    assert [int(code) for code in first_column("Exit codes")] == sorted([*Outcome, WRONG_OPTIONS])


@pytest.mark.parametrize("code", sorted([*Outcome, WRONG_OPTIONS]))
def test_the_help_names_each_exit_code(code: int) -> None:
    assert re.search(rf"(?<!\d){code} ", run_local.epilog or "")
