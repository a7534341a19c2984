"""`python -m tests.fuzz FOLDER SECONDS`: fuzzes the reader of archives for a time. What fails is kept in FOLDER."""

import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["spout_operator.bridge"]):
    from tests.fuzz.target import check

#: Bytes of an input: some headers, each with a little content.
LONGEST = 16 * 1024
GNU_TAR = (
    ["--format=v7"],
    ["--format=gnu", "--sparse"],
    *(["--format=pax", "--sparse", f"--sparse-version={version}"] for version in ("0.0", "0.1", "1.0")),
)


def seeds(folder: Path) -> None:
    """Archives of every format to start from."""
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
            for name, kind in (("d", tarfile.DIRTYPE), ("d/f", tarfile.REGTYPE), ("l", tarfile.SYMTYPE)):
                entry = tarfile.TarInfo(name if form == tarfile.USTAR_FORMAT else name * 120)
                entry.type, entry.size = kind, 700 if kind == tarfile.REGTYPE else 0
                tar.addfile(entry, io.BytesIO(b"x" * entry.size))
        (folder / f"python-{form}").write_bytes(buffer.getvalue())
    with tempfile.TemporaryDirectory() as source:
        with Path(source, "holes").open("wb") as file:
            for number in range(30):
                file.seek(number * 8192)
                file.write(b"data")
        for number, options in enumerate(GNU_TAR):
            subprocess.run(["tar", *options, "-C", source, "-cf", folder / f"gnu-{number}", "."], check=True)  # noqa: S603, S607 - tar writes the seeds


def main(kept: Path, seconds: int) -> None:
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as corpus:
        seeds(Path(corpus))
        options = [
            f"-max_total_time={seconds}",
            f"-max_len={LONGEST}",
            f"-artifact_prefix={kept}/",
            "-print_final_stats=1",
        ]
        atheris.Setup([sys.argv[0], *options, corpus], check)
        atheris.Fuzz()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
