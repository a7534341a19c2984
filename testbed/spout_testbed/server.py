"""One server process: starts it, waits until it is ready, stops it, kills it, and starts it again."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from spout_testbed.errors import TestbedError
from spout_testbed.waiting import eventually

STOP_SECONDS = 15.0
"""Seconds that a server has to stop after the first signal. Then it gets SIGKILL."""


class Server:
    """A real server as a child process.

    A second start uses the same command, data and ports, so clients see the same server again. `start` calls `ready`
    until it returns true, with the output of the current process so far.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        log: Path,
        ready: Callable[[str], bool],
        ready_means: str,
        timeout: float = 60.0,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.log = log
        """The file with both output streams of all processes of this server, one process after the other."""
        self._argv = list(argv)
        self._env = dict(env)
        self._ready = ready
        self._ready_means = ready_means
        self._timeout = timeout
        self._stop_signal = stop_signal
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def pid(self) -> int:
        """The process ID of the running server, as seen inside the test bed."""
        if self._process is None:
            raise TestbedError(f"{self.name} is not running: call start() first")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process runs. It may not answer yet."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process and return once it is ready.

        Raises:
            TestbedError: the process ended, or was not ready in time. The message ends with its last log lines.
        """
        if self.is_running:
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            # The server has its own session, so Ctrl-C ends only the test run, which then stops its servers in order.
            self._process = subprocess.Popen(
                self._argv,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait_ready()

    def wait_ready(self) -> None:
        """Return when the running server is ready. Raises the errors of `start`."""
        eventually(
            self._check_ready,
            what=f"{self.name} to be ready ({self._ready_means})",
            seconds=self._timeout,
            details=self._log_for_message,
        )

    def stop(self) -> None:
        """End the server as an administrator does: with a signal, and with SIGKILL if it does not end in time."""
        self._end(self._stop_signal)

    def kill(self) -> None:
        """End the server as a crash does: with SIGKILL."""
        self._end(signal.SIGKILL)

    def tail(self, lines: int = 20) -> str:
        """The last lines of the log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _check_ready(self) -> bool:
        if not self.is_running:
            code = self._process.returncode if self._process is not None else None
            raise TestbedError(
                f"{self.name} ended with exit code {code} before {self._ready_means}\n{self._log_for_message()}"
            )
        return self._ready(self._output())

    def _output(self) -> str:
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def _end(self, number: signal.Signals) -> None:
        process = self._process
        if process is None:
            return
        started_by_it = _descendants(process.pid)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._process = None
        # Those of PostgreSQL end a moment after it, and have its port until then.
        eventually(
            lambda: not any(map(_runs, started_by_it)),
            what=f"the processes that {self.name} started to end",
            seconds=STOP_SECONDS,
        )

    def _log_for_message(self) -> str:
        return f"last lines of {self.log}:\n{self.tail()}"


def _descendants(pid: int) -> list[int]:
    """The process IDs of all processes that this one started, and that these started."""
    found = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, children.read_text().split()):
                found += [child, *_descendants(child)]
    return found


def _runs(pid: int) -> bool:
    """Whether this process runs. One that has ended may still be there until its parent has noticed."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"
