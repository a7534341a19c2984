"""A spout that the policy allows, and whose code takes what it can get."""

import json
import sys
import uuid
from pathlib import Path

from spout_testbed.harness import bodies
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually


class HostileSpout:
    """The spout, whose code says what it can get each time it is asked."""

    def __init__(self, spouts: Spouts, name: str, *, code: Path, folder: Path) -> None:
        """Create the Spout, and wait until it runs.

        Args:
            spouts: of its namespace.
            name: its name.
            code: the program.
            folder: for its answers; it is made here.
        """
        self.name = name
        self._details = lambda: spouts.details(name)
        self._folder = folder
        self._folder.mkdir()
        spec = {
            "transform.image": "python:3.13",
            "transform.cmd": [sys.executable, str(code)],
            "transform.env": {"ANSWERS": str(folder)},
        }
        spouts.create(name, bodies.a_spec(spec))
        spouts.wait(name, "to run", ready="True")

    def gets(self) -> dict[str, object]:
        """What its code can get now."""
        number = uuid.uuid4().hex[:8]
        (self._folder / f"ask-{number}").touch()
        answer = self._folder / f"answer-{number}"
        eventually(answer.exists, what="the code to answer", seconds=60, details=self._details)
        found: dict[str, object] = json.loads(answer.read_text())
        return found
