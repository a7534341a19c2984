"""The smallest complete spout: it counts from the marker up to LIMIT, and writes data and marker in turn."""

import io
import os
import tarfile
import time
from pathlib import Path

PFS = Path("/pfs")


def put(name: str, content: bytes) -> None:
    """Write one archive. The worker may be between two archives, so a failed write is retried."""
    while True:
        try:
            with (PFS / "out").open("wb") as pipe, tarfile.open(fileobj=pipe, mode="w|") as archive:
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        except OSError:
            time.sleep(0.05)
        else:
            return


marker = PFS / "offset"
count = int(marker.read_text()) if marker.exists() else 0
limit = int(os.environ["LIMIT"])
while True:
    if count < limit:
        count += 1
        put(f"data-{count}", b"x")
        put("offset", str(count).encode())
    time.sleep(0.2)
