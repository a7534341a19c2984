"""Reads archives from a pipe, and prints the highest resident memory in KiB.

Run as a program: FOLDER, then `archives NUMBER` or `large BYTES`.
"""

import os
import subprocess
import sys
from pathlib import Path

from spout_operator.bridge.committer import Committer
from spout_operator.bridge.folder import FolderStore
from spout_operator.bridge.source import PipeSource
from tests.unit.bridge.pipes import ForgetfulStore, archive


def main(folder: Path, what: str, amount: int) -> None:
    pipe = folder / "out"
    source = PipeSource(pipe)
    if what == "archives":
        store: FolderStore | ForgetfulStore = ForgetfulStore()
        one = folder / "one"
        # A hundred archives of 2.5 KiB, without the zeros that pad them to 10 KiB.
        one.write_bytes(b"".join(archive({f"file-{number}": b"x" * 1024})[:2560] for number in range(100)))
        script = f"exec > {pipe}; i=0; while [ $i -lt {amount // 100} ]; do cat {one}; i=$((i + 1)); done"
    else:
        store, amount = FolderStore(folder / "store", overwrite=True), 1
        os.truncate(os.open(folder / "large", os.O_CREAT | os.O_RDWR), int(sys.argv[3]))
        script = f"exec tar -C {folder} -cf {pipe} large"
    seen = 0

    def told(_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == amount:
            source.stop()

    with subprocess.Popen(["sh", "-c", script]):  # noqa: S603, S607 - a script of this file
        Committer(source, store, marker="", listener=told).run()
    source.close()
    # Not ru_maxrss of getrusage: after a fork it begins at what the parent uses.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    highest = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    sys.stdout.write(f"{seen} {highest}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
