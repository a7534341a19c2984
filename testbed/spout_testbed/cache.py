"""The cache folder for the builds of the test bed, and the keys that tell builds apart."""

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
    """The mount point of temporary files: an empty folder outside, and a tmpfs inside each test bed."""
    return cache_root() / "run"


def cache_key(*, inputs: Sequence[Path], facts: Sequence[str]) -> str:
    """A short hash of everything that determines the result of a build.

    Args:
        inputs: the files whose names and contents determine the result.
        facts: everything else that determines it (flags, compiler version, processor), in a fixed order.
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
    """Hold the lock file against all other processes. Waits until it is free."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
