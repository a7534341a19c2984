"""A Python writer of spouts that opens the pipe once, and writes one archive after the other."""

import io
import os
import tarfile
from pathlib import Path

with Path(os.environ.get("SPOUT_PFS", "/pfs"), "out").open("wb") as pipe:
    for number in range(20):
        with tarfile.open(fileobj=pipe, mode="w|") as archive:
            content = f"{number}\n".encode()
            entry = tarfile.TarInfo(f"file-{number}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
