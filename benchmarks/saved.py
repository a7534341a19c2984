"""Saves the figures of `benchmarks.scale`, and prints them beside the earlier figures."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import show

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "figures"
#: Measured with the same command: on the current code, and (once) on the code that read all heads at each poll.
NOW, BEFORE = FOLDER / "scale.json", FOLDER / "scale-before.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figures:
    """The cost of a number of Spouts."""

    spouts: int
    first_cpu: list[float]
    """CPU in percent of a core, in each of the first minutes after all Spouts were created and observed."""
    first_reads: list[float]
    """Reads of branch heads in each of these minutes."""
    cpu: float
    """CPU in percent of a core at rest: after a restart, with Spouts that have made no commit for an hour."""
    reads: float
    """Reads of branch heads per minute at rest."""
    memory: float
    """Resident memory at rest, in MiB."""
    peak: float
    """The peak of the resident memory since the last restart, in MiB."""
    each: float
    """Memory for each Spout beyond the memory of an operator without Spouts, in KiB."""
    restart: float
    """Seconds of CPU from a restart until the operator has observed each pipeline: the median of several restarts."""


def load(file: Path) -> list[Figures]:
    """The figures in `file`, or none if there is no such file."""
    return [Figures(**row) for row in json.loads(file.read_text(encoding="utf-8"))] if file.exists() else []


def keep(found: Sequence[Figures]) -> None:
    """Save these figures. The figures of other numbers of Spouts stay as they are."""
    rows = {row.spouts: row for row in (*load(NOW), *found)}
    kept = [rows[spouts] for spouts in sorted(rows)]
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps([dataclasses.asdict(row) for row in kept], indent=2)
    NOW.write_text(f"{text}\n", encoding="utf-8")


def print_beside(figures: Figures) -> None:
    """Print these figures, with the earlier figures beside them."""
    before = {row.spouts: row for row in load(BEFORE)}.get(figures.spouts)
    rows = (
        ("at rest, CPU, % of a core", "cpu", "{:.1f}"),
        ("at rest, reads of heads per minute", "reads", "{:.0f}"),
        ("first minutes, CPU, % of a core", "first_cpu", "{:.1f}"),
        ("first minutes, reads of heads in each", "first_reads", "{:.0f}"),
        ("memory, MiB", "memory", "{:.0f}"),
        ("memory, peak since the restart, MiB", "peak", "{:.0f}"),
        ("memory, KiB per Spout over the base", "each", "{:.1f}"),
        ("restart, s of CPU", "restart", "{:.1f}"),
    )
    for what, field, form in rows:
        old = f"  (before: {_print(getattr(before, field), form)})" if before is not None else ""
        show(f"{figures.spouts} Spouts, {what}", _print(getattr(figures, field), form) + old)


def _print(value: float | Sequence[float], form: str) -> str:
    return ", ".join(map(form.format, value)) if isinstance(value, Sequence) else form.format(value)
