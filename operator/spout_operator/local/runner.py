"""Runs a Spout on this machine: the command, the bridge behind its pipe, and the rules of when it starts again."""

import dataclasses
import enum
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from spout_operator.bridge.committer import Committer, Dropped
from spout_operator.bridge.errors import PipeLost, Stopped, StoreFailed
from spout_operator.bridge.folder import LOG, FolderStore
from spout_operator.bridge.source import PipeSource
from spout_operator.bridge.staging import told
from spout_operator.bridge.store import Committed
from spout_operator.config import CommandError
from spout_operator.local import sandbox
from spout_operator.local.child import Child
from spout_operator.local.plan import PFS_VARIABLE, CannotStart, Plan
from spout_operator.local.report import Report, marker_value

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0
#: Failures in a row, without a commit between them, after which run-local gives up. A worker never does.
MOST_FAILURES = 5
#: Seconds in which the bridge reads what an ended command left in the pipe.
_DRAIN = 10.0
#: Seconds. Nothing tells when a pipe becomes empty.
_TICK = 0.02


class Outcome(enum.IntEnum):
    """Why run-local ended, as its exit code."""

    OK = 0
    INVALID_SPOUT = 3
    CANNOT_START = 4
    COMMAND_FAILED = 5
    TIMEOUT = 6
    STORE_FAILED = 7
    INTERRUPTED = 130


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """When to kill the command once, and when to end; None for never. `timeout` is in seconds."""

    crash_after: int | None = None
    commits: int | None = None
    timeout: float | None = None


def remove_earlier(out: Path) -> None:
    """Remove what an earlier run left in `out`.

    Raises:
        CommandError: the folder holds something else.
    """
    if out.exists() and any(out.iterdir()):
        if not (out / LOG).exists():
            raise CommandError(
                f"{out}: holds no commits of an earlier run; remove it yourself, or choose another --out"
            )
        # Refuses a folder that another process uses.
        FolderStore(out, overwrite=True).close()
        shutil.rmtree(out)


class Runner:
    """One run of a Spout over the folder `out`.

    Raises:
        StoreFailed: the folder cannot be used.
        PipeLost: something else is in the place of the named pipe.
    """

    def __init__(self, plan: Plan, out: Path, report: Report, limits: Limits) -> None:
        self._plan, self._report, self._limits = plan, report, limits
        self._store = FolderStore(out, overwrite=plan.options.overwrite)
        self._out = out.absolute()
        self._pfs, self._root = self._out / "pfs", self._out / ".root"
        with told(out):
            self._pfs.mkdir(exist_ok=True)
            self._root.mkdir(exist_ok=True)
            self._show_marker()
            self._source = PipeSource(self._pfs / "out")
        self._committer = Committer(self._source, self._store, marker=plan.options.marker, listener=self._listen)
        self._events: queue.Queue[int | Exception | None] = queue.Queue()
        self._child: Child | None = None
        self._commits = 0
        self._failures = 0

    def run(self) -> Outcome:
        """Run until something ends it, which is said in one line."""
        started = time.monotonic()
        bridge = threading.Thread(target=self._bridge)
        bridge.start()
        try:
            outcome, why = self._supervise(started)
        except KeyboardInterrupt:
            outcome, why = Outcome.INTERRUPTED, "interrupted"
        finally:
            if self._child is not None:
                self._child.end()
            self._source.stop()
            bridge.join()
            self._source.close()
            self._store.close()
        self._report.say(
            "end", f"ended: {why}; commits made: {self._commits}", outcome=outcome.name, commits=self._commits
        )
        return outcome

    def _supervise(self, started: float) -> tuple[Outcome, str]:
        places = self._places()
        deadline = None if self._limits.timeout is None else started + self._limits.timeout
        pause = _FIRST_PAUSE
        while True:
            before = self._commits
            self._start(places)
            status = self._wait(deadline)
            if status is not None:
                self._drain()
            if self._commits > before:
                self._failures, pause = 0, _FIRST_PAUSE
            self._failures += 1
            if end := self._end(status):
                return end
            how = _how(status or 0)
            self._report.say("restart", f"the command ended with {how}; it starts again in {pause:g} s", status=status)
            resume = time.monotonic() + pause
            self._wait(resume if deadline is None else min(deadline, resume))
            if self._is_complete or (deadline is not None and time.monotonic() >= deadline):
                return self._end(None) or (Outcome.TIMEOUT, "")
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _end(self, status: int | None) -> tuple[Outcome, str] | None:
        """Why the run ends now, if it does. `status` is None where the command did not end."""
        if self._is_complete:
            return Outcome.OK, f"--commits {self._limits.commits}"
        if status is None:
            return Outcome.TIMEOUT, f"--timeout {self._limits.timeout:g}"
        if status == 0:
            if self._limits.commits is None:
                return Outcome.OK, "the command exited with 0, and a worker does not start it again"
            return (
                Outcome.COMMAND_FAILED,
                "the command exited with 0 before the last commit, and a worker does not start it again",
            )
        if self._failures >= MOST_FAILURES:
            return (
                Outcome.COMMAND_FAILED,
                f"the command failed {self._failures} times in a row without a commit, the last with {_how(status)}",
            )
        return None

    def _places(self) -> dict[Path, Path]:
        """Which folder the command sees where; empty where the kernel does not allow that."""
        places = {self._pfs: Path("/pfs"), **self._plan.mounts}
        refusal = self._namespace_refusal(places)
        if not refusal:
            return places
        if self._plan.mounts:
            raise CannotStart(
                f"a Secret has a mountPath, and this machine allows no mount namespace ({refusal}); use key and envVar"
            )
        self._report.say(
            "note",
            f"no mount namespace ({refusal}): the pipe is {self._pfs / 'out'}, and {PFS_VARIABLE} names its folder",
        )
        return {}

    @property
    def _is_complete(self) -> bool:
        return self._limits.commits is not None and self._commits >= self._limits.commits

    def _namespace_refusal(self, places: Mapping[Path, Path]) -> str:
        if sys.platform != "linux":
            return sys.platform
        probe = subprocess.run(  # noqa: S603 - this program
            sandbox.command(self._root, places, self._plan.working_dir, ("true",)),
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        return (
            ""
            if probe.returncode == 0
            else probe.stderr.strip().rpartition("\n")[2] or f"exit status {probe.returncode}"
        )

    def _start(self, places: Mapping[Path, Path]) -> None:
        cmd = self._plan.transform.cmd
        self._child = Child(
            sandbox.command(self._root, places, self._plan.working_dir, cmd) if places else list(cmd),
            working_dir=self._plan.working_dir,
            env={**self._plan.env, PFS_VARIABLE: "/pfs" if places else str(self._pfs)},
            stdin=self._plan.transform.stdin,
            output=lambda line: self._report.say("output", line),
            ended=self._events.put,
        )

    def _wait(self, deadline: float | None) -> int | None:
        """The exit status of the command; None at the deadline, or if the last commit that was asked for is there."""
        try:
            event = self._events.get(timeout=None if deadline is None else max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return None
        if isinstance(event, Exception):
            raise event
        return event

    def _drain(self) -> None:
        """Have the bridge read what the command left, so that the next one does not write behind a piece of it."""
        end = time.monotonic() + _DRAIN
        while time.monotonic() < end and (self._committer.is_reading or not self._source.is_empty):
            time.sleep(_TICK)

    def _bridge(self) -> None:
        try:
            self._committer.run()
        except (StoreFailed, PipeLost) as error:
            self._events.put(error)

    def _listen(self, event: Committed | Dropped) -> None:
        if isinstance(event, Dropped):
            self._report.say("dropped", f"dropped an archive: {event.reason}")
            return
        if event.commit is not None:
            self._commits += 1
            files = "1 file" if event.files == 1 else f"{event.files} files"
            self._report.say(
                "commit",
                f"commit {event.commit}: {files}, {event.size} bytes",
                commit=event.commit,
                files=event.files,
                bytes=event.size,
            )
        if event.has_marker:
            value = marker_value(self._store.marker_folder / self._plan.options.marker)
            self._report.say("marker", f"marker {self._plan.options.marker}: {value}", value=value)
        if event.commit is None:
            return
        if self._commits == self._limits.commits:
            self._events.put(None)
            raise Stopped
        if self._commits == self._limits.crash_after and self._child is not None:
            self._child.kill()
            self._report.say("crash", f"--crash-after {self._commits}: killed the command")

    def _show_marker(self) -> None:
        """Have /pfs/MARKER show the last committed marker, always."""
        for entry in self._pfs.iterdir():
            if entry.is_symlink():
                entry.unlink()
        if marker := self._plan.options.marker:
            (self._pfs / marker).symlink_to(self._out / "marker" / marker)


def _how(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit status {status}"
