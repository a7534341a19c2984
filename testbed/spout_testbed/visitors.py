"""The folder in which `python -m spout_testbed enter` finds the programs and files of a running test bed."""

from collections.abc import Mapping
from pathlib import Path


def show(bed: Path, *, programs: Mapping[str, Path], links: Mapping[str, Path]) -> None:
    """Create the folder, and a link `current` to it beside the folder of the test bed.

    Args:
        bed: the folder of the test bed.
        programs: the programs, by their names in the folder `bin`.
        links: the other files, by their names.
    """
    visitors = bed / "visitors"
    (visitors / "bin").mkdir(parents=True)
    for name, target in links.items():
        (visitors / name).symlink_to(target)
    for name, target in programs.items():
        (visitors / "bin" / name).symlink_to(target)
    current = bed.parent / "current"
    current.unlink(missing_ok=True)
    current.symlink_to(visitors)
