"""What one reconcile tells and when the next one comes, where several Spouts or an edit could be mixed up."""

import asyncio
import json

import pytest

from spout_operator.controller.finalizers import FINALIZER
from spout_operator.core.errors import Retryable
from spout_operator.core.model import PipelineState
from spout_operator.core.reasons import Reason
from spout_operator.core.resource import condition_of
from spout_testbed.harness.spouts import message
from tests.builders import a_name, a_refusal, a_spout_body, an_owner
from tests.fakes.memory_pipelines import ADDRESS, MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import World

HOUR = 3600
OLD_VALUE = "of-the-running-version-4711"


async def test_what_pachyderm_says_of_a_running_version_shows_no_value_that_an_edit_has_taken_away() -> None:
    """The policy refuses the edit, so the version with the old value goes on."""
    pipelines, spouts = MemoryPipelines(runs_at_once=True), MemorySpouts()
    key = spouts.create(a_spout_body({"transform.env": {"PASSWORD": OLD_VALUE}}))
    async with World(pipelines, spouts) as world:
        await world.shows(key, ready="True")
        spouts.edit(key, podPatch="[]", transform={"image": "i", "cmd": ["c"]})
        await world.until("the edit to be refused", lambda: spouts.status(key)["observedGeneration"] == 2)
        pipelines.change(a_name(), state=PipelineState.CRASHING, reason=f"the worker said {OLD_VALUE}")
        await world.ticks(2)

        status = spouts.status(key)
        assert status["pipeline"]["reason"].startswith("the worker said")
        assert OLD_VALUE not in json.dumps(status)


async def test_the_address_of_pachyderm_is_shown_from_the_beginning_and_is_no_secret() -> None:
    """Also where the spout is told it by an environment variable."""
    pipelines, spouts = MemoryPipelines(), MemorySpouts()
    pipelines.fail("create", a_refusal(f"no route to {ADDRESS}"))
    key = spouts.create(a_spout_body({"transform.env": {"PACHD_ADDRESS": ADDRESS}}))
    async with World(pipelines, spouts) as world:
        status = await world.shows(key, stalled="True", reason="PipelineRejected")

    assert status["pachyderm"]["address"] == ADDRESS
    assert f"no route to {ADDRESS}" in message(status)


async def test_a_new_spout_is_shown_as_pending_before_pachyderm_answers() -> None:
    pipelines, spouts = MemoryPipelines(), MemorySpouts()
    pipelines.hang("observe")
    key = spouts.create(a_spout_body())
    async with World(pipelines, spouts) as world:
        await world.shows(key, ready="Unknown", reason="Pending")


async def test_a_spout_whose_finalizer_somebody_took_off_gets_it_back_and_is_shown_as_before(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    pipelines, spouts = MemoryPipelines(runs_at_once=True), MemorySpouts()
    key = spouts.create(a_spout_body())
    async with World(pipelines, spouts) as world:
        before = await world.shows(key, ready="True")
        await world.rest()
        caplog.clear()
        held = await spouts.read(key)
        assert held is not None
        await spouts.write_finalizers(key, held.uid, held.resource_version, [])
        await world.rest()

        anew = await spouts.read(key)
        assert anew is not None
        assert (anew.finalizers, anew.status) == ((FINALIZER,), before)
        assert not caplog.messages


async def test_the_status_forgets_a_pipeline_that_is_somebody_elses_now() -> None:
    pipelines, spouts = MemoryPipelines(runs_at_once=True), MemorySpouts()
    key = spouts.create(a_spout_body())
    async with World(pipelines, spouts) as world:
        await world.shows(key, ready="True")
        pipelines.change(a_name(), owner=an_owner(cluster="another"))
        await world.ticks()

        status = spouts.status(key)
        assert condition_of(status, "Ready")["reason"] == "PipelineNotOwned"
        assert {"pipeline", "commits", "marker"}.isdisjoint(status)


async def test_each_spout_waits_for_itself_after_a_failure() -> None:
    pipelines, spouts = MemoryPipelines(runs_at_once=True), MemorySpouts()
    pipelines.fail("create", Retryable(Reason.PACHYDERM_ERROR, "not now"), times=1000)
    keys = [spouts.create(a_spout_body(name=f"spout-{number}")) for number in range(8)]
    async with World(pipelines, spouts) as world:
        await world.until("a try for each", lambda: pipelines.calls["create"] >= len(keys))
        await asyncio.sleep(3)

        # The first wait is about a second. A shared one would have grown to a minute for the last of them.
        assert pipelines.calls["create"] >= 2 * len(keys)


async def test_each_spout_waits_for_itself_where_others_are_quicker_to_write() -> None:
    pipelines, spouts = MemoryPipelines(), MemorySpouts()
    spouts.conflicts = True
    keys = [spouts.create(a_spout_body(name=f"spout-{number}")) for number in range(8)]
    async with World(pipelines, spouts):
        await asyncio.sleep(3)

        # At 0, 0.2, 0.6 and 1.4 seconds: a shared wait would have grown to half a minute for the last of them.
        assert spouts.writes.count("finalizers") >= 4 * len(keys)


async def test_each_spout_waits_for_itself_while_its_worker_comes_up() -> None:
    pipelines, spouts = MemoryPipelines(), MemorySpouts()
    keys = [spouts.create(a_spout_body(name=f"spout-{number}")) for number in range(8)]
    async with World(pipelines, spouts, poll_interval=60) as world:
        await world.until("all pipelines", lambda: pipelines.calls["create"] == len(keys))
        before = pipelines.calls["observe"]
        await asyncio.sleep(3)

        # A second until the first look, then two: a shared wait would have grown to a minute for the last of them.
        assert pipelines.calls["observe"] - before >= len(keys)


async def test_each_spout_waits_for_itself_while_a_commit_is_open() -> None:
    pipelines, spouts = MemoryPipelines(runs_at_once=True), MemorySpouts()
    keys = [spouts.create(a_spout_body(name=f"spout-{number}")) for number in range(8)]
    async with World(pipelines, spouts, poll_interval=60) as world:
        for key in keys:
            await world.shows(key, ready="True")
            pipelines.commit(a_name(key.name), finished_at=None)
        await world.ticks()
        before = pipelines.calls["heads"]
        await asyncio.sleep(4)

        assert pipelines.calls["heads"] - before >= 2 * len(keys)


async def test_a_spout_that_the_operator_has_let_go_gets_no_status_any_more_though_others_hold_it() -> None:
    pipelines, spouts = MemoryPipelines(runs_at_once=True), MemorySpouts()
    key = spouts.create(a_spout_body(finalizers=["example.com/backup"]))
    async with World(pipelines, spouts, status_interval=HOUR) as world:
        await world.until("the pipeline", lambda: pipelines.calls["create"] == 1)
        await world.rest()
        spouts.delete(key)
        await world.until("the end of the pipeline", lambda: pipelines.calls["delete"] == 1)
        await world.rest()
        writes = len(spouts.writes)
        await asyncio.sleep(2 * HOUR)

        assert spouts.resource(key) is not None
        assert len(spouts.writes) == writes
