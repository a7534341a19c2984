"""A server that can do less: the controller decides by what the adapter says, and knows no version."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from spout_operator.controller.controller import Controller
from spout_operator.core.model import Capabilities, SpoutKey
from spout_operator.telemetry.metrics import Metrics
from spout_testbed.harness.spouts import message
from tests.builders import CAPABILITIES, a_spout_body
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import CLUSTER, now, watch

#: Seconds.
PATIENCE = 10.0
LACKING = dataclasses.replace(CAPABILITIES, marker=False, overwrite=False)


@contextlib.asynccontextmanager
async def running(pipelines: MemoryPipelines, spouts: MemorySpouts) -> AsyncIterator[None]:
    """A controller that runs."""
    controller = Controller(
        pachyderm=pipelines,
        spouts=spouts,
        telemetry=Metrics(),
        address="memory",
        cluster=CLUSTER,
        poll_interval=10,
        quiet_interval=300,
        status_interval=0,
        now=now,
    )
    tasks = [*controller.start_workers(), asyncio.create_task(controller.resync.run())]
    watch(spouts, controller.handle_event)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        controller.close()


async def shown(spouts: MemorySpouts, key: SpoutKey) -> Mapping[str, Any]:
    """The status, once the Spout is ready or stalled."""
    async with asyncio.timeout(PATIENCE):
        while True:
            status = spouts.status(key)
            held = {condition["type"] for condition in status.get("conditions", ()) if condition["status"] == "True"}
            if held & {"Ready", "Stalled"}:
                return status
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("spout", "capabilities", "fields"),
    [
        ({"marker": "offset"}, LACKING, "spec.spout.marker"),
        ({"overwrite": True}, LACKING, "spec.spout.overwrite"),
        ({"marker": "offset", "overwrite": True}, LACKING, "spec.spout.marker, spec.spout.overwrite"),
        ({}, LACKING, None),
        ({"overwrite": True}, CAPABILITIES, None),
    ],
    ids=["marker", "overwrite", "both", "neither", "it-can"],
)
async def test_a_spec_that_asks_for_more_than_the_server_has_is_stalled_and_names_the_field(
    spout: dict[str, object], capabilities: Capabilities, fields: str | None
) -> None:
    pipelines, spouts = MemoryPipelines(capabilities), MemorySpouts()
    key = spouts.create(a_spout_body({"spout": spout}))
    async with running(pipelines, spouts):
        status = await shown(spouts, key)

    ready = {condition["type"]: condition for condition in status["conditions"]}["Ready"]
    if fields is None:
        assert ready["status"] == "True"
        return
    assert (ready["status"], ready["reason"]) == ("False", "UnsupportedByServer")
    assert message(status).startswith(f"{fields}: this version of Pachyderm")
    assert pipelines.calls["create"] == 0
