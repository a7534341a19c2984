"""`run`, `serve` and `enter` from the outside: they pass everything through, and leave nothing behind.

These tests start `run` themselves, so they run outside a test bed.
"""

# ruff: noqa: S603 - starting programs is what these tests are about
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import spout_testbed
from spout_testbed.cache import cache_root, run_folder
from spout_testbed.waiting import eventually

PACKAGE = Path(spout_testbed.__file__).parent.parent
NOBODY = 65534

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def factory(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "spout_testbed", *arguments],
            env={**os.environ, "PYTHONPATH": str(PACKAGE)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield factory
    for process in started:
        process.kill()
        process.communicate()


def read_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return "".join(lines)
    raise AssertionError(f"ended without saying {text!r}: {lines} {process.communicate()[1]}")


@pytest.mark.parametrize(
    ("command", "code", "reason"),
    [
        (["true"], 0, "success"),
        (["sh", "-c", "exit 7"], 7, "the command's own code"),
        (["sh", "-c", "kill -KILL $$"], 137, "ended by a signal, as a shell tells it"),
        (["no-such-command"], 127, "as a shell tells it"),
    ],
)
def test_the_exit_code_is_passed_on(start: Start, command: list[str], code: int, reason: str) -> None:
    assert start("run", "--", *command).wait() == code, reason


def test_input_and_output_are_passed_through(start: Start) -> None:
    out, error = start("run", "--", "sh", "-c", "cat; echo problem >&2").communicate("some text")
    assert out == "some text"
    assert error == "problem\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_reaches_the_command_which_may_clean_up(start: Start, number: signal.Signals) -> None:
    script = f"trap 'echo cleaned; exit 3' {number.name[3:]}; echo ready; while :; do sleep 0.02; done"
    process = start("run", "--", "sh", "-c", script)
    read_until(process, "ready")
    process.send_signal(number)
    assert process.communicate()[0] == "cleaned\n"
    assert process.returncode == 3


def test_every_temporary_file_vanishes(start: Start) -> None:
    script = 'touch "$TMPDIR/a" "$SPOUT_TESTBED_RUN_DIR/b" && echo "$SPOUT_TESTBED_RUN_DIR"'
    out, _ = start("run", "--", "sh", "-c", script).communicate()
    assert out.strip() == str(run_folder())
    assert list(run_folder().iterdir()) == []


def test_the_network_is_a_private_one(start: Start) -> None:
    out, _ = start("run", "--", "ip", "-brief", "address").communicate()
    assert sorted(line.split("@")[0].split()[0] for line in out.splitlines()) == ["bed", "bed-peer", "lo"]


def test_a_run_inside_a_run_is_the_same_bed(start: Start) -> None:
    inner = f"{sys.executable} -m spout_testbed run -- readlink /proc/self/ns/pid /proc/self/ns/net"
    out, _ = start("run", "--", "sh", "-c", f"readlink /proc/self/ns/pid /proc/self/ns/net; {inner}").communicate()
    lines = out.splitlines()
    assert lines[:2] == lines[2:]
    assert lines[0] != str(Path("/proc/self/ns/pid").readlink())


def test_a_process_that_lost_its_parent_ends_with_the_command(start: Start) -> None:
    process = start("run", "--", "sh", "-c", "(setsid sleep 1000 &) ; readlink /proc/self/ns/pid")
    namespace = read_until(process, "pid:").strip()
    assert process.wait() == 0
    eventually(lambda: not _processes_in(namespace), what="no process to be left", seconds=5)


def test_a_killed_run_takes_its_servers_with_it(start: Start) -> None:
    before = _shared_memory()
    process = start("serve", "--pachyderm", "1.13", "2.12")
    read_until(process, "Ctrl-C ends everything")
    inside = _descendants(process.pid)
    # PostgreSQL runs in process namespaces of its own.
    assert {"server", "kube-apiserver", "pachd", "postgres"} <= set(inside.values())
    process.kill()
    process.wait()
    eventually(
        lambda: not [pid for pid in inside if Path(f"/proc/{pid}").exists()], what="every process to end", seconds=10
    )
    assert str(run_folder()) not in Path("/proc/self/mountinfo").read_text()
    assert list(run_folder().iterdir()) == []
    assert _shared_memory() <= before


def test_serve_says_how_to_get_in_and_ends_with_ctrl_c(start: Start) -> None:
    process = start("serve", "--pachyderm", "2.12", "1.13")
    said = read_until(process, "Ctrl-C ends everything")
    assert f"python -m spout_testbed enter {process.pid} -- kubectl get nodes" in said
    nodes, _ = start("enter", str(process.pid), "--", "kubectl", "get", "nodes", "-o", "name").communicate()
    assert nodes == "node/testbed\n"
    for line in re.findall(
        r"^(?:pachctl:)? +python -m spout_testbed (enter .*pachctl list pipeline)", said, re.MULTILINE
    ):
        assert start(*line.split()).wait() == 0
    assert len(re.findall("pachctl list pipeline", said)) == 2
    assert start("enter", str(process.pid), "--", "sh", "-c", "exit 5").wait() == 5
    here, _ = start("enter", str(process.pid), "--", "pwd").communicate()
    assert here.strip() == str(Path.cwd())
    process.send_signal(signal.SIGINT)
    assert process.wait() == 0


def test_entering_what_is_no_bed_is_refused(start: Start) -> None:
    process = start("enter", "1", "--", "true")
    assert "is not a running `python -m spout_testbed run`" in process.communicate()[1]
    assert process.returncode == 1


def test_servers_outside_a_bed_are_refused() -> None:
    program = "from spout_testbed import Testbed; Testbed.start()"
    env = {key: value for key, value in os.environ.items() if not key.startswith("SPOUT_TESTBED")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**env, "PYTHONPATH": str(PACKAGE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "python -m spout_testbed run -- PROGRAM" in done.stderr


def test_an_ordinary_user_can_do_all_this() -> None:
    program = (
        "import os\n"
        "from spout_testbed import Testbed\n"
        'spec = \'{"pipeline": {"name": "a"}, "transform": {"image": "a", "cmd": ["true"]}, "spout": {}}\'\n'
        "with Testbed.start(pachyderm=('1.13', '2.12')) as bed:\n"
        "    print(bed.kubectl('get', 'nodes', '-o', 'name').stdout, end='')\n"
        "    for version in ('1.13', '2.12'):\n"
        "        bed.pachyderm(version).pachctl('create', 'pipeline', '-f', '-', input=spec)\n"
        "        print(bed.pachyderm(version).workers.wait_running('a').restarts)\n"
    )
    with _as_ordinary_user() as (prefix, python, env):
        done = subprocess.run(
            [*prefix, python, "-m", "spout_testbed", "run", "--", python, "-c", program],
            env=env,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stderr == ""
    assert done.stdout == "node/testbed\n0\n0\n"


class _as_ordinary_user:  # noqa: N801 - used as a function
    """How to run Python as somebody without rights: (command prefix, Python, environment).

    For root that is `nobody`, who can read neither root's home nor what is in it: so the package, the
    builds and, if need be, Python are laid out anew where everybody can read them.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None

    def __enter__(self) -> tuple[list[str], str, dict[str, str]]:
        env = {key: value for key, value in os.environ.items() if not key.startswith("SPOUT_TESTBED")}
        if os.geteuid() != 0:
            return [], sys.executable, {**env, "PYTHONPATH": str(PACKAGE)}
        self._folder = folder = Path(tempfile.mkdtemp(prefix="ordinary-user-"))
        folder.chmod(0o755)
        prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        shutil.copytree(PACKAGE, folder / "testbed", ignore=shutil.ignore_patterns("__pycache__"))
        cache = folder / "spout-operator" / "testbed"
        shutil.copytree(cache_root(), cache, copy_function=_link_or_copy, ignore=shutil.ignore_patterns(".*"))
        env |= {"PYTHONPATH": str(folder / "testbed"), "XDG_CACHE_HOME": str(folder), "HOME": "/nonexistent"}
        python = os.path.realpath(sys.executable)
        # Through a shell: setpriv itself still has root's rights when it starts its command.
        tried = [*prefix, "sh", "-c", 'exec "$0" -c ""', python]
        if subprocess.run(tried, capture_output=True, check=False).returncode != 0:
            python = _copy_python(folder / "python")
            env["LD_LIBRARY_PATH"] = str(folder / "python" / "lib")
        return prefix, python, env

    def __exit__(self, *_exception: object) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _copy_python(folder: Path) -> str:
    """Lay out this interpreter and its standard library in a folder of their own."""
    base = Path(sys.base_prefix)
    library = Path("lib") / f"python{sys.version_info.major}.{sys.version_info.minor}"
    unneeded = shutil.ignore_patterns("site-packages", "test", "__pycache__", "idlelib", "config-*")
    shutil.copytree(base / library, folder / library, ignore=unneeded, symlinks=True)
    for shared in (base / "lib").glob("libpython*"):
        shutil.copy2(shared, folder / "lib")
    (folder / "bin").mkdir()
    return str(shutil.copy2(os.path.realpath(sys.executable), folder / "bin" / "python3"))


def _shared_memory() -> set[str]:
    """The identifiers of the machine's segments of shared memory, which outlive the processes that created them."""
    return {line.split()[1] for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]}


def _descendants(pid: int) -> dict[int, str]:
    """The names of all processes that a process started, and that these started, by their process IDs."""
    found: dict[int, str] = {}
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            found |= {child: Path(f"/proc/{child}/comm").read_text().strip(), **_descendants(child)}
    return found


def _processes_in(namespace: str) -> list[tuple[int, str]]:
    """The processes of a process namespace: their ids outside of it, and their names."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if str((entry / "ns" / "pid").readlink()) == namespace:
                    found.append((int(entry.name), (entry / "comm").read_text().strip()))
            except OSError:
                continue
    return found
