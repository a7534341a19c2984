"""The file system a worker sees: the machine's own, with a few folders of its own laid over it.

Runs as the first process of the worker's mount and process namespaces:
`python -m spout_testbed.container ROOT '{"/pfs": "/some/folder", ...}' COMMAND...`.
Nothing can be mounted on a `/pfs` that the machine does not have and an ordinary user cannot make, so
the root is a new one that shows every entry of the old one.
"""

import ctypes
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

MS_BIND = 0x1000
MS_REC = 0x4000

HIDDEN = frozenset({"/run", "/proc"})
"""Not shown: a container has a /run of its own (the worker asks Docker about images where it finds its
socket there), and /proc is mounted anew for the new process namespace."""


def main(arguments: list[str]) -> None:
    """Lay out the root, change into it, and become the command."""
    root, folders, command = Path(arguments[0]), json.loads(arguments[1]), arguments[2:]
    _mount("tmpfs", root, kind="tmpfs")
    _show(Path("/"), root, folders)
    for inside, folder in folders.items():
        point = root / inside.lstrip("/")
        point.mkdir(parents=True, exist_ok=True)
        _mount(folder, point, flags=MS_BIND | MS_REC)
    for hidden in HIDDEN:
        (root / hidden.lstrip("/")).mkdir(exist_ok=True)
    _mount("proc", root / "proc", kind="proc")
    os.chroot(root)
    os.chdir("/")
    os.execvp(command[0], command)  # noqa: S606 - running it is what was asked for


def _show(source: Path, target: Path, folders: Mapping[str, str]) -> None:
    """Show every entry of `source` in `target`, leaving room for the paths in `folders`."""
    for entry in os.scandir(source):
        shown = target / entry.name
        if entry.path in folders or entry.path in HIDDEN:
            continue
        if entry.is_symlink():
            shown.symlink_to(Path(entry.path).readlink())
        elif any(inside.startswith(f"{entry.path}/") for inside in folders):
            shown.mkdir()
            _show(Path(entry.path), shown, folders)
        else:
            if entry.is_dir():
                shown.mkdir()
            else:
                shown.touch()
            _mount(entry.path, shown, flags=MS_BIND | MS_REC)


def _mount(source: str, target: Path, *, kind: str = "", flags: int = 0) -> None:
    """mount(2): a process each for the mounts of a whole /etc would take a second."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source.encode(), bytes(target), kind.encode(), flags, None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"mounting {source} on {target}: {os.strerror(number)}")


if __name__ == "__main__":
    main(sys.argv[1:])
