"""PostgreSQL, where Pachyderm 2 keeps its metadata."""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from spout_testbed.errors import TestbedError
from spout_testbed.network import BED_ADDRESS, LOOPBACK, POSTGRES_PORT
from spout_testbed.server import Server

USER = "pachyderm"
PASSWORD = "testbed"  # noqa: S105 - only processes inside the test bed can reach the server
DATABASES = ("pachyderm", "dex")
"""The databases that Pachyderm's chart creates: its own, and that of the identity server."""

_USER_ID = "1000"
"""PostgreSQL refuses to run as user 0, which every other process of a test bed is."""
_READY = "database system is ready to accept connections"
_SETTINGS = {
    "listen_addresses": f"{LOOPBACK},{BED_ADDRESS}",
    "port": str(POSTGRES_PORT),
    "unix_socket_directories": "",
    # Each pachd and each worker opens up to 20 connections.
    "max_connections": "1000",
    "shared_buffers": "32MB",
    "dynamic_shared_memory_type": "mmap",
    # The data are on a tmpfs that ends with the test bed, so to wait for a disk would protect nothing.
    "fsync": "off",
}


def postgres_server(programs: Path, folder: Path) -> Server:
    """A PostgreSQL that keeps its data in `folder`. This function creates the databases.

    Raises:
        TestbedError: a database cannot be created. The message has the output.
    """
    data = folder / "data"
    folder.mkdir(parents=True, exist_ok=True)
    password = folder / "password"
    password.write_text(PASSWORD)
    bin_folder = programs / "bin"
    options = ("--auth=scram-sha-256", f"--username={USER}", f"--pwfile={password}", "--encoding=UTF8", "--no-locale")
    _run([str(bin_folder / "initdb"), f"--pgdata={data}", "--no-sync", *options])
    # initdb lets in nobody but this machine's loopback address.
    (data / "pg_hba.conf").write_text("host all all all scram-sha-256\n")
    # There is no client program beside the server: its single-user mode takes the statements.
    statements = "".join(f"CREATE DATABASE {name};\n" for name in DATABASES)
    _run([str(bin_folder / "postgres"), "--single", "-F", "-D", str(data), "postgres"], stdin=statements)
    settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
    return Server(
        "postgres",
        # In namespaces of its own: a killed server leaves no process and no shared memory on the machine.
        _as_user(
            [str(bin_folder / "postgres"), "-D", str(data), *settings], "--ipc", "--pid", "--fork", "--kill-child"
        ),
        env=_environment(),
        log=folder / "log",
        ready=lambda output: _READY in output,
        ready_means=f"it logs {_READY!r}",
        # After SIGTERM, it would wait until all clients have gone.
        stop_signal=signal.SIGINT,
    )


def _as_user(command: Sequence[str], *options: str) -> list[str]:
    return ["unshare", "--user", f"--map-user={_USER_ID}", f"--map-group={_USER_ID}", *options, "--", *command]


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _run(command: Sequence[str], *, stdin: str = "") -> None:
    done = subprocess.run(
        _as_user(command), env=_environment(), input=stdin, capture_output=True, text=True, check=False
    )
    # In its single-user mode, the server ends with 0 also after a statement that failed.
    if done.returncode != 0 or "ERROR:" in done.stderr:
        name = Path(command[0]).name
        raise TestbedError(f"postgres: {name} ended with exit code {done.returncode}\n{done.stdout}{done.stderr}")
