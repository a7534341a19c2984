"""The first process inside a test bed: sets it up, runs the command, and ends all processes when the command ends.

Started by `spout_testbed.namespaces.run` as `python -m spout_testbed.init LIFELINE RUN_FOLDER COMMAND...`.
"""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from spout_testbed.namespaces import FORWARDED, INSIDE, RUN_DIR
from spout_testbed.network import BED_ADDRESS

CANNOT_RUN = 127


def main(arguments: list[str]) -> int:
    """Set up, run the command to its end, and return its exit code as a shell would."""
    lifeline, folder, command = int(arguments[0]), arguments[1], arguments[2:]
    for number in FORWARDED:
        # Ctrl-C in the terminal reaches this process too, but only the command reacts to it.
        signal.signal(number, signal.SIG_IGN)
    os.set_inheritable(lifeline, False)  # noqa: FBT003 - the call takes no keyword
    try:
        _set_up(folder)
    except subprocess.CalledProcessError as error:
        print(f"spout_testbed: this machine refused `{' '.join(error.cmd)}` in a new namespace", file=sys.stderr)
        return 1
    temporary = Path(folder, "tmp")
    temporary.mkdir()
    env = {**os.environ, INSIDE: "1", RUN_DIR: folder, "TMPDIR": str(temporary)}
    try:
        child = os.posix_spawnp(command[0], command, env, setsigdef=FORWARDED)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return CANNOT_RUN
    threading.Thread(target=_follow, args=(lifeline, child), daemon=True).start()
    while True:
        # As the first process of its namespace, this process also has to reap processes whose parent has ended.
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _set_up(folder: str) -> None:
    """Configure the network, and mount a tmpfs on the run folder, which ends with this namespace."""
    for command in (
        ["ip", "link", "set", "lo", "up"],
        # pachd requires an interface other than the loopback one. It sends nothing over it.
        ["ip", "link", "add", "bed", "type", "veth", "peer", "name", "bed-peer"],
        ["ip", "address", "add", f"{BED_ADDRESS}/32", "dev", "bed"],
        ["ip", "link", "set", "bed", "up"],
        ["mount", "-t", "tmpfs", "-o", "mode=0700", "spout-testbed", folder],
    ):
        subprocess.run(command, check=True)


def _follow(lifeline: int, child: int) -> None:
    """Forward the signals of the outer process. When the outer process has ended, end all processes."""
    while number := os.read(lifeline, 1):
        os.kill(child, number[0])
    # The kernel kills every other process of a process namespace when its first one ends.
    os._exit(128 + signal.SIGKILL)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
