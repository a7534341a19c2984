"""Kills a bridge at random times, and looks at the folder after each kill. Run as a program: FOLDER KILLS SEED."""

import os
import random
import select
import signal
import sys
import threading
import time
from pathlib import Path

from spout_operator.bridge.committer import Committer
from spout_operator.bridge.folder import FolderStore
from spout_operator.bridge.source import PipeSource
from tests.unit.bridge.pipes import archive

#: A bridge dies after at most so many commits, and so many seconds.
MOST_COMMITS, LONGEST = 8, 0.005
DEADLINE = 30.0


def serve(folder: Path, told: int) -> None:
    """Commit archives of a source that goes on from the marker; each holds data and the marker. Ends by SIGKILL.

    A byte goes to `told` for each commit.
    """
    store = FolderStore(folder / "store", overwrite=False)
    source = PipeSource(folder / "out")

    def write() -> None:
        marker = store.marker_folder / "offset"
        number = int(marker.read_text()) if marker.exists() else 0
        with (folder / "out").open("wb", buffering=0) as pipe:
            while True:
                number += 1
                text = str(number).encode()
                pipe.write(archive({f"d/{number}": text, "every": text + b"\n", "offset": text}))

    threading.Thread(target=write, daemon=True).start()
    Committer(source, store, marker="offset", listener=lambda _: os.write(told, b"x")).run()


def look(folder: Path, *, after: str) -> int:
    """The number of commits, each of which has to be whole and to have its marker."""
    numbers = sorted(int(path.name) for path in (folder / "store/commits").iterdir())
    assert numbers == list(range(1, len(numbers) + 1)), f"{after}: the commits are {numbers}"
    for number in numbers[-3:]:
        commit = folder / f"store/commits/{number:04d}"
        assert (commit / f"files/d/{number}").read_text() == str(number), f"{after}: data of {number}"
        assert (commit / "marker/offset").read_text() == str(number), f"{after}: marker of {number}"
        lines = "".join(f"{line}\n" for line in range(1, number + 1))
        assert (commit / "files/every").read_text() == lines, f"{after}: what was appended up to {number}"
    return len(numbers)


def main(folder: Path, kills: int, chance: random.Random) -> None:
    """Kill, look, open the store again, look again."""
    (folder / "store/commits").mkdir(parents=True)
    commits = 0
    for kill in range(kills):
        told, tell = os.pipe()
        child = os.fork()
        if not child:
            serve(folder, tell)
        os.close(tell)
        for number in range(chance.randint(0, MOST_COMMITS)):
            assert select.select([told], [], [], DEADLINE)[0], f"kill {kill}: commit {number} did not come"
            os.read(told, 1)
        time.sleep(chance.uniform(0, LONGEST))  # the time of the kill is what is random
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(told)
        seen = look(folder, after=f"kill {kill}")
        store = FolderStore(folder / "store", overwrite=False)
        marker = store.marker_folder / "offset"
        shown = int(marker.read_text()) if marker.exists() else 0
        store.close()
        assert look(folder, after=f"start {kill}") == seen >= commits
        assert shown == seen, f"start {kill}: {seen} commits, and the marker is {shown}"
        assert not (folder / "store/.staging").exists()
        assert sum(1 for _ in folder.iterdir()) <= 3, "the store, the pipe, and the folder of the pipe"
        commits = seen
    logged = (folder / "store/commits.jsonl").read_text().count('"commit": "')
    assert logged == commits, f"{commits} commits, {logged} lines"
    sys.stdout.write(f"{commits}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), random.Random(sys.argv[3]))  # noqa: S311 - no secret
