"""`spout-operator import` in a process of its own."""

import subprocess
import sys


def run_import(*arguments: str, standard_input: str = "", leaves_out: bool = False) -> str:
    """What the command writes to its standard output; a failure is an error with what it says.

    Args:
        arguments: of the command.
        standard_input: the text of it.
        leaves_out: whether there are pipelines that are no spouts.
    """
    command = [sys.executable, "-m", "spout_operator", "import", *arguments]
    done = subprocess.run(  # noqa: S603 - our own program
        command, input=standard_input, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == (3 if leaves_out else 0), done.stderr
    return done.stdout
