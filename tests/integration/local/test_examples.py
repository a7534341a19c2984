"""The examples that run without any server: they commit, are killed, and resume from their marker."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


def run(folder: Path, example: str, *arguments: str) -> list[dict[str, Any]]:
    """The JSON lines that run-local prints of an example."""
    result = subprocess.run(  # noqa: S603 - our own program
        [
            *(sys.executable, "-m", "spout_operator", "run-local", str(ROOT / "examples" / example / "spout.yaml")),
            *("--json", "--timeout", "60", *arguments),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def values(lines: list[dict[str, Any]], kind: str, field: str) -> list[Any]:
    return [line[field] for line in lines if line["event"] == kind]


def test_the_clock_goes_on_from_its_marker_after_a_crash(tmp_path: Path) -> None:
    lines = run(tmp_path, "clock", "--commits", "4", "--crash-after", "2")

    assert values(lines, "commit", "commit") == ["0001", "0002", "0003", "0004"]
    # Mostly the crash comes before the marker of the second commit, so the second tick is made again. An archive that
    # is complete at that moment is committed, too: then the third comes next.
    marker = int(values(lines, "marker", "value")[-1])
    assert marker in {2, 3}
    ticks = {file.name for file in (tmp_path / "spout-data/clock/head").rglob("tick-*")}
    assert ticks == {f"tick-{number}" for number in range(1, marker + 2)}


def test_each_file_of_a_folder_is_committed_once_also_over_a_crash(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for number in range(6):
        (source / f"{number}.txt").write_text(f"content {number}")

    run(tmp_path, "files", "--env", f"FOLDER={source}", "--commits", "3", "--crash-after", "1")
    run(tmp_path, "files", "--env", f"FOLDER={source}", "--commits", "3")

    head = tmp_path / "spout-data/files/head"
    committed = {file.name: file.read_text() for file in head.rglob("*.txt")}
    assert committed.items() <= {f"{number}.txt": f"content {number}" for number in range(6)}.items()
    assert len(committed) >= 4, "the marker moves on over a crash and over a new run"
