"""Where everything lives that the test bed builds, and how one build is told from another."""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


def cache_root() -> Path:
    """The folder outside the repository that holds every build: `$XDG_CACHE_HOME/spout-operator/testbed`."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path(os.environ.get("HOME") or "~").expanduser() / ".cache")
    return Path(base) / "spout-operator" / "testbed"


def run_folder() -> Path:
    """The mount point of a bed's temporary files: empty outside, a tmpfs of its own inside each bed."""
    return cache_root() / "run"


def cache_key(*, inputs: Sequence[Path], facts: Sequence[str]) -> str:
    """A short hash of everything a build is made from.

    Args:
        inputs: files whose names and contents decide the result.
        facts: whatever else decides it (flags, compiler version, processor), in a fixed order.
    """
    digest = hashlib.sha256()
    for path in inputs:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"file {path.name} {content}\n".encode())
    for fact in facts:
        digest.update(f"fact {fact}\n".encode())
    return digest.hexdigest()[:16]


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Hold `lock` against every other process; waits until it is free."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
