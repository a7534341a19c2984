"""Both sides of the contract: an in-memory pachd per test, and the real one of the test bed."""

from collections.abc import Iterator

import pytest

from spout_operator.pachyderm.v1.sdk import Client
from spout_testbed import Testbed
from tests.contract.pachyderm.harness import MemoryWriter, RealWriter, Side
from tests.memory_pachd import MemoryPachd

#: The limit of the Community Edition: the real pachd has no activation key.
MOST_PIPELINES = 16


@pytest.fixture
def pachd() -> Iterator[MemoryPachd]:
    with MemoryPachd(limit=MOST_PIPELINES) as pachd:
        yield pachd


@pytest.fixture(scope="session")
def real_address(real_bed: Testbed) -> str:
    """Where the real pachd answers."""
    return real_bed.pachd_address


@pytest.fixture
def memory_side(pachd: MemoryPachd) -> Side:
    return Side.at(pachd.address, MemoryWriter(pachd), most_pipelines=MOST_PIPELINES)


@pytest.fixture
def real_side(real_address: str) -> Iterator[Side]:
    writer = RealWriter(Client.new_from_pachd_address(real_address))
    side = Side.at(real_address, writer, most_pipelines=MOST_PIPELINES)
    try:
        yield side
    finally:
        side.clear()


@pytest.fixture(params=["memory", "real"])
def side(request: pytest.FixtureRequest) -> Side:
    found: Side = request.getfixturevalue(f"{request.param}_side")
    return found
