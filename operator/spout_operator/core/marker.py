"""How a marker is shown: its value where that is short text, else its size and digest, always bounded."""

import hashlib
import unicodedata
from typing import Any

from spout_operator.core.model import Marker, MarkerFile
from spout_operator.core.timestamps import print_time

#: The longest marker file whose value is shown, in bytes.
LONGEST_VALUE = 1024
#: The longest marker file that is read to tell its digest, in bytes; of a longer one only the size is told.
LONGEST_READ = 1024 * 1024
#: How many files of a marker directory are listed, and how long a value of theirs is shown, in bytes.
MOST_FILES = 16
LONGEST_LISTED_VALUE = 128
#: The longest path of a file that is listed, in characters; a spout can choose any.
LONGEST_PATH = 128
#: What fits into the MARKER column.
LONGEST_SUMMARY = 32


def to_status(marker: Marker) -> dict[str, Any]:
    """The `status.marker` of a marker; never longer than a few KiB, whatever the spout wrote."""
    where = {"path": marker.path, "commit": marker.commit}
    if marker.finished_at is not None:
        where["updatedAt"] = str(print_time(marker.finished_at))
    if marker.is_directory:
        noun = "file" if marker.files_total == 1 else "files"
        return {
            **where,
            "summary": f"{marker.files_total} {noun}",
            "filesTotal": marker.files_total,
            "files": [_listed(file) for file in marker.files[:MOST_FILES]],
        }
    shown = _content(marker.files[0], LONGEST_VALUE)
    return {**where, "summary": _summary(shown), **shown}


def _content(file: MarkerFile, longest: int) -> dict[str, Any]:
    if file.content is None:
        return {"sizeBytes": file.size}
    text = _as_text(file.content)
    if text is not None and file.size <= longest:
        return {"sizeBytes": file.size, "value": text}
    return {"sizeBytes": file.size, "sha256": hashlib.sha256(file.content).hexdigest()}


def _listed(file: MarkerFile) -> dict[str, Any]:
    return {"path": _bounded_path(file.path), **_content(file, LONGEST_LISTED_VALUE)}


def _bounded_path(path: str) -> str:
    if len(path) <= LONGEST_PATH:
        return path
    # The list in the status is keyed by path, so two long ones have to stay different.
    digest = hashlib.sha256(path.encode()).hexdigest()[:8]
    return f"{digest}…{path[-LONGEST_PATH + 9 :]}"


def _as_text(content: bytes) -> str | None:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    # A terminal must not be steered by what a stream holds: other control and direction characters count as binary.
    printable = all(char in "\t\r\n" or unicodedata.category(char) not in {"Cc", "Cf", "Cs"} for char in text)
    return text if printable else None


def _summary(shown: dict[str, Any]) -> str:
    if "value" in shown:
        line = " ".join(shown["value"].split())
        return line if len(line) <= LONGEST_SUMMARY else line[: LONGEST_SUMMARY - 1] + "…"
    digest = f" {shown['sha256'][:8]}" if "sha256" in shown else ""
    return f"{shown['sizeBytes']} bytes{digest}"
