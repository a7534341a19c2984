"""`spout-operator run-local`."""

import pathlib
import signal
import sys

import click

from spout_operator.bridge.errors import PipeLost, StoreFailed
from spout_operator.config import CommandError

_EPILOG = (
    "Exit codes: 0 ended as asked; 2 wrong options; 3 invalid Spout; 4 the command cannot be started; 5 the command "
    "failed for ever, or exited before the last of --commits; 6 --timeout; 7 the folder or the pipe cannot be used; "
    "130 interrupted."
)


@click.command("run-local", context_settings={"show_default": True}, epilog=_EPILOG)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=pathlib.Path))
@click.option("--name", help="The Spout to run, if FILE holds several.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=pathlib.Path),
    help="The folder of the commits. Without it: ./spout-data/NAME.",
)
@click.option("--fresh", is_flag=True, help="Remove the commits and the marker of earlier runs first.")
@click.option("--commits", type=click.IntRange(min=1), metavar="N", help="End after N commits of data.")
@click.option(
    "--crash-after", type=click.IntRange(min=1), metavar="N", help="Kill the command once, after N commits of data."
)
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="End after this time.")
@click.option("--env", "env", multiple=True, metavar="NAME=VALUE", help="A variable for the command; can be repeated.")
@click.option(
    "--secret",
    "secrets",
    multiple=True,
    metavar="NAME=FOLDER",
    help="A Secret that the Spout names: a folder with one file for each key; can be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
def run_local(
    *,
    file: pathlib.Path,
    name: str | None,
    out: pathlib.Path | None,
    fresh: bool,
    commits: int | None,
    crash_after: int | None,
    timeout: float | None,
    env: tuple[str, ...],
    secrets: tuple[str, ...],
    as_json: bool,
) -> None:
    """Run a Spout on this machine: its command, and a folder of commits in the place of Pachyderm."""
    # Here and not above: --help and a wrong flag answer without it.
    from spout_operator.local import plan, runner  # noqa: PLC0415 - see above
    from spout_operator.local.report import Report  # noqa: PLC0415 - see above

    outcome = runner.Outcome
    # As Ctrl-C: the command of the Spout has to end, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        given = {key: pathlib.Path(value) for key, value in _pairs("--secret", secrets).items()}
        planned = plan.read(file, name=name, env=_pairs("--env", env), secrets=given)
        folder = out or pathlib.Path("spout-data", planned.name)
        report = Report(planned.name, as_json=as_json)
        if fresh:
            runner.remove_earlier(folder)
        limits = runner.Limits(commits=commits, crash_after=crash_after, timeout=timeout)
        run = runner.Runner(planned, folder, report, limits)
        report.say(
            "start", f"{planned.name}: running {planned.transform.cmd[0]}; the commits are in {folder}", out=str(folder)
        )
        for note in planned.notes:
            report.say("note", note)
        sys.exit(run.run())
    except plan.InvalidSpout as error:
        _fail(error, outcome.INVALID_SPOUT)
    except plan.CannotStart as error:
        _fail(error, outcome.CANNOT_START)
    except (StoreFailed, PipeLost, CommandError) as error:
        _fail(error, outcome.STORE_FAILED)


def _pairs(option: str, given: tuple[str, ...]) -> dict[str, str]:
    for pair in given:
        if not pair.partition("=")[0] or "=" not in pair:
            raise click.BadParameter(
                f"expected NAME=VALUE, and found no '=' behind a name in {pair.partition('=')[0]!r}", param_hint=option
            )
    return {name: value for name, _, value in (pair.partition("=") for pair in given)}


def _fail(error: Exception, code: int) -> None:
    click.echo(f"Error: {error}", err=True)
    sys.exit(int(code))
