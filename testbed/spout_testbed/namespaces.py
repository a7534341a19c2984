"""Runs a command in its own namespaces, and lets other commands enter them.

A test bed has its own users, mounts, network and processes. So it needs no root, its ports do not conflict with others,
and its files are deleted when it ends. When its first process ends, the kernel ends all of its processes.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from spout_testbed.cache import run_folder
from spout_testbed.errors import TestbedError
from spout_testbed.tools import UNSHARE

INSIDE = "SPOUT_TESTBED_INSIDE"
RUN_DIR = "SPOUT_TESTBED_RUN_DIR"
OUTER_PID = "SPOUT_TESTBED_OUTER_PID"
"""The variable with the process ID, as seen outside, of the `run` to which a test bed belongs."""

INIT = "spout_testbed.init"
"""The module that runs as the first process inside."""
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SI_KERNEL = 0x80
"""The origin (si_code) of a signal that the terminal sent. The terminal sent it to the inner command too."""


def is_inside() -> bool:
    """Whether this process runs in the namespaces of a test bed."""
    return os.environ.get(INSIDE) == "1"


def run(command: Sequence[str]) -> int:
    """Run `command` in new namespaces and return its exit code (128 + N if signal N ended it).

    This process forwards signals to the command. If this process is killed, all processes inside end too. If this
    process already runs inside a test bed, the command replaces it.
    """
    if is_inside():
        os.execvp(command[0], list(command))  # noqa: S606 - running it is what was asked for
    folder = run_folder()
    folder.mkdir(parents=True, exist_ok=True)
    # This pipe connects this process to the first process inside. Each byte is a signal. When this process ends, the
    # pipe closes, and the first process inside ends too.
    lifeline_out, lifeline_in = os.pipe()
    os.set_inheritable(lifeline_out, True)  # noqa: FBT003 - the call takes no keyword
    argv = [*UNSHARE, sys.executable, "-m", INIT, str(lifeline_out), str(folder), *command]
    env = {**os.environ, OUTER_PID: str(os.getpid()), "PYTHONPATH": _python_path()}
    watched = {*FORWARDED, signal.SIGCHLD}
    # These signals are blocked before the child exists, so that none is lost. The loop below takes them one by one.
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
    """The command line with which a process outside runs `command` inside a running test bed.

    kubectl and pachctl find the servers of the test bed without configuration. Only the user who started the test bed
    can enter it.

    Args:
        pid: the process ID of `python -m spout_testbed run` or `serve`.
        command: the command to run, in the current folder of the caller.
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
    """Run `command` in the test bed of `pid`, and return its exit code. See `enter_argv`."""
    return subprocess.run(enter_argv(pid, command), check=False).returncode


def _python_path() -> str:
    """PYTHONPATH with this package first, even if this process found the package in another way."""
    here = str(Path(__file__).resolve().parent.parent)
    return os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))


def _init_of(pid: int) -> int:
    """The process ID of the first process inside: the child of unshare, which is the child of `run`."""
    inner = pid
    try:
        for _ in range(2):
            inner = int(Path(f"/proc/{inner}/task/{inner}/children").read_text().split()[0])
        found = INIT.encode() in Path(f"/proc/{inner}/cmdline").read_bytes()
    except (OSError, IndexError):
        found = False
    if not found:
        raise TestbedError(f"process {pid} is not a running `python -m spout_testbed run` or `serve`")
    return inner


@contextlib.contextmanager
def only_bed(run_dir: Path) -> Iterator[None]:
    """Hold the run folder for one test bed.

    Raises:
        TestbedError: another test bed holds it.
    """
    with (run_dir / "bed.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TestbedError("another test bed runs here already: stop it before you start one") from None
        yield
