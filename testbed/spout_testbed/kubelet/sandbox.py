"""The network of one Pod: its own interfaces and its own address, which all of its containers share."""

import os
import signal
import subprocess
from pathlib import Path

from spout_testbed.errors import TestbedError
from spout_testbed.network import BED_ADDRESS
from spout_testbed.waiting import eventually

_FIRST = 10 << 24 | 88 << 16
"""10.88.0.0; the Pods of a test bed count up from there."""


class Sandbox:
    """Namespaces that exist as long as a process that only sleeps.

    A Pod reaches the servers at the address of the test bed, `192.0.2.1`, and they reach the Pod at `address`. Its
    loopback interface is its own.
    """

    def __init__(self, number: int) -> None:
        self.address = ".".join(str(byte) for byte in (_FIRST + number).to_bytes(4))
        self._device = f"pod{number}"
        self._process = subprocess.Popen(
            ["unshare", "--net", "--ipc", "--", "sleep", "infinity"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self._connect()
        except BaseException:
            self.close()
            raise

    @property
    def enter(self) -> list[str]:
        """The command line that runs another one in this sandbox."""
        namespaces = f"/proc/{self._process.pid}/ns"
        return ["nsenter", f"--net={namespaces}/net", f"--ipc={namespaces}/ipc", "--"]

    def close(self) -> None:
        """End the sandbox. Its network goes when the last process in it has ended."""
        if self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _connect(self) -> None:
        own = Path("/proc/self/ns/ipc").readlink()
        theirs = Path(f"/proc/{self._process.pid}/ns/ipc")
        # `unshare` creates both namespaces in one call.
        eventually(lambda: theirs.readlink() != own, what="the namespaces of a Pod", interval=0.002)
        _ip(
            [],
            f"link add {self._device} type veth peer name eth0 netns {self._process.pid}",
            f"link set {self._device} up",
            f"route add {self.address}/32 dev {self._device} src {BED_ADDRESS}",
        )
        _ip(
            self.enter,
            "link set lo up",
            f"address add {self.address}/32 dev eth0",
            "link set eth0 up",
            f"route add {BED_ADDRESS}/32 dev eth0",
            f"route add default via {BED_ADDRESS} dev eth0",
        )


def _ip(prefix: list[str], *commands: str) -> None:
    lines = "".join(f"{each}\n" for each in commands)
    done = subprocess.run([*prefix, "ip", "-batch", "-"], input=lines, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise TestbedError(f"ip refused to set up the network of a Pod: {done.stderr.strip()}\n{lines}")
