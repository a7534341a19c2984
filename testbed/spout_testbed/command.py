"""Runs a command-line tool to its end."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from spout_testbed.errors import TestbedError


def run(
    argv: Sequence[str], *, env: Mapping[str, str], stdin: str | None, check: bool
) -> subprocess.CompletedProcess[str]:
    """Run a command-line tool.

    Raises:
        TestbedError: the tool ended with an exit code other than 0, and `check` is set. The message has the output.
    """
    done = subprocess.run(argv, env=env, input=stdin, capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        shown = " ".join([Path(argv[0]).name, *argv[1:]])
        raise TestbedError(f"`{shown}` ended with exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done
