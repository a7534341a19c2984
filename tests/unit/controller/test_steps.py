"""The steps to a pipeline: what somebody else does in between, and what is never sent."""

import pytest

from spout_operator.core.model import Owner
from spout_operator.core.reasons import Reason
from tests.builders import a_key, a_name, a_refusal, a_spec, a_spout_body
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import CLUSTER, World

KEY = a_key()
NAME = a_name()
OWNER = Owner(cluster=CLUSTER, spout=KEY)


async def test_a_pipeline_that_appears_before_it_is_created_is_updated_and_not_taken_for_the_operators_own_write(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    """An earlier call to create, whose answer was lost, can be carried out late, with the spec of then."""
    async with World(pipelines, spouts) as world:
        pipelines.hang("create")
        spouts.create(a_spout_body({"description": "edited"}))
        await world.until("the call to create", lambda: pipelines.calls["create"] == 1)
        pipelines.make(NAME, a_spec(description="as it was"), OWNER)
        pipelines.release("create")
        await world.shows(KEY, version=2, synced="True")

    assert pipelines.spec_of(NAME) == a_spec(description="edited")


#: More often than a Spout is reconciled in any test.
ALWAYS = 100


@pytest.mark.parametrize("is_there", [False, True], ids=["there-is-no-pipeline", "there-is-one"])
async def test_a_spec_that_pachyderm_could_not_run_never_reaches_it(
    pipelines: MemoryPipelines, spouts: MemorySpouts, caplog: pytest.LogCaptureFixture, *, is_there: bool
) -> None:
    caplog.set_level("INFO")
    if is_there:
        pipelines.make(NAME, a_spec(), OWNER)
    unfit = a_refusal(reason=Reason.INVALID_SPEC)
    pipelines.fail("check", unfit, times=ALWAYS)
    async with World(pipelines, spouts) as world:
        spouts.create(a_spout_body({"description": "edited"}))
        status = await world.shows(KEY, ready="False", reason="InvalidSpec", stalled="True")

    assert unfit.message in status["conditions"][0]["message"]
    assert (pipelines.calls["create"], pipelines.calls["update"]) == (0, 0)
    assert not [line for line in caplog.messages if "(Creating)" in line or "(Updating)" in line]


async def test_a_pipeline_that_is_as_asked_for_is_not_checked_again(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    """It may not pass any more where a new release of the operator checks more than the last one."""
    pipelines.make(NAME, a_spec(), OWNER)
    pipelines.fail("check", a_refusal(reason=Reason.INVALID_SPEC), times=ALWAYS)
    async with World(pipelines, spouts) as world:
        spouts.create(a_spout_body())
        await world.shows(KEY, ready="True", reason="Running", version=1)

    assert (pipelines.calls["create"], pipelines.calls["update"]) == (0, 0)
