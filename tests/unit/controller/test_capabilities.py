"""A server that can do less: the controller decides by what the adapter says, and knows no version."""

import dataclasses

import pytest

from spout_operator.core.resource import condition_of
from spout_operator.core.server import Capabilities
from spout_testbed.harness.spouts import message
from tests.builders import CAPABILITIES, a_spout_body
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import World

LACKING = dataclasses.replace(CAPABILITIES, marker=False, overwrite=False)


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
    pipelines, spouts = MemoryPipelines(capabilities, runs_at_once=True), MemorySpouts()
    key = spouts.create(a_spout_body({"spout": spout}))
    async with World(pipelines, spouts) as world:
        status = await world.settles(key)

    ready = condition_of(status, "Ready")
    if fields is None:
        assert ready["status"] == "True"
        return
    assert (ready["status"], ready["reason"]) == ("False", "UnsupportedByServer")
    assert message(status).startswith(f"{fields}: this version of Pachyderm")
    assert pipelines.calls["create"] == 0
