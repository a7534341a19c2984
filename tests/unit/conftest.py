"""What the runtime's tests stand on."""

import asyncio
from collections.abc import Callable, Iterator, Mapping

import pytest

from spout_operator.config import PachdAddress
from spout_operator.pachyderm.connection import Connection
from spout_operator.pachyderm.v1.backend import PachydermV1
from spout_operator.telemetry.metrics import Metrics
from tests.fakes.memory_spouts import MemorySpouts
from tests.memory_pachd import MemoryPachd
from tests.unit.controller.quick_time import QuickLoop

LoopFactories = Mapping[str, Callable[[], asyncio.AbstractEventLoop]]


def pytest_asyncio_loop_factories(item: pytest.Item) -> LoopFactories:
    """The ordinary loop for all tests but those that ask for the quick one by its name."""
    marker = item.get_closest_marker("asyncio")
    if marker is not None and marker.kwargs.get("loop_factories"):
        return {"quick": QuickLoop}
    return {"ordinary": asyncio.new_event_loop}


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
