"""One worker as a process: the real 1.13.4 worker in mount and process namespaces of its own."""

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
from spout_testbed.pachd import ETCD_AND_KUBERNETES


class WorkerProcess:
    """Starts, watches and kills what runs in one Pod's user container."""

    def __init__(self, binary: Path, folder: Path, *, port: int) -> None:
        self._binary = binary
        self._folder = folder
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self.log = folder / "log"
        """What the worker and the user code write, of every start one after the other."""

    def start(self, container: pods.Container, secrets: Mapping[str, Mapping[str, bytes]]) -> None:
        """Start it with an empty /pfs, as a restarted container has."""
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
            # Its own, where the Pod says the one at which pachd looks: see forward.py.
            "PPS_WORKER_GRPC_PORT": str(self._port),
        }
        argv = [
            *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--"),
            *(sys.executable, "-m", "spout_testbed.container", str(start / "root"), json.dumps(mounts)),
            # The environment is set last: the interpreter that lays out the root needs the bed's own.
            *("env", "--ignore-environment", *(f"{name}={value}" for name, value in env.items())),
            str(self._binary),
        ]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    @property
    def is_alive(self) -> bool:
        """Whether the process runs (it may be on its way up)."""
        return self._process is not None and self._process.poll() is None

    @property
    def is_ready(self) -> bool:
        """Whether it has told etcd its address and answers pachd's questions."""
        return self.is_alive and port_answers(self._port)

    @property
    def pid(self) -> int | None:
        """The worker itself: the only child of the process that made its namespaces."""
        if self._process is None:
            return None
        with contextlib.suppress(OSError):
            outer = self._process.pid
            for child in Path(f"/proc/{outer}/task/{outer}/children").read_text().split():
                return int(child)
        return None

    def kill(self) -> int | None:
        """SIGKILL the worker and everything under it; returns its pid, or None if there was none."""
        pid = self.pid
        if self._process is None or pid is None:
            return None
        with contextlib.suppress(ProcessLookupError):
            # The first process of its process namespace: the kernel takes all others with it.
            os.kill(pid, signal.SIGKILL)
        self._process.wait()
        return pid

    def _new_folder(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        start = self._folder / "container"
        # A container starts with nothing of what an earlier one left.
        shutil.rmtree(start, ignore_errors=True)
        for name in ("pfs", "root", "home", "tmp", "cache"):
            (start / name).mkdir(parents=True)
        return start
