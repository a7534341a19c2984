"""One container of a Pod as a process, in its own mount and process namespaces."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from spout_testbed.kubelet.log import ContainerLog


class ContainerProcess:
    """The process of one container, one start after the other."""

    def __init__(self, folder: Path, *, log: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._was_killed = False
        self._copier: threading.Thread | None = None
        self._starts = 0
        self.log = log
        """The file with the output of all starts."""
        self.last: ContainerLog | None = None
        """The output of the last start, with times. None before the first one."""
        self.last_but_one: ContainerLog | None = None
        """The output of the start before it. Older ones are deleted, as a kubelet does."""

    def start(
        self,
        command: Sequence[str],
        *,
        enter: Sequence[str],
        env: Mapping[str, str],
        mounts: Mapping[str, str],
        folder: str,
    ) -> None:
        """Start the process.

        Args:
            command: its command line.
            enter: the command line that enters the sandbox of the Pod.
            env: its whole environment, without the variables that an image would set.
            mounts: the file or folder that it sees at each path.
            folder: its working folder.
        """
        home = self._new_folder("home")
        root = self._new_folder("root")
        image = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home)}
        if "/tmp" not in mounts:  # noqa: S108 - where a container has a volume
            image["TMPDIR"] = str(self._new_folder("tmp"))
        argv = [
            *enter,
            *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--"),
            *(sys.executable, "-m", "spout_testbed.kubelet.root", str(root), json.dumps(mounts), folder),
            # The environment is set last, because the interpreter that creates the root needs that of the test bed.
            *("env", "--ignore-environment", *(f"{name}={value}" for name, value in (image | dict(env)).items())),
            *command,
        ]
        self._was_killed = False
        log = self._new_log()
        self._process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
        name = f"log of {self.log.stem}"
        self._copier = threading.Thread(target=log.copy, args=(self._process.stdout, self.log), name=name, daemon=True)
        self._copier.start()

    @property
    def exit_code(self) -> int | None:
        """The exit code of the process that ended (128 + N if signal N ended it), and None while it runs."""
        code = self._process.poll() if self._process is not None else None
        if code is not None and self._was_killed:
            # unshare passes on every signal that ended its child, except this one: it ends with exit code 1.
            return 128 + signal.SIGKILL
        return code if code is None or code >= 0 else 128 - code

    @property
    def pid(self) -> int | None:
        """The process ID of the container, which is the only child of the process that created its namespaces."""
        if self._process is None:
            return None
        with contextlib.suppress(OSError):
            outer = self._process.pid
            for child in Path(f"/proc/{outer}/task/{outer}/children").read_text().split():
                return int(child)
        return None

    def kill(self) -> int | None:
        """Kill the container with SIGKILL. Returns its process ID, or None if it did not run."""
        pid = self.pid
        if self._process is None:
            return None
        self._was_killed = True
        with contextlib.suppress(ProcessLookupError):
            # It is the first process of its namespace, so the kernel also ends all others.
            os.kill(self._process.pid if pid is None else pid, signal.SIGKILL)
        self._process.wait()
        self._finish_log()
        return pid

    def _new_log(self) -> ContainerLog:
        self._finish_log()
        if self.last_but_one is not None:
            self.last_but_one.delete()
        self.last_but_one = self.last
        # As a kubelet names it: POD/CONTAINER/NUMBER.log
        self.last = ContainerLog(self.log.with_suffix("") / f"{self._starts}.log")
        self._starts += 1
        return self.last

    def _finish_log(self) -> None:
        """Wait until all that the process wrote before its end is in its log."""
        if self._copier is not None:
            self._copier.join()

    def _new_folder(self, name: str) -> Path:
        folder = self._folder / name
        # A container starts without the files of an earlier one.
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder
