"""A bridge that is killed at any point leaves each commit whole with its marker, or not at all."""

import subprocess
import sys
from pathlib import Path

KILLS = 200


def test_two_hundred_kills_at_random_times_leave_whole_commits_alone(tmp_path: Path) -> None:
    result = subprocess.run(  # noqa: S603 - a module of these tests
        [sys.executable, "-m", "tests.integration.local.crashes", tmp_path, str(KILLS), "1"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) > KILLS, "commits were made between the kills"
