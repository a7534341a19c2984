"""What the runtime's tests stand on."""

from collections.abc import Iterator

import pytest

from spout_operator.config import PachdAddress
from spout_operator.pachyderm.connection import Connection
from spout_operator.pachyderm.v1.backend import PachydermV1
from spout_operator.telemetry.metrics import Metrics
from tests.fakes.memory_spouts import MemorySpouts
from tests.memory_pachd import MemoryPachd


@pytest.fixture
def pachd() -> Iterator[MemoryPachd]:
    with MemoryPachd() as pachd:
        yield pachd


@pytest.fixture
def adapter(pachd: MemoryPachd) -> PachydermV1:
    """The real one, for parts that are tried without the rest of the runtime."""
    return PachydermV1(Connection(pachd=PachdAddress.parse(pachd.address), telemetry=Metrics()))


@pytest.fixture
def spouts() -> MemorySpouts:
    return MemorySpouts()
