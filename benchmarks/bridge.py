"""How fast the bridge commits, and in how much memory: `python -m benchmarks.bridge [ARCHIVES]`. Needs no server."""

import io
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from spout_operator.bridge.committer import Committer
from spout_operator.bridge.folder import FolderStore
from spout_operator.bridge.source import PipeSource

ROUNDS = 3
GIBIBYTE = 1024**3
#: A file system without a disk, on Linux.
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
UNPACK = "mkdir {folder}/x && tar -C {folder}/x -xf {pipe}"
Result = TypeVar("Result")


def archive(number: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo(f"f/{number}")
        entry.size = 1024
        tar.addfile(entry, io.BytesIO(bytes(1024)))
    return buffer.getvalue()


def feed(pipe: Path, archives: int) -> None:
    """Write archives from a process of its own, made before the clock starts."""
    content = [archive(number) for number in range(archives)]
    with pipe.open("wb") as out:
        for one in content:
            out.write(one)


def committed(folder: Path, archives: int) -> tuple[float, list[int]]:
    """Seconds from the first to the last commit, and the resident memory in KiB at each tenth of them."""
    store, source = FolderStore(folder / "store", overwrite=True), PipeSource(folder / "out")
    seen: list[float] = []
    memory: list[int] = []

    def told(_: object) -> None:
        seen.append(time.monotonic())
        if len(seen) % (archives // 10) == 0:
            memory.append(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024)
        if len(seen) == archives:
            source.stop()

    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.bridge", "feed", str(folder / "out"), str(archives)],
        stdin=subprocess.DEVNULL,
    ):
        Committer(source, store, marker="", listener=told).run()
    source.close()
    store.close()
    return seen[-1] - seen[0], memory


def bare(folder: Path, archives: int) -> float:
    """Seconds for the same calls of the file system, without pipe, archive and store."""
    (folder / "head/f").mkdir(parents=True)
    content, top = bytes(1024), str(folder)
    start = time.monotonic()
    log = os.open(f"{top}/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in range(archives):
        for made in ("", "/files", "/files/f"):
            os.mkdir(f"{top}/.staging{made}")  # noqa: PTH102 - the bare call is what is measured
        file = os.open(f"{top}/.staging/files/f/{number}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        os.write(file, content)
        os.close(file)
        Path(f"{top}/head/f/{number}").exists()
        os.rename(f"{top}/.staging", f"{top}/{number}")  # noqa: PTH104 - the same
        os.link(f"{top}/{number}/files/f/{number}", f"{top}/head/f/{number}")
        os.write(log, b"x" * 120 + b"\n")
    os.close(log)
    return time.monotonic() - start


def one_large(folder: Path, command: str) -> float:
    """Seconds in which `command`, or the bridge if it is empty, takes an archive of 1 GiB from a pipe."""
    large = folder / "large"
    large.touch()
    os.truncate(large, GIBIBYTE)
    pipe = folder / "out"
    writer = f"exec tar -C {folder} -cf {pipe} large"
    start = time.monotonic()
    if command:
        os.mkfifo(pipe)
        with subprocess.Popen(["sh", "-c", writer]):
            subprocess.run(["sh", "-c", command.format(pipe=pipe, folder=folder)], check=True)
    else:
        store, source = FolderStore(folder / "store", overwrite=True), PipeSource(pipe)
        with subprocess.Popen(["sh", "-c", writer]):
            Committer(source, store, marker="", listener=lambda _: source.stop()).run()
        source.close()
        store.close()
    return time.monotonic() - start


def in_folder(measure: Callable[[Path], Result], place: str | None = None) -> Result:
    with tempfile.TemporaryDirectory(dir=place) as folder:
        return measure(Path(folder))


def name(place: str | None) -> str:
    return "in memory" if place else "on the disk"


def small(archives: int, place: str | None) -> None:
    """Print commits a second of archives of 1 KiB, beside the bare loop, in turns."""
    rounds = []
    for _ in range(ROUNDS):
        used = time.process_time()
        ours = in_folder(lambda folder: committed(folder, archives)[0], place)
        used, between = time.process_time() - used, time.process_time()
        plain = in_folder(lambda folder: bare(folder, archives), place)
        rounds.append((archives / ours, archives / plain, used, time.process_time() - between))
    ours, plain, used, plain_used = (statistics.median(each) for each in zip(*rounds, strict=True))
    print(
        f"archives of 1 KiB, {name(place)}: {ours:,.0f} commits a second, the bare loop "
        f"{plain:,.0f}; ratio of the medians {plain / ours:.2f}, of the CPU time {used / plain_used:.2f}; "
        f"{1e6 * used / archives:.0f} microseconds of CPU for each"
    )


def main(archives: int) -> None:
    small(archives, None)
    if MEMORY.is_dir():
        small(archives, str(MEMORY))
    for place in [None, str(MEMORY)] if MEMORY.is_dir() else [None]:
        rounds = [[in_folder(lambda folder: one_large(folder, how), place) for how in (UNPACK, "")] for _ in range(3)]  # noqa: B023 - called at once
        tar, bridge = (statistics.median(each) for each in zip(*rounds, strict=True))
        print(f"1 GiB in one archive, {name(place)}: {1024 / bridge:,.0f} MiB a second; tar -x: {1024 / tar:,.0f}")
    memory = in_folder(lambda folder: committed(folder, 10 * archives), str(MEMORY) if MEMORY.is_dir() else None)[1]
    first, last = memory[0] / 1024, memory[-1] / 1024
    print(f"resident memory over {10 * archives:,} archives: {first:.1f} MiB after a tenth, {last:.1f} at the end")


if __name__ == "__main__":
    if sys.argv[1:2] == ["feed"]:
        feed(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 10_000)
