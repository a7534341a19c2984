"""Logs of real workers, kept as pachctl printed them, and events in a form that is easy to compare."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spout_operator.core.activity import Ended, Failed, OutputRefused, Started, WorkerEvent

Told = tuple[Any, ...]


def read_log(folder: Path, name: str) -> list[dict[str, Any]]:
    """The LogMessages of a file, whose first lines say how it was made."""
    text = (folder / f"{name}.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines() if not line.startswith("#")]


def told(events: Sequence[WorkerEvent]) -> list[Told]:
    """What the events say, without their times."""
    return [_told(event) for event in events]


def _told(event: WorkerEvent) -> Told:
    match event:
        case Started():
            return ("started",)
        case Ended():
            return ("ended",)
        case OutputRefused():
            return ("refused", event.error)
        case Failed(exit_code=code, error=error, retry_in=retry):
            return ("failed", error if code is None else code, retry.total_seconds() if retry is not None else None)
