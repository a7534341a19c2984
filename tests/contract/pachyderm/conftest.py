"""The servers that the contract is held against: each major version in memory, and the real ones of the test bed.

`side` is each of them in turn; `one` and `two` are those of one major version. A name begins with `memory` or `real`.
"""

import contextlib
from collections.abc import Iterator

import pytest

from spout_operator.pachyderm.v1.sdk import Client
from spout_testbed import Testbed
from spout_testbed.versions import is_pachyderm_2, under_test
from tests.contract.pachyderm.harness import NO_WORKER, Side
from tests.contract.pachyderm.sides_1 import MemoryWriter, RealWriter, SideOne
from tests.contract.pachyderm.sides_2 import (
    MemoryWriter as MemoryWriter2,
)
from tests.contract.pachyderm.sides_2 import (
    SidecarWriter,
    SideTwo,
    spout_that_commits,
)
from tests.memory_pachd import MemoryPachd
from tests.memory_pachd.two import MemoryPachd2

#: The limit of the Community Edition: the real pachd 1.13 has no activation key.
MOST_PIPELINES = 16
ONES = ["memory-1.13", *(f"real-{version}" for version in under_test() if not is_pachyderm_2(version))]
TWOS = ["memory-2.12", *(f"real-{version}" for version in under_test() if is_pachyderm_2(version))]


def the_two() -> str:
    """The Pachyderm 2 of the test bed."""
    return next(filter(is_pachyderm_2, under_test()))


@pytest.fixture
def pachd_one() -> Iterator[MemoryPachd]:
    with MemoryPachd(limit=MOST_PIPELINES) as pachd:
        yield pachd


@pytest.fixture
def pachd_two() -> Iterator[MemoryPachd2]:
    with MemoryPachd2() as pachd:
        yield pachd


@pytest.fixture
def memory_one(pachd_one: MemoryPachd) -> SideOne:
    return SideOne.at(pachd_one.address, MemoryWriter(pachd_one), most_pipelines=MOST_PIPELINES)


@pytest.fixture
def memory_two(pachd_two: MemoryPachd2) -> SideTwo:
    return SideTwo.at(pachd_two.address, MemoryWriter2(pachd_two), version="2.12.2")


@pytest.fixture(params=["memory-1.13", "memory-2.12"])
def pachd(request: pytest.FixtureRequest) -> MemoryPachd | MemoryPachd2:
    """What a test can do to the server of `memory_side`."""
    found: MemoryPachd | MemoryPachd2 = request.getfixturevalue(_fixture(request.param.replace("memory", "pachd")))
    return found


@pytest.fixture
def memory_side(request: pytest.FixtureRequest, pachd: MemoryPachd | MemoryPachd2) -> Side:
    found: Side = request.getfixturevalue("memory_one" if isinstance(pachd, MemoryPachd) else "memory_two")
    return found


@pytest.fixture
def the_real_one(real_bed: Testbed) -> Iterator[SideOne]:
    address = real_bed.pachyderm("1.13").address
    writer = RealWriter(Client.new_from_pachd_address(address))
    side = SideOne.at(address, writer, most_pipelines=MOST_PIPELINES)
    try:
        yield side
    finally:
        side.clear()


@pytest.fixture(scope="session")
def committing_two(real_bed: Testbed) -> Iterator[SidecarWriter]:
    """The one spout of the real Pachyderm 2 that commits when a test says so: a worker takes seconds to come up."""
    pachyderm = real_bed.pachyderm(the_two())
    # Most tests need no worker, and each takes the machine more time than pachd takes for the whole test.
    pachyderm.workers.runs = lambda pipeline: not pipeline.startswith(NO_WORKER)
    with contextlib.closing(SidecarWriter(real_bed, pachyderm, spout_that_commits(pachyderm.address))) as writer:
        yield writer


@pytest.fixture
def the_real_two(real_bed: Testbed, committing_two: SidecarWriter) -> Iterator[SideTwo]:
    pachyderm = real_bed.pachyderm(the_two())
    side = SideTwo.at(pachyderm.address, committing_two, version=pachyderm.version, shared=committing_two.name)
    try:
        yield side
    finally:
        side.clear()


@pytest.fixture(params=[name for name in ONES if name.startswith("real")])
def real_one(request: pytest.FixtureRequest) -> SideOne:
    found: SideOne = request.getfixturevalue(_fixture(request.param))
    return found


@pytest.fixture(params=[name for name in TWOS if name.startswith("real")])
def real_two(request: pytest.FixtureRequest) -> SideTwo:
    found: SideTwo = request.getfixturevalue(_fixture(request.param))
    return found


@pytest.fixture(params=ONES)
def one(request: pytest.FixtureRequest) -> SideOne:
    found: SideOne = request.getfixturevalue(_fixture(request.param))
    return found


@pytest.fixture(params=TWOS)
def two(request: pytest.FixtureRequest) -> SideTwo:
    found: SideTwo = request.getfixturevalue(_fixture(request.param))
    return found


@pytest.fixture(params=[*ONES, *TWOS])
def side(request: pytest.FixtureRequest) -> Side:
    found: Side = request.getfixturevalue(_fixture(request.param))
    return found


def _fixture(name: str) -> str:
    """The fixture of a server, such as `the_real_two` for `real-2.12`."""
    kind, version = name.split("-")
    return f"{kind.replace('real', 'the_real')}_{'two' if is_pachyderm_2(version) else 'one'}"
