"""Runs a command with a folder at /pfs, in a mount namespace of its own: `python -m spout_operator.local.sandbox`.

Needs no root where the kernel allows user namespaces. Nothing on the machine changes: folders that are missing exist in
the namespace alone. Linux only.
"""

import ctypes
import os
import shlex
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

_NEW_MOUNTS, _NEW_USER = 0x00020000, 0x10000000
_BIND, _RECURSIVE, _PRIVATE = 4096, 16384, 1 << 18


def command(root: Path, places: Mapping[Path, Path], working_dir: Path, cmd: tuple[str, ...]) -> list[str]:
    """The command line that runs `cmd` in `working_dir`, with each folder of `places` at the path that it maps to.

    `root` is an empty folder, over which the namespace has its root.
    """
    pairs = [f"{folder}\n{place}" for folder, place in places.items()]
    return [
        sys.executable,
        "-m",
        "spout_operator.local.sandbox",
        str(root),
        str(working_dir),
        str(len(pairs)),
        *pairs,
        *cmd,
    ]


def main(arguments: list[str]) -> None:
    """What `command` wrote: enter the namespace, and become the command.

    Raises:
        OSError: the kernel refuses.
    """
    root, working_dir, count, *rest = arguments
    pairs, cmd = rest[: int(count)], rest[int(count) :]
    _enter()
    _new_root(root)
    for pair in pairs:
        folder, _, place = pair.partition("\n")
        _mount_point(Path(place))
        _mount(folder, place, _BIND | _RECURSIVE)
    os.chdir(working_dir)
    os.execvp(cmd[0], cmd)  # noqa: S606 - the command of the Spout is what is run


def _enter() -> None:
    user, group = os.getuid(), os.getgid()
    try:
        _call("unshare", _NEW_MOUNTS)
    except PermissionError:
        _call("unshare", _NEW_MOUNTS | _NEW_USER)
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            Path("/proc/self", name).write_text(text)
    _mount("none", "/", _RECURSIVE | _PRIVATE)


def _new_root(root: str) -> None:
    """A root in memory that shows all of the old one, and in which folders can be made."""
    _mount("tmpfs", root, 0, "tmpfs")
    _show_all(Path("/"), Path(root))
    os.chroot(root)
    os.chdir("/")


def _mount_point(path: Path) -> None:
    """Make a folder that can be mounted at, over parents that cannot be written to."""
    for part in [*reversed(path.parents), path]:
        if part.is_dir():
            continue
        try:
            # Only in what is in memory: elsewhere the folder would be made on the machine.
            if part.parent.stat().st_dev != Path("/").stat().st_dev:
                stash = Path(tempfile.mkdtemp(prefix=".stash-", dir="/"))
                _mount(str(part.parent), str(stash), _BIND | _RECURSIVE)
                _mount("tmpfs", str(part.parent), 0, "tmpfs")
                _show_all(stash, part.parent)
            part.mkdir()
        except OSError as error:
            raise OSError(error.errno, f"{part}: cannot be made for the command: {error.strerror}") from error


def _show_all(old: Path, new: Path) -> None:
    for entry in old.iterdir():
        shown = new / entry.name
        if entry == new or (entry in new.parents and entry.name == new.name):
            continue
        if entry.is_symlink():
            shown.symlink_to(entry.readlink())
        elif entry.is_dir():
            shown.mkdir()
            _mount(str(entry), str(shown), _BIND | _RECURSIVE)
        elif entry.exists():
            shown.touch()
            _mount(str(entry), str(shown), _BIND)


def _mount(what: str, where: str, flags: int, kind: str = "none") -> None:
    _call("mount", what.encode(), where.encode(), kind.encode(), flags, None)


def _call(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*(ctypes.c_ulong(item) if isinstance(item, int) else item for item in arguments)):
        number = ctypes.get_errno()
        raise OSError(number, f"{name} {shlex.join(str(item) for item in arguments[:2])}: {os.strerror(number)}")


if __name__ == "__main__":
    main(sys.argv[1:])
