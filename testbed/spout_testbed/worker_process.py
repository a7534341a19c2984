"""One worker as a process: the real worker of Pachyderm 1.13.4, in its own mount and process namespaces."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from spout_testbed import pods
from spout_testbed.network import port_answers
from spout_testbed.pachd_1 import ETCD_AND_KUBERNETES


class WorkerProcess:
    """The process in the user container of one Pod."""

    def __init__(self, binary: Path, folder: Path, *, port: int) -> None:
        self._binary = binary
        self._folder = folder
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self.log = folder / "log"
        """The file with the output of the worker and of the user code, one start after the other."""

    def start(self, container: pods.Container, secrets: Mapping[str, Mapping[str, bytes]]) -> None:
        """Start the process with an empty /pfs, as a restarted container has it."""
        start = self._new_folder()
        mounts = {"/pfs": str(start / "pfs")}
        for number, (path, name) in enumerate(container.secret_mounts.items()):
            shown = start / f"secret-{number}"
            shown.mkdir()
            for key, value in secrets[name].items():
                (shown / key).write_bytes(value)
            mounts[str(path)] = str(shown)
        env = {
            "PATH": os.environ.get("PATH", os.defpath),
            **container.env,
            **ETCD_AND_KUBERNETES,
            "HOME": str(start / "home"),
            "TMPDIR": str(start / "tmp"),
            "PACH_CACHE_ROOT": str(start / "cache"),
            # Overrides the port from the Pod, which is the port that pachd uses: see forward.py.
            "PPS_WORKER_GRPC_PORT": str(self._port),
        }
        argv = [
            *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--"),
            *(sys.executable, "-m", "spout_testbed.container", str(start / "root"), json.dumps(mounts)),
            # The environment is set last, because the interpreter that creates the root needs that of the test bed.
            *("env", "--ignore-environment", *(f"{name}={value}" for name, value in env.items())),
            str(self._binary),
        ]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    @property
    def is_alive(self) -> bool:
        """Whether the process runs. It may not be ready yet."""
        return self._process is not None and self._process.poll() is None

    @property
    def is_ready(self) -> bool:
        """Whether the worker has registered its address in etcd and answers pachd."""
        return self.is_alive and port_answers(self._port)

    @property
    def pid(self) -> int | None:
        """The process ID of the worker, which is the only child of the process that created its namespaces."""
        if self._process is None:
            return None
        with contextlib.suppress(OSError):
            outer = self._process.pid
            for child in Path(f"/proc/{outer}/task/{outer}/children").read_text().split():
                return int(child)
        return None

    def kill(self) -> int | None:
        """Kill the worker and all its children with SIGKILL. Returns its process ID, or None if it did not run."""
        pid = self.pid
        if self._process is None or pid is None:
            return None
        with contextlib.suppress(ProcessLookupError):
            # It is the first process of its namespace, so the kernel also ends all others.
            os.kill(pid, signal.SIGKILL)
        self._process.wait()
        return pid

    def _new_folder(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        start = self._folder / "container"
        # A container starts without the files of an earlier one.
        shutil.rmtree(start, ignore_errors=True)
        for name in ("pfs", "root", "home", "tmp", "cache"):
            (start / name).mkdir(parents=True)
        return start
