"""The file system of a container: that of the machine, with volumes and the files of an image mounted over it.

This module runs as the first process in the mount and process namespaces of the container:
`python -m spout_testbed.kubelet.root ROOT '{"/pfs": "/some/folder", ...}' FOLDER COMMAND...`.
The machine has no folder `/pfs`, and an ordinary user cannot create one to mount something on. So this module creates a
new root that shows every entry of the old one.
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
"""The folders that the new root does not show. A container has its own /run: if the worker finds the socket of Docker
there, it asks Docker about images. /proc is mounted again, for the new process namespace."""


def main(arguments: list[str]) -> None:
    """Create the root, change into it, and execute the command in this process."""
    root, mounts, folder, command = Path(arguments[0]), json.loads(arguments[1]), arguments[2], arguments[3:]
    # A link of the machine on the way (/var/run) would lead out of the new root.
    seen = {os.path.realpath(inside): source for inside, source in mounts.items()}
    _mount("tmpfs", root, kind="tmpfs")
    _show(Path("/"), root, seen)
    # In this order, a folder is mounted before what lies in it.
    for inside, source in sorted(seen.items()):
        point = root / inside.lstrip("/")
        if Path(source).is_dir():
            point.mkdir(parents=True, exist_ok=True)
        else:
            point.parent.mkdir(parents=True, exist_ok=True)
            point.touch()
        _mount(source, point, flags=MS_BIND | MS_REC)
    for hidden in HIDDEN:
        (root / hidden.lstrip("/")).mkdir(exist_ok=True)
    _mount("proc", root / "proc", kind="proc")
    os.chroot(root)
    os.chdir(folder)
    os.execvp(command[0], command)  # noqa: S606 - running it is what was asked for


def _show(source: Path, target: Path, mounts: Mapping[str, str]) -> None:
    """Show every entry of `source` in `target`, except the paths in `mounts`."""
    for entry in os.scandir(source):
        shown = target / entry.name
        if entry.path in mounts or entry.path in HIDDEN:
            continue
        if entry.is_symlink():
            shown.symlink_to(Path(entry.path).readlink())
        elif any(inside.startswith(f"{entry.path}/") for inside in mounts):
            shown.mkdir()
            _show(Path(entry.path), shown, mounts)
        else:
            if entry.is_dir():
                shown.mkdir()
            else:
                shown.touch()
            _mount(entry.path, shown, flags=MS_BIND | MS_REC)


def _mount(source: str, target: Path, *, kind: str = "", flags: int = 0) -> None:
    """Calls mount(2). One process for each mount of a whole /etc would take a second."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source.encode(), bytes(target), kind.encode(), flags, None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"mounting {source} on {target}: {os.strerror(number)}")


if __name__ == "__main__":
    main(sys.argv[1:])
