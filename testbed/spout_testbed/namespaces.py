"""Runs a command in namespaces of its own, and gets other commands into them.

A bed has its own users, mounts, network and processes. So it needs no root, its ports clash with
nothing, its files vanish with it, and the end of its first process is the end of all of them.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from spout_testbed.cache import run_folder
from spout_testbed.errors import TestbedError
from spout_testbed.tools import UNSHARE

INSIDE = "SPOUT_TESTBED_INSIDE"
RUN_DIR = "SPOUT_TESTBED_RUN_DIR"
OUTER_PID = "SPOUT_TESTBED_OUTER_PID"
"""The process id, as seen outside, of the `run` that a bed belongs to."""

INIT = "spout_testbed.init"
"""The module that is the first process inside."""
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SI_KERNEL = 0x80
"""The origin of a signal that the terminal sent: it went to the inner command as well."""


def is_inside() -> bool:
    """Whether this process runs in a bed's namespaces."""
    return os.environ.get(INSIDE) == "1"


def run(command: Sequence[str]) -> int:
    """Run `command` in fresh namespaces and return its exit code (128 + N if signal N ended it).

    Signals are handed on. If this process is killed, everything inside ends with it. Inside a bed
    already, the command replaces this process.
    """
    if is_inside():
        os.execvp(command[0], list(command))  # noqa: S606 - running it is what was asked for
    folder = run_folder()
    folder.mkdir(parents=True, exist_ok=True)
    # Its other end is our lifeline to the inner init: a byte is a signal, and its end is ours.
    lifeline_out, lifeline_in = os.pipe()
    os.set_inheritable(lifeline_out, True)  # noqa: FBT003 - the call takes no keyword
    argv = [*UNSHARE, sys.executable, "-m", INIT, str(lifeline_out), str(folder), *command]
    env = {**os.environ, OUTER_PID: str(os.getpid()), "PYTHONPATH": _python_path()}
    watched = {*FORWARDED, signal.SIGCHLD}
    # Blocked before the child exists, so that none is lost; taken one by one below.
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    child = os.posix_spawnp(argv[0], argv, env, setsigmask=previous)
    os.close(lifeline_out)
    while True:
        info = signal.sigwaitinfo(watched)
        if info.si_signo == signal.SIGCHLD:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid == child:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code
        elif info.si_code != SI_KERNEL:
            os.write(lifeline_in, bytes([info.si_signo]))


def enter_argv(pid: int, command: Sequence[str]) -> list[str]:
    """The command line by which something outside runs `command` in a running bed.

    kubectl and pachctl find the bed's servers there by themselves. Only the user who started the bed
    can enter it.

    Args:
        pid: of the process that `python -m spout_testbed run` (or `serve`) was started as.
        command: what to run, in the folder the caller is in.
    """
    current = run_folder() / "current"
    return [
        "nsenter",
        f"--target={_init_of(pid)}",
        "--user",
        "--net",
        "--mount",
        "--pid",
        "--preserve-credentials",
        "--",
        "env",
        f"--chdir={Path.cwd()}",
        f"{INSIDE}=1",
        f"{RUN_DIR}={run_folder()}",
        f"KUBECONFIG={current / 'kubeconfig'}",
        f"PACH_CONFIG={current / 'pachctl.json'}",
        f"PATH={current / 'bin'}:{os.environ.get('PATH', os.defpath)}",
        *command,
    ]


def enter(pid: int, command: Sequence[str]) -> int:
    """Run `command` in the bed of `pid`, and return its exit code; see `enter_argv`."""
    return subprocess.run(enter_argv(pid, command), check=False).returncode


def _python_path() -> str:
    """PYTHONPATH with this package in front, for a caller that found it some other way."""
    here = str(Path(__file__).resolve().parent.parent)
    return os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))


def _init_of(pid: int) -> int:
    """The first process inside: `run`'s child is unshare, and unshare's child is it."""
    inner = pid
    try:
        for _ in range(2):
            inner = int(Path(f"/proc/{inner}/task/{inner}/children").read_text().split()[0])
        found = INIT.encode() in Path(f"/proc/{inner}/cmdline").read_bytes()
    except (OSError, IndexError):
        found = False
    if not found:
        raise TestbedError(f"process {pid} is no running `python -m spout_testbed run` or `serve`")
    return inner
