"""The runtime as a whole: what it makes of events, ticks and faults, and how few calls it needs for that."""

import asyncio
import datetime
import json
import textwrap
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from spout_operator.controller.finalizers import FINALIZER
from spout_operator.core.errors import Stalled
from spout_operator.core.model import PipelineState, SpoutKey
from spout_operator.core.reasons import Reason
from spout_testbed.harness.spouts import message
from tests.builders import NOON, a_failure, a_name, a_refusal, a_spec, a_spout_body, a_transform, an_outage
from tests.fakes.memory_pipelines import VERSION, MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import World

NAME = a_name()
#: Before the loop's time began.
AN_HOUR_AGO = NOON - datetime.timedelta(hours=1)


async def running(world: World) -> SpoutKey:
    """A Spout that is ready and shown so."""
    key = world.spouts.create(a_spout_body())
    await world.until("the pipeline", lambda: world.pipelines.calls["create"] == 1)
    await world.until("the write to be answered", lambda: world.pipelines.calls["observe"] >= 2)
    world.pipelines.come_up(NAME)
    await world.shows(key, ready="True", state="Running")
    await world.ticks()
    return key


UNSUPPORTED = Stalled(Reason.UNSUPPORTED_PACHYDERM, "the Pachyderm is of version 0.9.0")


@asynccontextmanager
async def counted(world: World) -> AsyncIterator[Counter[str]]:
    """The calls to Pachyderm, and the writes to the API server as `write NAME`, made in the block."""
    calls, writes = Counter(world.pipelines.calls), len(world.spouts.writes)
    made: Counter[str] = Counter()
    yield made
    made.update(Counter(world.pipelines.calls) - calls)
    made.update(f"write {what}" for what in world.spouts.writes[writes:])


def specs_sent(calls: Mapping[str, int]) -> int:
    """How often a pipeline was created or updated."""
    return calls["create"] + calls["update"]


async def test_a_new_spout_is_made_with_few_calls_and_the_finalizer_comes_first(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        pipelines.hang("create")
        key = spouts.create(a_spout_body())
        await world.until("the call to create", lambda: pipelines.calls["create"] == 1)
        body = spouts.resource(key)
        assert body is not None
        assert body["metadata"]["finalizers"] == [FINALIZER]
        assert spouts.writes[0] == "finalizers"
        await world.shows(key, ready="False", reason="Creating", reconciling="True")
        first_tick = {"server": 1, "list": 1}
        of_the_spout = {"observe": 1, "check": 1, "server": 1, "create": 1}
        assert pipelines.calls == Counter(first_tick) + Counter(of_the_spout)
        pipelines.release("create")

        await world.shows(key, ready="False", synced="True", reason="Starting", version=1)


async def test_at_rest_a_tick_is_one_list_and_one_look_at_the_heads(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        await running(world)
        async with counted(world) as made:
            await world.ticks(5)

    assert made == {"list": 5, "heads": 5}


async def test_a_restart_asks_little_and_writes_nothing(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        pipelines.commit(NAME)
        pipelines.write_marker(NAME, {"offset": b"7"})
        await world.ticks()
        await world.shows(key, total=1, marker="7")

    async with World(pipelines, spouts) as world, counted(world) as made:
        await world.begun()
        await world.rest()
        await world.ticks(3)

    assert made == {"server": 1, "list": 1 + 3, "observe": 1, "heads": 1 + 3}


async def test_the_heads_of_a_quiet_spout_are_looked_at_ever_more_rarely(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts, quiet_ticks=30) as world:
        key = await running(world)
        async with counted(world) as made:
            await world.ticks(40)
        assert made["list"] == 40
        assert 8 <= made["heads"] <= 20, "at each of the first 8 ticks, then at every second, and so on"
        pipelines.commit(NAME)
        await world.ticks(30)
        await world.shows(key, total=1)


async def test_a_restart_reads_the_heads_of_a_quiet_spout_once(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        pipelines.change(NAME, created_at=AN_HOUR_AGO)
        pipelines.commit(NAME, finished_at=AN_HOUR_AGO)
        await world.ticks()
        await world.shows(key, total=1)

    async with World(pipelines, spouts, quiet_ticks=1000) as world, counted(world) as made:
        await world.begun()
        await world.ticks(5)

    assert made == {"server": 1, "list": 1 + 5, "observe": 1, "heads": 1}


async def test_new_commits_cost_one_listing_of_just_these(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        for _ in range(20):
            pipelines.commit(NAME)
        await world.ticks()
        await world.shows(key, total=20)
        async with counted(world) as made:
            for _ in range(3):
                pipelines.commit(NAME)
            await world.ticks()
            await world.shows(key, total=23)

    # The tick's, and the reconcile's: that commits come in says nothing new about the pipeline.
    assert made == {
        "list": 1,
        "heads": 2,
        "commits": 1,
        "write status": 1,
    }


async def test_an_open_commit_is_counted_once_it_is_finished(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        pipelines.commit(NAME)
        still_open = pipelines.commit(NAME, finished_at=None)
        await world.ticks()
        await world.shows(key, total=1)
        pipelines.finish_commit(NAME, still_open)
        await world.shows(key, total=2)


async def test_an_open_marker_is_shown_once_it_is_finished(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        pipelines.write_marker(NAME, {"offset": b"1"})
        await world.ticks()
        await world.shows(key, marker="1")
        still_open = pipelines.write_marker(NAME, {"offset": b"2"}, finished_at=None)
        await world.ticks()
        await world.shows(key, marker="1")
        pipelines.finish_commit(NAME, still_open)
        await world.shows(key, marker="2")


async def test_a_marker_branch_without_the_marker_is_not_asked_for_ever(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        await running(world)
        pipelines.write_marker(NAME, {"another": b"1"})
        await world.ticks(2)
        async with counted(world) as made:
            await world.ticks(5)

    assert made == {"list": 5, "heads": 5}


async def test_a_marker_that_cannot_be_read_is_all_that_is_not_known(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        pipelines.write_marker(NAME, {"offset": b"1"})
        await world.ticks()
        await world.shows(key, marker="1")
        head = pipelines.write_marker(NAME, {"offset": b"2"})
        pipelines.fail("marker", a_failure("AccessDenied: status code 403"))
        pipelines.commit(NAME)
        await world.ticks()
        status = await world.shows(key, ready="True", synced="True", total=1, marker=None)
        shown = status["marker"]
        assert "AccessDenied" in shown.pop("message")
        assert shown == {"path": "offset", "commit": head, "summary": "unknown"}

        await world.shows(key, marker="2")


async def test_a_newest_marker_commit_without_the_marker_is_shown_as_none(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        pipelines.write_marker(NAME, {"offset": b"1"})
        await world.ticks()
        await world.shows(key, marker="1", ready="True")
        head = pipelines.write_marker(NAME, {"another": b"1"})
        await world.ticks()
        status = await world.shows(key, marker=None, ready="True")
        assert (status["marker"]["summary"], status["marker"]["commit"]) == ("none", head)
        async with counted(world) as made:
            await world.ticks(3)
        assert made == {"list": 3, "heads": 3}, "a finished commit stays as it is"

        pipelines.write_marker(NAME, {"offset": b"2"})
        await world.ticks()
        await world.shows(key, marker="2")


async def test_before_the_first_marker_commit_nothing_is_said_of_a_marker(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        assert "marker" not in spouts.status(key)
        still_open = pipelines.write_marker(NAME, {"another": b"1"}, finished_at=None)
        await world.ticks()
        assert "marker" not in spouts.status(key), "it may still get its marker"
        pipelines.finish_commit(NAME, still_open)
        await world.until("the end of the commit", lambda: "marker" in spouts.status(key))

    assert spouts.status(key)["marker"]["summary"] == "none"


async def test_an_overtaken_read_of_heads_takes_back_nothing(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        pipelines.commit(NAME)
        pipelines.answer_late("heads")
        looks = pipelines.calls["heads"]
        tick = asyncio.create_task(world.ticks())
        await world.until("the poller's look", lambda: pipelines.calls["heads"] > looks)
        pipelines.commit(NAME)
        pipelines.write_marker(NAME, {"offset": b"7"})
        spouts.edit(key, description="another")
        await world.shows(key, total=2, marker="7")
        pipelines.release("heads")
        await tick
        async with counted(world) as made:
            spouts.edit(key, podPatch=" ")
            status = await world.shows(key, observed=3)

    assert (status["commits"]["total"], status["marker"]["value"]) == (2, "7")
    assert made["commits"] == 0, "nothing is counted again"


async def test_an_observation_that_was_overtaken_is_made_anew(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        pipelines.change(NAME, state=PipelineState.CRASHING)
        pipelines.answer_late("observe")
        looks = pipelines.calls["observe"]
        await world.poller.poll()
        await world.until("the look at the crash", lambda: pipelines.calls["observe"] > looks)
        pipelines.come_up(NAME)
        await world.poller.poll()
        pipelines.release("observe")
        await world.shows(key, state="Crashing")
        await world.ticks()
        await world.shows(key, state="Running", ready="True")


async def test_an_edit_that_an_answer_brings_before_the_watch_is_carried_out(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        spouts.withhold()
        spouts.edit(key, description="another")
        pipelines.commit(NAME)
        await world.ticks()
        await world.shows(key, version=2, total=1)
        spouts.deliver()
        await world.ticks()

    assert specs_sent(pipelines.calls) == 2, "the event that comes late says nothing new"


async def test_a_deletion_that_an_answer_brings_before_the_watch_is_carried_out(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        spouts.withhold()
        spouts.delete(key)
        pipelines.commit(NAME)
        await world.ticks()
        await world.until("the Spout to be gone", lambda: spouts.resource(key) is None)

    assert pipelines.calls["delete"] == 1


async def test_an_answer_that_comes_after_the_end_brings_nothing_back(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        spouts.delete(key)
        await world.until("the Spout to be gone", lambda: spouts.resource(key) is None)
        await world.ticks()

        assert not world.known


async def test_a_state_that_returns_during_a_status_update_is_shown(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        spouts.hang()
        written = Counter(spouts.writes)["status"]
        pipelines.change(NAME, state=PipelineState.CRASHING)
        await world.poller.poll()
        await world.until("the write of the crash", lambda: Counter(spouts.writes)["status"] > written)
        pipelines.come_up(NAME)
        looks = pipelines.calls["observe"]
        await world.poller.poll()
        await world.until("the look at what runs again", lambda: pipelines.calls["observe"] > looks)
        spouts.release()
        await world.ticks()
        await world.shows(key, ready="True", state="Running")


async def test_the_outcome_of_a_failed_write_is_not_taken_for_granted(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        spouts.withhold()
        spouts.lose_answers(times=1)
        pipelines.change(NAME, state=PipelineState.CRASHING)
        await world.ticks()
        await world.shows(key, state="Crashing")
        pipelines.come_up(NAME)
        await world.ticks()
        await world.shows(key, ready="True", state="Running")


async def test_an_edit_is_one_update(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        async with counted(world) as made:
            spouts.edit(key, description="another")
            await world.shows(key, version=2)

    # Whose it is now, and what came of it. The adapter asks once more, what to carry over.
    assert (made["observe"], made["update"]) == (2, 1)
    assert made.keys() <= {"observe", "check", "server", "update", "heads", "write status"}


async def test_the_same_spec_again_is_no_update(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        async with counted(world) as made:
            spouts.edit(key, podPatch=" ")
            await world.shows(key, observed=2)

    assert specs_sent(made) == 0


async def test_status_writes_are_coalesced(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    async with World(pipelines, spouts, status_interval=3600) as world:
        spouts.create(a_spout_body())
        await world.until("the pipeline", lambda: pipelines.calls["create"] == 1)
        for _ in range(5):
            pipelines.commit(NAME)
            await world.ticks()

    assert Counter(spouts.writes)["status"] == 1


async def test_a_status_that_could_not_be_written_is_written_later(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        spouts.fail(times=1)
        pipelines.commit(NAME)
        await world.ticks()
        await world.shows(key, total=1)


async def test_pachyderm_away_is_told_once_and_mended_by_itself(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        pipelines.fails_with = an_outage("UNAVAILABLE: nobody listens")
        await world.ticks()
        status = await world.shows(key, ready="Unknown", reason="PachydermUnreachable", reconciling="True")
        assert "nobody listens" in message(status)
        assert status["pipeline"]["state"] == "Running", "what was last known stays"
        async with counted(world) as made:
            await world.ticks(3)
        assert made == {"server": 3}, "nothing is written again and again"
        pipelines.fails_with = None
        await world.ticks()
        await world.shows(key, ready="True")

    assert specs_sent(pipelines.calls) == 1


async def test_a_refused_spec_is_not_sent_again_and_again(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    async with World(pipelines, spouts) as world:
        pipelines.fail("create", a_refusal("the following service type Odd is not allowed"), times=9)
        key = spouts.create(a_spout_body())
        status = await world.shows(key, ready="False", stalled="True", reason="PipelineRejected")
        assert "Odd is not allowed" in message(status)
        async with counted(world) as made:
            await world.ticks(5)

    assert specs_sent(made) == 0


async def test_a_passing_trouble_is_tried_again(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    async with World(pipelines, spouts) as world:
        pipelines.fail("create", a_failure("Received RST_STREAM with error code 2"))
        key = spouts.create(a_spout_body())
        await world.shows(key, ready="False", reconciling="True", stalled=None, reason="PachydermError")
        await world.shows(key, synced="True", version=1)


async def test_to_another_pachyderm_nothing_is_written(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    pipelines.unsupported = UNSUPPORTED
    async with World(pipelines, spouts) as world:
        key = spouts.create(a_spout_body())
        status = await world.shows(key, ready="False", stalled="True", reason="UnsupportedPachyderm")

    assert "version 0.9.0" in message(status)
    assert specs_sent(pipelines.calls) == 0


async def test_another_pachyderm_is_an_outage_until_it_is_upgraded(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        pipelines.fails_with = an_outage()
        await world.ticks()
        pipelines.unsupported, pipelines.fails_with = UNSUPPORTED, None
        await world.ticks()
        await world.shows(key, reason="UnsupportedPachyderm")
        assert world.poller.is_reached is False
        assert "version" not in spouts.status(key)["pachyderm"]
        pipelines.unsupported = None
        await world.ticks()
        status = await world.shows(key, ready="True", stalled=None)

    assert status["pachyderm"]["version"] == VERSION


KEY = '-----BEGIN KEY-----\nMIIEowIBAAKCAQEA0451\n  two  blanks, "quotes" and back\\slashes\n-----END KEY-----\n'


async def test_a_value_that_an_edit_replaces_is_not_shown_where_the_edit_fails(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        key = spouts.create(a_spout_body({"transform.env": {"PASSWORD": "the-old-password"}}))
        await world.shows(key, synced="True", version=1)
        said = 'invalid pipeline spec: it has "the-old-password" in place of "the-new-password"'
        pipelines.fail("update", a_refusal(said))
        spouts.edit(
            key, transform=a_spout_body({"transform.env": {"PASSWORD": "the-new-password"}})["spec"]["transform"]
        )
        status = await world.shows(key, stalled="True", reason="PipelineRejected")

    assert "invalid pipeline spec" in message(status)
    assert "password" not in str(status).lower().replace("[redacted]", "")


async def test_a_status_quotes_pachyderm_without_the_secrets_of_env(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        pipelines.fail("create", a_failure("cannot use hunter2hunter2 here"), times=9)
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
@pytest.mark.parametrize("fails", ["create", "observe", "heads", "the pipeline"])
async def test_a_key_of_several_lines_is_in_no_status_and_no_log_line(
    pipelines: MemoryPipelines, spouts: MemorySpouts, caplog: pytest.LogCaptureFixture, said: str, fails: str
) -> None:
    caplog.set_level("DEBUG")
    async with World(pipelines, spouts) as world:
        if fails != "the pipeline":
            pipelines.fail(fails, a_failure(f"cannot use {said}"), times=9)
        key = spouts.create(a_spout_body({"transform.env": {"KEY": KEY}}))
        if fails == "the pipeline":
            await world.shows(key, synced="True")
            pipelines.change(NAME, state=PipelineState.FAILURE, reason=f"cannot use {said}")
            await world.ticks()
        await world.until("the failure to be shown", lambda: "cannot use" in str(spouts.status(key)))

    assert pieces_of_the_key(caplog.text + str(spouts.status(key))) == []


@pytest.mark.parametrize("said", FORMS)
async def test_an_outage_shows_the_key_of_a_spout_on_no_other(
    pipelines: MemoryPipelines, spouts: MemorySpouts, caplog: pytest.LogCaptureFixture, said: str
) -> None:
    caplog.set_level("DEBUG")
    async with World(pipelines, spouts) as world:
        bystander = spouts.create(a_spout_body(name="bystander"))
        key = spouts.create(a_spout_body({"transform.env": {"KEY": KEY}}))
        await world.shows(bystander, synced="True")
        await world.shows(key, synced="True")
        pipelines.fail("list", a_failure(f"cannot use {said}"), times=9)
        await world.ticks()
        told = [str(await world.shows(one, reason="PachydermError")) for one in (key, bystander)]

    assert "cannot use" in caplog.text
    assert pieces_of_the_key(caplog.text + "".join(told)) == []


async def test_a_spout_that_vanished_gets_no_new_pipeline(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        spouts.vanish(key)
        async with counted(world) as made:
            await pipelines.delete(NAME, keep_repo=False)
            await world.ticks(3)

    assert specs_sent(made) == 0
    assert made["observe"] >= 1


async def test_a_deleted_spout_takes_its_pipeline_along(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        async with counted(world) as made:
            spouts.delete(key)
            await world.until("the Spout to be gone", lambda: spouts.resource(key) is None)

    assert made["delete"] == 1
    assert made["observe"] == 2, "one to see whose it is, one to see that it is gone"


async def test_a_failed_delete_holds_the_spout(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        pipelines.fail("delete", a_failure("etcdserver: request timed out"))
        spouts.delete(key)
        await world.shows(key, reason="PachydermError", reconciling="True")
        await world.until("the Spout to be gone", lambda: spouts.resource(key) is None)


async def test_a_spout_whose_pipeline_cannot_be_read_says_how_it_can_be_deleted(
    pipelines: MemoryPipelines, spouts: MemorySpouts
) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        pipelines.lose_spec(NAME)
        spouts.delete(key)
        status = await world.shows(key, ready="False", reason="PachydermError", reconciling="True")
        assert f"pachctl delete pipeline {NAME}" in message(status)
        assert "spec.deletionPolicy to Orphan" in message(status)
        assert pipelines.calls["delete"] == 0, "whose it is is not known"

        spouts.edit(key, deletionPolicy="Orphan")
        await world.until("the Spout to be gone", lambda: spouts.resource(key) is None)

    assert pipelines.calls["delete"] == 0


async def test_two_spouts_one_pipeline_the_older_makes_it(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    younger = spouts.create(a_spout_body({"name": "shared"}, name="younger", creationTimestamp="2026-01-31T12:00:01Z"))
    older = spouts.create(a_spout_body({"name": "shared"}, name="older"))
    async with World(pipelines, spouts) as world:
        await world.shows(older, synced="True", version=1)
        status = await world.shows(younger, stalled="True", ready="False")

    assert "ingest/older" in message(status)
    assert specs_sent(pipelines.calls) == 1


async def test_the_owner_is_observed_right_before_each_write(pipelines: MemoryPipelines, spouts: MemorySpouts) -> None:
    async with World(pipelines, spouts) as world:
        key = await running(world)
        theirs = a_spec(transform=a_transform(image="theirs"))
        pipelines.change(NAME, spec=theirs, owner=None, version=2)
        async with counted(world) as made:
            spouts.edit(key, description="another")
            await world.shows(key, stalled="True", reason="PipelineNotOwned")

    assert specs_sent(made) == 0
    assert pipelines.spec_of(NAME) == theirs
