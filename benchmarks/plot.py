"""To come."""

from pathlib import Path


def draw(file: Path, *, now: object, before: object) -> None:
    """Draw."""
