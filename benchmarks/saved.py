"""The figures of `benchmarks.scale` as they are kept, and printed beside those of before."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import show

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "figures"
#: Measured by the same command on the code as it is, and (once) on that which read all heads at each tick.
NOW, BEFORE = FOLDER / "scale.json", FOLDER / "scale-before.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figures:
    """What so many Spouts cost."""

    spouts: int
    first_cpu: list[float]
    """Percent of a core, in the first minutes after all were made and shown."""
    first_reads: list[float]
    """Reads of heads in these minutes."""
    cpu: float
    """Percent of a core after a restart, at rest: they have been quiet for an hour."""
    reads: float
    """Reads of heads a minute then."""
    memory: float
    """MiB, resident, then."""
    peak: float
    """MiB, the most since that restart."""
    each: float
    """KiB for each Spout over the memory of an operator without any."""
    restart: float
    """Seconds of CPU until each Spout was looked at after a restart."""


def load(file: Path) -> list[Figures]:
    """What was kept; none where nothing was."""
    return [Figures(**row) for row in json.loads(file.read_text(encoding="utf-8"))] if file.exists() else []


def keep(found: Sequence[Figures]) -> None:
    """Keep figures; those of other numbers of Spouts stay as they are."""
    rows = {row.spouts: row for row in (*load(NOW), *found)}
    kept = [rows[spouts] for spouts in sorted(rows)]
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps([dataclasses.asdict(row) for row in kept], indent=2)
    NOW.write_text(f"{text}\n", encoding="utf-8")


def print_beside(figures: Figures) -> None:
    """Print figures, and those of before beside them."""
    before = {row.spouts: row for row in load(BEFORE)}.get(figures.spouts)
    rows = (
        ("at rest, CPU, % of a core", "cpu", "{:.1f}"),
        ("at rest, reads of heads a minute", "reads", "{:.0f}"),
        ("first minutes, CPU, % of a core", "first_cpu", "{:.1f}"),
        ("first minutes, reads of heads in each", "first_reads", "{:.0f}"),
        ("memory, Mi", "memory", "{:.0f}"),
        ("memory, peak since the restart, Mi", "peak", "{:.0f}"),
        ("memory, KiB a Spout over the base", "each", "{:.1f}"),
        ("restart, s of CPU", "restart", "{:.1f}"),
    )
    for what, field, form in rows:
        old = f"  (before: {_print(getattr(before, field), form)})" if before is not None else ""
        show(f"{figures.spouts} Spouts, {what}", _print(getattr(figures, field), form) + old)


def _print(value: float | Sequence[float], form: str) -> str:
    return ", ".join(map(form.format, value)) if isinstance(value, Sequence) else form.format(value)
