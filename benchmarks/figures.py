"""What a process uses, and how it is shown."""

import os
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int, kind: str) -> float:
    """A figure of /proc/PID/status, in MB."""
    line = next(
        line for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines() if line.startswith(kind)
    )
    return int(line.split()[1]) * 1024 / 1e6


def show(what: str, figure: str) -> None:
    """Print a row."""
    print(f"{what:<58} {figure}", flush=True)
