"""The versions of Pachyderm that the test bed knows, and those that the tests run against."""

import os
import re
from collections.abc import Mapping

from spout_testbed.errors import TestbedError

PACHYDERM: Mapping[str, str] = {"1.13": "1.13.4", "2.12": "2.12.2"}
"""The versions that the test bed builds without being asked, by the names that `Testbed.start` takes."""
VARIABLE = "SPOUT_TESTBED_PACHYDERM"
"""The variable with the only version that the tests are to run against."""


def under_test() -> tuple[str, ...]:
    """The versions that a suite for every server runs against, as `Testbed.start` takes them.

    All that the project supports, or the one that `python -m spout_testbed run --pachyderm VERSION` names.
    """
    named = os.environ.get(VARIABLE)
    return (named,) if named else tuple(PACHYDERM)


def whole(asked: str) -> str:
    """The whole version for a key of `PACHYDERM`, or for a whole version of Pachyderm 2, such as `2.8.10`.

    Raises:
        TestbedError: it is neither.
    """
    if asked in PACHYDERM:
        return PACHYDERM[asked]
    if asked in PACHYDERM.values() or re.fullmatch(r"2\.\d+\.\d+", asked):
        return asked
    known = ", ".join(PACHYDERM)
    raise TestbedError(f"the test bed has no Pachyderm {asked!r}: name {known}, or a whole version such as 2.8.10")


def is_pachyderm_2(asked: str) -> bool:
    """Whether this version, as for `whole`, is one of Pachyderm 2."""
    return whole(asked).startswith("2.")
