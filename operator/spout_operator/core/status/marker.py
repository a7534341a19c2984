"""How a marker is shown: its value where that is short text, else its size and digest, always bounded.

Or that there is none, or that it could not be read: then what was shown before is not shown as if it still held.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from spout_operator.core.marker import Marker, MarkerFile, MarkerLimits
from spout_operator.core.redaction import LONGEST_SHOWN
from spout_operator.core.timestamps import print_time

#: The longest marker file whose value is shown, in bytes.
LONGEST_VALUE = 1024
#: The longest marker file that is read to tell its digest, in bytes; of a longer one only the size is told.
LONGEST_READ = 1024 * 1024
#: How many files of a marker directory are listed, and how long a value of theirs is shown, in bytes.
MOST_FILES = 16
LONGEST_LISTED_VALUE = 128
#: How many files of a marker directory are counted: pachd tells of each in a message of its own.
MOST_COUNTED = 10_000
#: How much of a marker is read.
LIMITS = MarkerLimits(
    longest_file=LONGEST_READ,
    longest_listed_file=LONGEST_LISTED_VALUE,
    most_files=MOST_FILES,
    most_counted=MOST_COUNTED,
)
#: The longest path of a file that is listed, in characters; a spout can choose any.
LONGEST_PATH = 128
#: What fits into the MARKER column.
LONGEST_SUMMARY = 32
#: The summary of a marker that could not be read. A marker can hold this word too, but none has a message.
UNKNOWN = "unknown"
#: What differs from try to try in what a server says: ports, durations, the ids of requests.
_NUMBERS = re.compile(r"\S*\d\S*")


def to_status(marker: Marker) -> dict[str, Any]:
    """The `status.marker` of a marker; never longer than a few KiB, whatever the spout wrote."""
    where = {"path": marker.path, "commit": marker.commit}
    if marker.finished_at is not None:
        where["updatedAt"] = str(print_time(marker.finished_at))
    if marker.is_absent:
        return {**where, "summary": "none", "message": _none(marker)}
    if marker.is_directory:
        files = [_listed(file) for file in marker.files[:MOST_FILES]]
        if marker.files_total is None:
            return {**where, "summary": f"more than {MOST_COUNTED} files", "files": files}
        noun = "file" if marker.files_total == 1 else "files"
        return {
            **where,
            "summary": f"{marker.files_total} {noun}",
            "filesTotal": marker.files_total,
            "files": files,
        }
    shown = _content(marker.files[0], LONGEST_VALUE)
    return {**where, "summary": _summary(shown), **shown}


def unknown(path: str, commit: str, message: str, *, shown: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The `status.marker` of a marker that could not be read.

    Args:
        path: the marker's, as in the spec.
        commit: the head of the marker branch in which the operator looked for it.
        message: why, as `core.redaction.Secrets.shown` has it.
        shown: the section as it is: it stays where the reason is the same but for its numbers.
    """
    found = {"path": path, "commit": commit, "summary": UNKNOWN, "message": message[:LONGEST_SHOWN]}
    return shown if shown and _without_numbers(shown) == _without_numbers(found) else found


def is_unknown(shown: Mapping[str, Any]) -> bool:
    """Whether a `status.marker` says that the marker could not be read."""
    return shown.get("summary") == UNKNOWN and "message" in shown


def _without_numbers(shown: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**shown, "message": _NUMBERS.sub("#", shown.get("message", ""))}


def _none(marker: Marker) -> str:
    # docs/pachyderm-1.13.md: the worker passes over a branch without commits, over nothing else.
    return (
        f"the newest commit of the marker branch holds no file or folder {marker.path!r}. A spout that runs goes on, "
        "and writes it anew with its next position; but at its next start the worker fails before it runs the spout's "
        f"code. Put a position there, with pachctl put file to the branch {marker.branch!r} of the spout's repo"
    )


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
    printable = all(char in "\t\r\n" or unicodedata.category(char) not in {"Cc", "Cf"} for char in text)
    return text if printable else None


def _summary(shown: dict[str, Any]) -> str:
    if "value" in shown:
        line = " ".join(shown["value"].split())
        return line if len(line) <= LONGEST_SUMMARY else line[: LONGEST_SUMMARY - 1] + "…"
    digest = f" {shown['sha256'][:8]}" if "sha256" in shown else ""
    return f"{shown['sizeBytes']} bytes{digest}"
