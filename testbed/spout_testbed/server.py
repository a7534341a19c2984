"""One server process: started, watched while it comes up, stopped, killed, started again."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from spout_testbed.errors import TestbedError
from spout_testbed.waiting import eventually

STOP_SECONDS = 15.0
"""How long a server may take to stop by itself before it is killed."""


class Server:
    """A real server as a child process.

    Starting it again uses the same command, data and ports, so a client sees a server that came back.
    `ready` is asked until it says yes, and is given what this process has written so far.
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
    ) -> None:
        self.name = name
        self.log = log
        """Both output streams of every process that ran under this name, one after the other."""
        self._argv = list(argv)
        self._env = dict(env)
        self._ready = ready
        self._ready_means = ready_means
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def pid(self) -> int:
        """The process id of the running server, as seen inside the bed."""
        if self._process is None:
            raise TestbedError(f"{self.name} is not running: call start() first")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process is alive (not whether it answers)."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process and return once it is ready.

        Raises:
            TestbedError: it died, or was not ready in time; the message ends with its last log lines.
        """
        if self.is_running:
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            # A session of its own: Ctrl-C ends the test run, which then stops its servers in order.
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
        """Return once the running server is ready; see `start` for errors."""
        eventually(
            self._check_ready,
            what=f"{self.name} to be ready ({self._ready_means})",
            seconds=self._timeout,
            details=self._log_for_message,
        )

    def stop(self) -> None:
        """End the server as an administrator would: SIGTERM, and SIGKILL if that does not help in time."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server as a crash would: SIGKILL."""
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
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._process = None

    def _log_for_message(self) -> str:
        return f"last lines of {self.log}:\n{self.tail()}"
