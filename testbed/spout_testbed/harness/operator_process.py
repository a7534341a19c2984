"""The operator as in its image: a process of its own, of a user whom no file knows, with no more than it is given."""

import datetime
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from spout_testbed.errors import TestbedError
from spout_testbed.waiting import eventually

HTTP_PORT = 8080
#: Of a second one beside it; not 8081, which the test bed's workers have.
SECOND_HTTP_PORT = 8082
#: That of the Dockerfile; it has no entry in /etc/passwd.
USER = 65532
#: What the Dockerfile sets that makes a difference to a process.
IMAGE = {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_ARENA_MAX": "1"}


class OperatorProcess:
    """One `spout-operator run`; a `with` statement ends it."""

    def __init__(
        self,
        *,
        kubeconfig: Path,
        pachd_address: str,
        log: Path,
        flags: tuple[str, ...] = (),
        port: int = HTTP_PORT,
        environment: Mapping[str, str] | None = None,
        policy: str | None = None,
    ) -> None:
        """Start nothing yet.

        Args:
            kubeconfig: how it reaches the API server, and as whom.
            pachd_address: the address of Pachyderm.
            log: its output; its other files are beside it.
            flags: further flags.
            port: of its HTTP server.
            environment: further variables.
            policy: the text of its policy file; None where it has none.
        """
        self.policy_file = log.with_suffix(".policy.yaml")
        if policy is not None:
            flags = (f"--policy={self.policy_file}", *flags)
            self.change_policy(policy)
        self._url = f"http://127.0.0.1:{port}"
        program = Path(sys.executable).with_name("spout-operator")
        self._argv = [
            *("unshare", "--user", f"--map-user={USER}", f"--map-group={USER}"),
            str(program),
            "run",
            f"--pachd-address={pachd_address}",
            "--poll-interval=0.5",
            "--quiet-interval=0.5",
            "--status-interval=0.2",
            f"--http-port={port}",
            *flags,
        ]
        self._env = {
            "PATH": os.environ["PATH"],
            "HOME": "/",
            **IMAGE,
            **(environment or {}),
            "KUBECONFIG": str(kubeconfig),
        }
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it and wait until it is ready."""
        self.launch()
        eventually(self._is_ready, what="the operator to be ready", details=self.log.read_text)
        return self

    def launch(self, *flags: str) -> None:
        """Start it without waiting, with further flags (of a flag given twice the last one counts)."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([*self._argv, *flags], env=self._env, stdout=log, stderr=log)

    def change_policy(self, text: str) -> None:
        """Replace the policy file at once, as a kubelet replaces a ConfigMap. The operator reads it within seconds."""
        written = self.policy_file.with_suffix(".new")
        written.write_text(text, encoding="utf-8")
        written.replace(self.policy_file)

    def get(self, path: str) -> str:
        """What its HTTP port answers, also where it says that something is wrong; empty where it does not answer."""
        try:
            with urllib.request.urlopen(f"{self._url}{path}", timeout=2) as answer:  # noqa: S310 - ours
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            return error.read().decode()
        except OSError:
            return ""

    def logged_at(self, text: str) -> datetime.datetime | None:
        """When it logged a line with this text for the first time; None where it has not."""
        for line in self.log.read_text().splitlines():
            if text in line:
                return datetime.datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f")  # noqa: DTZ007 - compared with its like
        return None

    @property
    def is_leading(self) -> bool:
        """Whether it says that it acts."""
        return "[+]lease (leading) ok" in self.get("/readyz")

    def pause(self) -> None:
        """Have it stand still, as on a machine that swaps or is moved."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Have it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> int:
        """End it as a kubelet does; returns the exit code."""
        if self._process is None:
            return 0
        self._process.terminate()
        return self.wait()

    def kill(self) -> None:
        """End it without a chance to put anything in order."""
        if self._process is not None:
            self._process.kill()
            self.wait()

    def wait(self) -> int:
        """Wait for its end; returns the exit code."""
        code = self._running.wait(timeout=30)
        self._process = None
        return code

    @property
    def pid(self) -> int:
        """Of the running process."""
        return self._running.pid

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise TestbedError("the operator does not run: start it first")
        return self._process

    @property
    def cpu_seconds(self) -> float:
        """User and system time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def memory(self) -> int:
        """Resident memory in bytes."""
        return self._memory("VmRSS")

    @property
    def peak_memory(self) -> int:
        """The most that was resident so far, in bytes."""
        return self._memory("VmHWM")

    def _memory(self, kind: str) -> int:
        lines = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(kind))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _is_ready(self) -> bool:
        code = self._running.poll()
        if code is not None:
            raise TestbedError(f"the operator ended with {code}:\n{self.log.read_text()}")
        try:
            with urllib.request.urlopen(f"{self._url}/readyz", timeout=1):  # noqa: S310 - ours
                return True
        except (urllib.error.URLError, OSError):
            return False
