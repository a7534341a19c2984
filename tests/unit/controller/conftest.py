"""What the controller's tests stand on: a Pachyderm in memory, and a clock that jumps."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.fakes.memory_pipelines import MemoryPipelines
from tests.unit.controller.virtual_time import JumpingLoop
from tests.unit.controller.world import now


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop of all coroutines in this folder, in which no test waits for a pause to end."""
    return {"jumping": JumpingLoop}


@pytest.fixture
def pipelines() -> MemoryPipelines:
    """A server without pipelines, whose time is that of the loop."""
    return MemoryPipelines(now=now)
