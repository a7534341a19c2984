"""What run-local prints: lines for people, or JSON lines."""

import json
import sys
import threading
from pathlib import Path

_LONGEST_VALUE = 60


class Report:
    """Prints one line for each event. Called from several threads."""

    def __init__(self, name: str, *, as_json: bool) -> None:
        self._name = name
        self._as_json = as_json
        self._lock = threading.Lock()

    def say(self, event: str, text: str, **fields: object) -> None:
        """Print an event. `fields` are what JSON has beside `event` and `message`."""
        if self._as_json:
            line = json.dumps({"event": event, "message": text, **fields})
        else:
            line = f"{self._name} | {text}" if event == "output" else text
        with self._lock:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


def marker_value(path: Path) -> str:
    """A marker in one line: its text, or how large it is."""
    if path.is_dir():
        return f"a folder of {sum(1 for file in path.rglob('*') if file.is_file())} files"
    with path.open("rb") as file:
        content = file.read(_LONGEST_VALUE + 1)
    text = content.decode(errors="replace").strip()
    if len(content) > _LONGEST_VALUE or not text.isprintable():
        return f"{path.stat().st_size} bytes"
    return text
