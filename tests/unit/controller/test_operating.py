"""The runtime as a whole: what it makes of events, ticks and faults, and how few calls it needs for that."""

import asyncio
import json
import textwrap
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest

from spout_operator.controller.finalizers import FINALIZER
from spout_operator.core.model import PipelineState, SpoutKey
from spout_operator.pachyderm.v1.sdk import Client, pps_pb2
from spout_testbed.harness.spouts import message
from tests.builders import a_spout_body
from tests.fakes.memory_spouts import MemorySpouts
from tests.memory_pachd import MemoryPachd
from tests.unit.controller.world import World

NAME = "my-spout"


async def running(world: World) -> SpoutKey:
    """A Spout that is ready and shown so."""
    key = world.spouts.create(a_spout_body())
    await world.until("the pipeline", lambda: world.pachd.calls["CreatePipeline"] == 1)
    await world.until("the write to be answered", lambda: world.pachd.calls["InspectPipeline"] >= 2)
    world.pachd.come_up(NAME)
    await world.shows(key, ready="True", state="Running")
    await world.ticks()
    return key


@asynccontextmanager
async def counted(world: World) -> AsyncIterator[Counter[str]]:
    """The calls to pachd, and the writes to the API server as `write NAME`, made in the block."""
    calls, writes = Counter(world.pachd.calls), len(world.spouts.writes)
    made: Counter[str] = Counter()
    yield made
    made.update(Counter(world.pachd.calls) - calls)
    made.update(f"write {what}" for what in world.spouts.writes[writes:])


async def test_a_new_spout_is_made_with_few_calls_and_the_finalizer_comes_first(
    pachd: MemoryPachd, spouts: MemorySpouts
) -> None:
    async with World(pachd, spouts) as world:
        pachd.hang("CreatePipeline")
        key = spouts.create(a_spout_body())
        await world.until("the call to create", lambda: pachd.calls["CreatePipeline"] == 1)
        body = spouts.resource(key)
        assert body is not None
        assert body["metadata"]["finalizers"] == [FINALIZER]
        assert spouts.writes[0] == "finalizers"
        await world.shows(key, ready="False", reason="Creating", reconciling="True")
        first_tick = {"GetVersion": 1, "ListPipeline": 1}
        of_the_spout = {"InspectPipeline": 1, "GetVersion": 1, "InspectRepo": 1, "CreatePipeline": 1}
        assert pachd.calls == Counter(first_tick) + Counter(of_the_spout)
        pachd.release("CreatePipeline")

        await world.shows(key, ready="False", synced="True", reason="Starting", version=1)


async def test_at_rest_a_tick_is_one_list_and_one_look_at_the_heads(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    async with World(pachd, spouts) as world:
        await running(world)
        async with counted(world) as made:
            await world.ticks(5)

    assert made == {"ListPipeline": 5, "ListBranch": 5}


async def test_a_restart_asks_little_and_writes_nothing(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    async with World(pachd, spouts) as world:
        key = await running(world)
        pachd.append_commit(NAME)
        pachd.write_marker(NAME, {"offset": b"7"})
        await world.ticks()
        await world.shows(key, total=1, marker="7")

    async with World(pachd, spouts) as world, counted(world) as made:
        await world.begun()
        await world.rest()
        await world.ticks(3)

    assert made == {"GetVersion": 1, "ListPipeline": 1 + 3, "InspectPipeline": 1, "ListBranch": 1 + 3}


async def test_the_heads_of_a_quiet_spout_are_looked_at_ever_more_rarely(
    pachd: MemoryPachd, spouts: MemorySpouts
) -> None:
    async with World(pachd, spouts, quiet_ticks=30) as world:
        key = await running(world)
        async with counted(world) as made:
            await world.ticks(40)
        assert made["ListPipeline"] == 40
        assert 8 <= made["ListBranch"] <= 20, "at each of the first 8 ticks, then at every second, and so on"
        pachd.append_commit(NAME)
        await world.ticks(30)
        await world.shows(key, total=1)


async def test_a_restart_reads_the_heads_of_a_quiet_spout_once(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    async with World(pachd, spouts) as world:
        key = await running(world)
        pachd.date_pipeline(NAME, ago=3600)
        pachd.date_commit(NAME, pachd.append_commit(NAME), ago=3600)
        await world.ticks()
        await world.shows(key, total=1)

    async with World(pachd, spouts, quiet_ticks=1000) as world, counted(world) as made:
        await world.begun()
        await world.ticks(5)

    assert made == {"GetVersion": 1, "ListPipeline": 1 + 5, "InspectPipeline": 1, "ListBranch": 1}


async def test_new_commits_cost_one_listing_of_just_these(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    async with World(pachd, spouts) as world:
        key = await running(world)
        for _ in range(20):
            pachd.append_commit(NAME)
        await world.ticks()
        await world.shows(key, total=20)
        async with counted(world) as made:
            for _ in range(3):
                pachd.append_commit(NAME)
            await world.ticks()
            await world.shows(key, total=23)

    # The tick's, and the reconcile's: that commits come in says nothing new about the pipeline.
    assert made == {
        "ListPipeline": 1,
        "ListBranch": 2,
        "InspectCommit": 1,
        "ListCommitStream": 1,
        "write status": 1,
    }


async def test_an_open_commit_is_counted_once_it_is_finished(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    async with World(pachd, spouts) as world:
        key = await running(world)
        pachd.append_commit(NAME)
        still_open = pachd.append_commit(NAME, finished=False)
        await world.ticks()
        await world.shows(key, total=1)
        pachd.finish_commit(NAME, still_open)
        await world.shows(key, total=2)


async def test_an_open_marker_is_shown_once_it_is_finished(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    async with World(pachd, spouts) as world:
        key = await running(world)
        pachd.write_marker(NAME, {"offset": b"1"})
        await world.ticks()
        await world.shows(key, marker="1")
        still_open = pachd.write_marker(NAME, {"offset": b"2"}, finished=False)
        await world.ticks()
        await world.shows(key, marker="1")
        pachd.finish_commit(NAME, still_open)
        await world.shows(key, marker="2")


async def test_a_marker_branch_without_the_marker_is_not_asked_for_ever(
    pachd: MemoryPachd, spouts: MemorySpouts
) -> None:
    async with World(pachd, spouts) as world:
        await running(world)
        pachd.write_marker(NAME, {"another": b"1"})
        await world.ticks(2)
        async with counted(world) as made:
            await world.ticks(5)

    assert made == {"ListPipeline": 5, "ListBranch": 5}


async def test_a_marker_that_cannot_be_read_is_all_that_is_not_known(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    async with World(pachd, spouts) as world:
        key = await running(world)
        pachd.write_marker(NAME, {"offset": b"1"})
        await world.ticks()
        await world.shows(key, marker="1")
        head = pachd.write_marker(NAME, {"offset": b"2"})
        pachd.fail("GetFile", grpc.StatusCode.UNKNOWN, "AccessDenied: status code 403")
        pachd.append_commit(NAME)
        await world.ticks()
        status = await world.shows(key, ready="True", synced="True", total=1, marker=None)
        shown = status["marker"]
        assert "AccessDenied" in shown.pop("message")
        assert shown == {"path": "offset", "commit": head, "summary": "unknown"}

        await world.shows(key, marker="2")


async def test_a_newest_marker_commit_without_the_marker_is_shown_as_none(
    pachd: MemoryPachd, spouts: MemorySpouts
) -> None:
    async with World(pachd, spouts) as world:
        key = await running(world)
        pachd.write_marker(NAME, {"offset": b"1"})
        await world.ticks()
        await world.shows(key, marker="1", ready="True")
        head = pachd.write_marker(NAME, {"another": b"1"})
        await world.ticks()
        status = await world.shows(key, marker=None, ready="True")
        assert (status["marker"]["summary"], status["marker"]["commit"]) == ("none", head)
        async with counted(world) as made:
            await world.ticks(3)
        assert made == {"ListPipeline": 3, "ListBranch": 3}, "a finished commit stays as it is"

        pachd.write_marker(NAME, {"offset": b"2"})
        await world.ticks()
        await world.shows(key, marker="2")


async def test_before_the_first_marker_commit_nothing_is_said_of_a_marker(
    pachd: MemoryPachd, spouts: MemorySpouts
) -> None:
    async with World(pachd, spouts) as world:
        key = await running(world)
        assert "marker" not in spouts.status(key)
        still_open = pachd.write_marker(NAME, {"another": b"1"}, finished=False)
        await world.ticks()
        assert "marker" not in spouts.status(key), "it may still get its marker"
        pachd.finish_commit(NAME, still_open)
        await world.until("the end of the commit", lambda: "marker" in spouts.status(key))

    assert spouts.status(key)["marker"]["summary"] == "none"


async def test_an_overtaken_read_of_heads_takes_back_nothing(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    async with World(pachd, spouts) as world:
        key = await running(world)
        pachd.append_commit(NAME)
        pachd.answer_late("ListBranch")
        looks = pachd.calls["ListBranch"]
        tick = asyncio.create_task(world.ticks())
        await world.until("the poller's look", lambda: pachd.calls["ListBranch"] > looks)
        pachd.append_commit(NAME)
        pachd.write_marker(NAME, {"offset": b"7"})
        spouts.edit(key, description="another")
        await world.shows(key, total=2, marker="7")
        pachd.release("ListBranch")
        await tick
        async with counted(world) as made:
            spouts.edit(key, podPatch=" ")
            status = await world.shows(key, observed=3)

    assert (status["commits"]["total"], status["marker"]["value"]) == (2, "7")
    assert made["ListCommitStream"] == 0, "nothing is counted again"


async def test_an_observation_that_was_overtaken_is_made_anew(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    async with World(pachd, spouts) as world:
        key = await running(world)
        pachd.set_state(NAME, PipelineState.CRASHING)
        pachd.answer_late("InspectPipeline")
        looks = pachd.calls["InspectPipeline"]
        await world.poller.poll()
        await world.until("the look at the crash", lambda: pachd.calls["InspectPipeline"] > looks)
        pachd.come_up(NAME)
        await world.poller.poll()
        pachd.release("InspectPipeline")
        await world.shows(key, state="Crashing")
        await world.ticks()
        await world.shows(key, state="Running", ready="True")


async def test_an_edit_that_an_answer_brings_before_the_watch_is_carried_out(
    pachd: MemoryPachd, spouts: MemorySpouts
) -> None:
    async with World(pachd, spouts) as world:
        key = await running(world)
        spouts.withhold()
        spouts.edit(key, description="another")
        pachd.append_commit(NAME)
        await world.ticks()
        await world.shows(key, version=2, total=1)
        spouts.deliver()
        await world.ticks()

    assert pachd.calls["CreatePipeline"] == 2, "the event that comes late says nothing new"


async def test_a_deletion_that_an_answer_brings_before_the_watch_is_carried_out(
    pachd: MemoryPachd, spouts: MemorySpouts
) -> None:
    async with World(pachd, spouts) as world:
        key = await running(world)
        spouts.withhold()
        spouts.delete(key)
        pachd.append_commit(NAME)
        await world.ticks()
        await world.until("the Spout to be gone", lambda: spouts.resource(key) is None)

    assert pachd.calls["DeletePipeline"] == 1


async def test_an_answer_that_comes_after_the_end_brings_nothing_back(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    async with World(pachd, spouts) as world:
        key = await running(world)
        spouts.delete(key)
        await world.until("the Spout to be gone", lambda: spouts.resource(key) is None)
        await world.ticks()

        assert not world.known


async def test_a_state_that_returns_during_a_status_update_is_shown(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    async with World(pachd, spouts) as world:
        key = await running(world)
        spouts.hang()
        written = Counter(spouts.writes)["status"]
        pachd.set_state(NAME, PipelineState.CRASHING)
        await world.poller.poll()
        await world.until("the write of the crash", lambda: Counter(spouts.writes)["status"] > written)
        pachd.come_up(NAME)
        looks = pachd.calls["InspectPipeline"]
        await world.poller.poll()
        await world.until("the look at what runs again", lambda: pachd.calls["InspectPipeline"] > looks)
        spouts.release()
        await world.ticks()
        await world.shows(key, ready="True", state="Running")


async def test_the_outcome_of_a_failed_write_is_not_taken_for_granted(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    async with World(pachd, spouts) as world:
        key = await running(world)
        spouts.withhold()
        spouts.lose_answers(times=1)
        pachd.set_state(NAME, PipelineState.CRASHING)
        await world.ticks()
        await world.shows(key, state="Crashing")
        pachd.come_up(NAME)
        await world.ticks()
        await world.shows(key, ready="True", state="Running")


async def test_an_edit_is_one_update(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    async with World(pachd, spouts) as world:
        key = await running(world)
        async with counted(world) as made:
            spouts.edit(key, description="another")
            await world.shows(key, version=2)

    # Whose it is now, what to carry over, and what came of it.
    assert (made["InspectPipeline"], made["CreatePipeline"]) == (3, 1)
    assert made.keys() <= {"InspectPipeline", "GetVersion", "CreatePipeline", "ListBranch", "write status"}


async def test_the_same_spec_again_is_no_update(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    async with World(pachd, spouts) as world:
        key = await running(world)
        async with counted(world) as made:
            spouts.edit(key, podPatch=" ")
            await world.shows(key, observed=2)

    assert made["CreatePipeline"] == 0


async def test_status_writes_are_coalesced(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    async with World(pachd, spouts, status_interval=3600) as world:
        spouts.create(a_spout_body())
        await world.until("the pipeline", lambda: pachd.calls["CreatePipeline"] == 1)
        for _ in range(5):
            pachd.append_commit(NAME)
            await world.ticks()

    assert Counter(spouts.writes)["status"] == 1


@pytest.mark.asyncio(loop_factories=["quick"])
async def test_a_status_that_could_not_be_written_is_written_later(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    async with World(pachd, spouts) as world:
        key = await running(world)
        spouts.fail(times=1)
        pachd.append_commit(NAME)
        await world.ticks()
        await world.shows(key, total=1)


async def test_pachyderm_away_is_told_once_and_mended_by_itself(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    async with World(pachd, spouts) as world:
        key = await running(world)
        pachd.stop()
        await world.ticks()
        status = await world.shows(key, ready="Unknown", reason="PachydermUnreachable", reconciling="True")
        assert pachd.address in message(status)
        assert status["pipeline"]["state"] == "Running", "what was last known stays"
        async with counted(world) as made:
            await world.ticks(3)
        assert made == {}, "nothing is written again and again"
        pachd.start()
        async with asyncio.timeout(30):  # gRPC itself waits a moment before it connects anew
            while spouts.status(key)["conditions"][0]["status"] != "True":
                await world.ticks()

    assert Counter(pachd.calls)["CreatePipeline"] == 1


async def test_a_refused_spec_is_not_sent_again_and_again(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    async with World(pachd, spouts) as world:
        pachd.fail("CreatePipeline", grpc.StatusCode.UNKNOWN, "the following service type Odd is not allowed", times=9)
        key = spouts.create(a_spout_body())
        status = await world.shows(key, ready="False", stalled="True", reason="PipelineRejected")
        assert "Odd is not allowed" in message(status)
        async with counted(world) as made:
            await world.ticks(5)

    assert made["CreatePipeline"] == 0


@pytest.mark.asyncio(loop_factories=["quick"])
async def test_a_passing_trouble_is_tried_again(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    async with World(pachd, spouts) as world:
        pachd.fail("CreatePipeline", grpc.StatusCode.INTERNAL, "Received RST_STREAM with error code 2")
        key = spouts.create(a_spout_body())
        await world.shows(key, ready="False", reconciling="True", stalled=None, reason="PachydermError")
        await world.shows(key, synced="True", version=1)


async def test_to_another_pachyderm_nothing_is_written(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    pachd.become("1.9.0")
    async with World(pachd, spouts) as world:
        key = spouts.create(a_spout_body())
        status = await world.shows(key, ready="False", stalled="True", reason="UnsupportedPachyderm")

    assert "version 1.9.0" in message(status)
    assert pachd.calls["CreatePipeline"] == 0


async def test_another_pachyderm_is_an_outage_until_it_is_upgraded(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    async with World(pachd, spouts) as world:
        key = await running(world)
        pachd.stop()
        await world.ticks()
        pachd.become("1.14.0")
        pachd.start()
        async with asyncio.timeout(30):  # gRPC itself waits a moment before it connects anew
            while spouts.status(key)["conditions"][0]["reason"] != "UnsupportedPachyderm":
                await world.ticks()
        assert world.poller.is_reached is False
        assert spouts.status(key)["pachyderm"]["version"] == "1.13.4", "where the pipeline was last observed"
        pachd.become("1.13.4")
        await world.ticks()
        status = await world.shows(key, ready="True", stalled=None)

    assert status["pachyderm"]["version"] == "1.13.4"


KEY = '-----BEGIN KEY-----\nMIIEowIBAAKCAQEA0451\n  two  blanks, "quotes" and back\\slashes\n-----END KEY-----\n'


async def test_a_value_that_an_edit_replaces_is_not_shown_where_the_edit_fails(
    pachd: MemoryPachd, spouts: MemorySpouts
) -> None:
    async with World(pachd, spouts) as world:
        key = spouts.create(a_spout_body({"transform.env": {"PASSWORD": "the-old-password"}}))
        await world.shows(key, synced="True", version=1)
        said = 'invalid pipeline spec: it has "the-old-password" in place of "the-new-password"'
        pachd.fail("CreatePipeline", grpc.StatusCode.UNKNOWN, said)
        spouts.edit(
            key, transform=a_spout_body({"transform.env": {"PASSWORD": "the-new-password"}})["spec"]["transform"]
        )
        status = await world.shows(key, stalled="True", reason="PipelineRejected")

    assert "invalid pipeline spec" in message(status)
    assert "password" not in str(status).lower().replace("[redacted]", "")


async def test_a_status_quotes_pachyderm_without_the_secrets_of_env(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    async with World(pachd, spouts) as world:
        pachd.fail("CreatePipeline", grpc.StatusCode.UNKNOWN, "cannot use hunter2hunter2 here", times=9)
        key = spouts.create(a_spout_body({"transform.env": {"PASSWORD": "hunter2hunter2"}}))
        status = await world.shows(key, ready="False", reason="PachydermError")

    assert "hunter2hunter2" not in str(status)
    assert "cannot use [redacted] here" in message(status)


FORMS = [
    pytest.param(KEY, id="as it is"),
    pytest.param(json.dumps(KEY), id="quoted"),
    pytest.param(f'invalid spec "{json.dumps(KEY)[1:30]}..."', id="cut off"),
    pytest.param(textwrap.indent(KEY, "      "), id="as a block of YAML"),
]


def pieces_of_the_key(told: str) -> list[str]:
    return [piece for line in KEY.splitlines() for piece in (line, line[:8], line[-8:]) if piece in told]


@pytest.mark.parametrize("said", FORMS)
@pytest.mark.parametrize("fails", ["CreatePipeline", "InspectPipeline", "ListBranch", "the pipeline"])
async def test_a_key_of_several_lines_is_in_no_status_and_no_log_line(
    pachd: MemoryPachd, spouts: MemorySpouts, caplog: pytest.LogCaptureFixture, said: str, fails: str
) -> None:
    caplog.set_level("DEBUG")
    async with World(pachd, spouts) as world:
        if fails != "the pipeline":
            pachd.fail(fails, grpc.StatusCode.UNKNOWN, f"cannot use {said}", times=9)
        key = spouts.create(a_spout_body({"transform.env": {"KEY": KEY}}))
        if fails == "the pipeline":
            await world.shows(key, synced="True")
            pachd.set_state(NAME, PipelineState.FAILURE, f"cannot use {said}")
            await world.ticks()
        await world.until("the failure to be shown", lambda: "cannot use" in str(spouts.status(key)))

    assert pieces_of_the_key(caplog.text + str(spouts.status(key))) == []


@pytest.mark.parametrize("said", FORMS)
async def test_an_outage_shows_the_key_of_a_spout_on_no_other(
    pachd: MemoryPachd, spouts: MemorySpouts, caplog: pytest.LogCaptureFixture, said: str
) -> None:
    caplog.set_level("DEBUG")
    async with World(pachd, spouts) as world:
        bystander = spouts.create(a_spout_body(name="bystander"))
        key = spouts.create(a_spout_body({"transform.env": {"KEY": KEY}}))
        await world.shows(bystander, synced="True")
        await world.shows(key, synced="True")
        pachd.fail("ListPipeline", grpc.StatusCode.UNKNOWN, f"cannot use {said}", times=9)
        await world.ticks()
        told = [str(await world.shows(one, reason="PachydermError")) for one in (key, bystander)]

    assert "cannot use" in caplog.text
    assert pieces_of_the_key(caplog.text + "".join(told)) == []


async def test_a_spout_that_vanished_gets_no_new_pipeline(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    async with World(pachd, spouts) as world:
        key = await running(world)
        spouts.vanish(key)
        async with counted(world) as made:
            pachd.fail("InspectPipeline", grpc.StatusCode.UNKNOWN, f'pipeline "{NAME}" not found', times=9)
            pachd.set_state(NAME, PipelineState.CRASHING)
            await world.ticks(3)

    assert made["CreatePipeline"] == 0
    assert made["InspectPipeline"] >= 1


async def test_a_deleted_spout_takes_its_pipeline_along(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    async with World(pachd, spouts) as world:
        key = await running(world)
        async with counted(world) as made:
            spouts.delete(key)
            await world.until("the Spout to be gone", lambda: spouts.resource(key) is None)

    assert made["DeletePipeline"] == 1
    assert made["InspectPipeline"] == 2, "one to see whose it is, one to see that it is gone"


@pytest.mark.asyncio(loop_factories=["quick"])
async def test_a_failed_delete_holds_the_spout(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    async with World(pachd, spouts) as world:
        key = await running(world)
        pachd.fail("DeletePipeline", grpc.StatusCode.UNKNOWN, "etcdserver: request timed out")
        spouts.delete(key)
        await world.shows(key, reason="PachydermError", reconciling="True")
        await world.until("the Spout to be gone", lambda: spouts.resource(key) is None)


async def test_a_spout_whose_pipeline_cannot_be_read_says_how_it_can_be_deleted(
    pachd: MemoryPachd, spouts: MemorySpouts
) -> None:
    async with World(pachd, spouts) as world:
        key = await running(world)
        pachd.lose_spec(NAME)
        spouts.delete(key)
        status = await world.shows(key, ready="False", reason="PachydermError", reconciling="True")
        assert f"pachctl delete pipeline {NAME}" in message(status)
        assert "spec.deletionPolicy to Orphan" in message(status)
        assert pachd.calls["DeletePipeline"] == 0, "whose it is is not known"

        spouts.edit(key, deletionPolicy="Orphan")
        await world.until("the Spout to be gone", lambda: spouts.resource(key) is None)

    assert pachd.calls["DeletePipeline"] == 0


async def test_two_spouts_one_pipeline_the_older_makes_it(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    younger = spouts.create(a_spout_body({"name": "shared"}, name="younger", creationTimestamp="2026-01-31T12:00:01Z"))
    older = spouts.create(a_spout_body({"name": "shared"}, name="older"))
    async with World(pachd, spouts) as world:
        await world.shows(older, synced="True", version=1)
        status = await world.shows(younger, stalled="True", ready="False")

    assert "ingest/older" in message(status)
    assert pachd.calls["CreatePipeline"] == 1


async def test_the_owner_is_observed_right_before_each_write(pachd: MemoryPachd, spouts: MemorySpouts) -> None:
    async with World(pachd, spouts) as world:
        key = await running(world)
        theirs = Client.new_from_pachd_address(pachd.address)
        theirs.create_pipeline(NAME, pps_pb2.Transform(image="theirs"), spout=pps_pb2.Spout(), update=True)
        async with counted(world) as made:
            spouts.edit(key, description="another")
            await world.shows(key, stalled="True", reason="PipelineNotOwned")

    assert made["CreatePipeline"] == 0
    assert theirs.inspect_pipeline(NAME).transform.image == "theirs"
