"""One Pachyderm of a test bed: its pachd, and how to reach it."""

import os
import subprocess
from pathlib import Path

from spout_testbed import command
from spout_testbed.kubelet.workers import Workers
from spout_testbed.pachd import Place
from spout_testbed.server import Server


class Pachyderm:
    """A Pachyderm that runs."""

    def __init__(
        self, version: str, *, server: Server, place: Place, binaries: Path, config: Path, workers: Workers
    ) -> None:
        self.version = version
        """The whole version, such as `1.13.4`."""
        self.pachd = server
        self.address = place.address
        """The address of pachd, such as `grpc://127.0.0.1:30650`."""
        self.namespace = place.namespace
        """The Kubernetes namespace of the workers, which is also the namespace of the Secrets of spouts."""
        self.pachctl_program = binaries / "pachctl"
        self.pachctl_config = config
        self.workers = workers
        """The runner of the workers of all pipelines."""

    def pachctl(
        self,
        *arguments: str,
        input: str | None = None,  # noqa: A002 - as subprocess.run has it
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run its own pachctl against it.

        Raises:
            TestbedError: the command failed, and `check` is set. The message has the output.
        """
        env = {**os.environ, "PACH_CONFIG": str(self.pachctl_config)}
        return command.run([str(self.pachctl_program), *arguments], env=env, stdin=input, check=check)
