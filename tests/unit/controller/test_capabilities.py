"""A server that can do less: the controller decides by what the adapter says, and knows no version."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from spout_operator.core.resource import condition_of
from spout_operator.core.server import Capabilities
from spout_operator.telemetry.metrics import Metrics
from spout_testbed.harness.spouts import message
from spout_testbed.waiting import eventually_async
from tests.builders import CAPABILITIES, a_spout_body
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import controller_over, running

LACKING = dataclasses.replace(CAPABILITIES, marker=False, overwrite=False)


def is_ready_or_stalled(status: Mapping[str, Any]) -> bool:
    return any(condition_of(status, kind).get("status") == "True" for kind in ("Ready", "Stalled"))


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
    async with running(controller_over(pipelines, spouts, Metrics()), spouts):
        await eventually_async(
            lambda: is_ready_or_stalled(spouts.status(key)), what="a Ready or Stalled Spout", interval=0.01
        )
    status = spouts.status(key)

    ready = condition_of(status, "Ready")
    if fields is None:
        assert ready["status"] == "True"
        return
    assert (ready["status"], ready["reason"]) == ("False", "UnsupportedByServer")
    assert message(status).startswith(f"{fields}: this version of Pachyderm")
    assert pipelines.calls["create"] == 0
