"""The steps to a pipeline: what somebody else does in between, and what is never sent."""

import asyncio
import json

import pytest

from spout_operator.core.model import Owner, PipelineState
from spout_operator.pachyderm.v1 import codec
from spout_operator.pachyderm.v1.backend import PachydermV1
from spout_operator.pachyderm.v1.sdk import Client
from tests.builders import a_key, a_name, a_spec, a_spout_body
from tests.fakes.memory_spouts import MemorySpouts
from tests.memory_pachd import MemoryPachd
from tests.unit.controller.world import CLUSTER, World

KEY = a_key()
NAME = KEY.name
OWNER = Owner(cluster=CLUSTER, spout=KEY)


async def test_a_pipeline_that_appears_before_it_is_created_is_updated_and_not_taken_for_the_operators_own_write(
    adapter: PachydermV1, pachd: MemoryPachd, spouts: MemorySpouts
) -> None:
    """An earlier call to create, whose answer was lost, can be carried out late, with the spec of then."""
    async with World(pachd, spouts) as world:
        pachd.hang("InspectRepo")
        spouts.create(a_spout_body({"description": "edited"}))
        await world.until("the look for a repo", lambda: pachd.calls["InspectRepo"] == 1)
        request = codec.create_request(a_spec(description="as it was"), OWNER)
        await asyncio.to_thread(Client.new_from_pachd_address(pachd.address).create_pipeline, NAME, **request)
        pachd.release("InspectRepo")
        await world.shows(KEY, version=2, synced="True")

    observed = await adapter.observe(a_name(NAME))
    assert observed is not None
    assert observed.spec == a_spec(description="edited")


def patched(*operations: object) -> dict[str, object]:
    return {"podPatch": json.dumps(operations)}


NULL = {"op": "add", "path": "/affinity", "value": None}
#: The first three end pachd 1.13.4, the others end in FAILURE.
UNFIT = [
    pytest.param(patched({"op": "replace", "path": "/containers/-1/image", "value": "x"}), "-1", id="negative-index"),
    pytest.param(patched(NULL, {"op": "add", "path": "/affinity/nodeAffinity", "value": {}}), "null", id="below-null"),
    pytest.param(patched({"op": "test", "path": "/affinity"}), "no value", id="test-without-value"),
    pytest.param(patched({"op": "remove", "path": "/affinity"}), "operation 1 of 1", id="does-not-apply"),
    pytest.param({"resourceLimits": {"memory": "32Mi"}}, "64M", id="little-memory"),
]


@pytest.mark.parametrize("is_there", [False, True], ids=["there-is-no-pipeline", "there-is-one"])
@pytest.mark.parametrize(("spec", "says"), UNFIT)
async def test_a_spec_that_pachyderm_could_not_run_never_reaches_it(  # noqa: PLR0917 - fixtures and a table
    adapter: PachydermV1,
    pachd: MemoryPachd,
    spouts: MemorySpouts,
    caplog: pytest.LogCaptureFixture,
    spec: dict[str, object],
    says: str,
    is_there: bool,
) -> None:
    caplog.set_level("INFO")
    if is_there:
        await adapter.create(a_name(NAME), a_spec(), OWNER)
    created = pachd.calls["CreatePipeline"]
    async with World(pachd, spouts) as world:
        spouts.create(a_spout_body(spec))
        status = await world.shows(KEY, ready="False", reason="InvalidSpec", stalled="True")

    assert says in status["conditions"][0]["message"]
    assert pachd.calls["CreatePipeline"] == created
    assert not [line for line in caplog.messages if "(Creating)" in line or "(Updating)" in line]


async def test_a_pipeline_that_is_as_asked_for_is_not_checked_again(
    adapter: PachydermV1, pachd: MemoryPachd, spouts: MemorySpouts
) -> None:
    """Its podPatch could not be applied any more where a new release of the operator checks more than the last one."""
    spec = patched({"op": "remove", "path": "/affinity"})
    await adapter.create(
        a_name(NAME), a_spec(pod_patch=str(spec["podPatch"]).replace(", ", ",").replace(": ", ":")), OWNER
    )
    pachd.set_state(NAME, PipelineState.RUNNING)
    pachd.come_up(NAME)
    async with World(pachd, spouts) as world:
        spouts.create(a_spout_body(spec))
        await world.shows(KEY, ready="True", reason="Running", version=1)

    assert pachd.calls["CreatePipeline"] == 1, "the test's own"
