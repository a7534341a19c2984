"""The memory of the bridge grows neither with the number of archives nor with their size."""

import subprocess
import sys
from pathlib import Path

import pytest

#: 64 MiB, and the chunk that the bridge reads at once.
MOST_KIB = (64 + 1) * 1024


@pytest.mark.parametrize(
    ("what", "amount", "commits"),
    [
        pytest.param("archives", 100_000, 100_000, id="100,000 archives"),
        pytest.param("large", 1024**3, 1, id="1 GiB in one archive"),
    ],
)
def test_it_stays_under_64_mib_and_one_chunk(tmp_path: Path, what: str, amount: int, commits: int) -> None:
    result = subprocess.run(  # noqa: S603 - a module of these tests
        [sys.executable, "-m", "tests.integration.local.memory", tmp_path, what, str(amount)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert result.returncode == 0, result.stderr
    seen, highest = map(int, result.stdout.split())
    assert seen == commits
    assert highest < MOST_KIB, f"{highest} KiB were used at most"
