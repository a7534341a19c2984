"""Commits the files that appear in a folder: user code of a spout, with nothing but Python's standard library.

The marker is the list of the files that were taken, one a line. The program commits each name once. Move a file into
the folder when it is complete, because the program takes a file that is half written as it is.
"""

import os
import sys
import tarfile
import tempfile
import time
from pathlib import Path

PFS = Path(os.environ.get("SPOUT_PFS", "/pfs"))
MARKER = "taken"
PAUSE_SECONDS = 1.0


def commit(name: str, path: Path) -> None:
    """Write an archive with one file. The worker may be between two archives, so a failed write is tried again."""
    while True:
        try:
            with (PFS / "out").open("wb") as pipe, tarfile.open(fileobj=pipe, mode="w|") as archive:
                archive.add(path, name, recursive=False)
        except BrokenPipeError:
            time.sleep(0.1)
        else:
            return


def main(folder: Path) -> None:
    """Take what is in `folder`, for ever."""
    marker = PFS / MARKER
    taken = marker.read_text(encoding="utf-8").splitlines() if marker.exists() else []
    while True:
        for path in sorted(path for path in folder.iterdir() if path.is_file() and path.name not in taken):
            commit(f"files/{path.name}", path)
            taken.append(path.name)
            with tempfile.NamedTemporaryFile() as file:
                file.write("".join(f"{name}\n" for name in taken).encode())
                file.flush()
                # An archive of its own: Pachyderm 1.13 takes no data together with a marker.
                commit(MARKER, Path(file.name))
            print(f"committed {path.name}", flush=True)
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    try:
        main(Path(os.environ["FOLDER"]))
    except OSError as error:
        sys.exit(f"error: {error}")
