"""The command of the Spout as a process, with what it writes."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

#: Seconds that a command has to end after SIGTERM.
_GRACE = 5.0


class Child:
    """A running command. `ended` is called with its exit status, from a thread, once all of its output was told."""

    def __init__(
        self,
        command: list[str],
        *,
        working_dir: Path,
        env: Mapping[str, str],
        stdin: tuple[str, ...],
        output: Callable[[str], object],
        ended: Callable[[int], object],
    ) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - the command of the Spout is what is run
            command,
            cwd=working_dir,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._stdin = "".join(f"{line}\n" for line in stdin).encode()
        self._output = output
        self._ended = ended
        threading.Thread(target=self._feed, daemon=True).start()
        threading.Thread(target=self._follow, daemon=True).start()

    def kill(self) -> None:
        """Kill the command and all that it started, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Ask the command to end, and kill it if it does not."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        self.kill()
        self._process.wait()

    def _feed(self) -> None:
        assert self._process.stdin is not None  # noqa: S101 - for the types
        with contextlib.suppress(BrokenPipeError), self._process.stdin as stdin:
            stdin.write(self._stdin)

    def _follow(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - for the types
        with self._process.stdout as stdout:
            for line in stdout:
                self._output(line.decode(errors="replace").rstrip("\n"))
        status = self._process.wait()
        self.kill()  # what the command left behind holds the pipe open
        self._ended(status)
