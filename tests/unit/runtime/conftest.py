"""What the runtime's tests stand on."""

from collections.abc import Iterator

import pytest

from tests.memory_pachd import MemoryPachd
from tests.unit.runtime.memory_spouts import MemorySpouts


@pytest.fixture
def pachd() -> Iterator[MemoryPachd]:
    with MemoryPachd() as pachd:
        yield pachd


@pytest.fixture
def spouts() -> MemorySpouts:
    return MemorySpouts()
