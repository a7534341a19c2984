"""The steps to a pipeline: what somebody else does in between, and what is never sent."""

import pytest

from spout_operator.controller.reconciler import MOST_STEPS
from spout_operator.core.model import Owner, PipelineName, PipelineSpec
from spout_operator.core.reasons import Reason
from spout_testbed.harness.spouts import message
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


async def test_the_api_server_is_asked_once_more_only_before_a_pipeline_that_is_missing_is_made_anew(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        spouts.create(a_spout_body())
        await world.shows(KEY, synced="True", version=1)
        spouts.edit(KEY, description="edited")
        await world.shows(KEY, synced="True", version=2)
        assert spouts.reads == 0

        await pipelines.delete(NAME, keep_repo=False)
        await world.ticks()
        await world.shows(KEY, synced="True", version=1)
        assert spouts.reads == 1


async def test_a_step_that_somebody_undoes_each_time_ends_in_a_message_and_is_tried_again_later(
    spouts: MemorySpouts,
) -> None:
    class Undone(MemoryPipelines):
        async def update(self, name: PipelineName, spec: PipelineSpec, owner: Owner) -> int:
            version = await super().update(name, spec, owner)
            self.change(name, spec=a_spec(description="of somebody else"), version=version + 1)
            return version

    pipelines = Undone(runs_at_once=True)
    async with World(pipelines, spouts) as world:
        spouts.create(a_spout_body())
        await world.shows(KEY, ready="True")
        spouts.edit(KEY, description="edited")
        status = await world.shows(KEY, reason="PachydermError", reconciling="True")
        tries = pipelines.calls["update"]
        assert 1 < tries <= MOST_STEPS
        assert "is not as asked for after 4 steps; it is tried again" in message(status)
        await world.until("another try", lambda: pipelines.calls["update"] > tries)


async def test_while_a_pipeline_is_updated_the_status_goes_on_and_while_it_is_made_anew_it_forgets(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        spouts.create(a_spout_body())
        await world.shows(KEY, synced="True", version=1)
        pipelines.commit(NAME)
        await world.ticks()
        await world.shows(KEY, total=1)

        pipelines.hang("update")
        spouts.edit(KEY, description="edited")
        await world.shows(KEY, reason="Updating", total=1, version=1)
        pipelines.release("update")
        await world.shows(KEY, version=2)

        pipelines.hang("create")
        await pipelines.delete(NAME, keep_repo=False)
        await world.poller.poll()
        status = await world.shows(KEY, reason="Creating")
        assert {"pipeline", "commits", "marker"}.isdisjoint(status)


async def test_a_pipeline_that_somebody_made_anew_with_another_spec_is_updated_though_its_version_is_known(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    """For example from a backup. That Pachyderm keeps other values is told only of what was just written."""
    async with World(pipelines, spouts) as world:
        spouts.create(a_spout_body())
        await world.shows(KEY, synced="True", version=1)
        pipelines.change(NAME, spec=a_spec(description="of another time"))
        await world.ticks()
        await world.shows(KEY, synced="True", stalled=None, version=2)

    assert pipelines.spec_of(NAME) == a_spec()


async def test_on_a_pachyderm_of_another_major_version_a_pipeline_is_not_made_anew(spouts: MemorySpouts) -> None:
    """The status is the memory of where it was, whichever process asks."""
    async with World(MemoryPipelines(), spouts) as world:
        spouts.create(a_spout_body())
        await world.shows(KEY, synced="True", version=1)

    upgraded = MemoryPipelines()
    upgraded.version = "2.0.0"
    async with World(upgraded, spouts) as world:
        await world.shows(KEY, stalled="True", reason="PachydermReplaced")

    assert upgraded.calls["create"] == 0
