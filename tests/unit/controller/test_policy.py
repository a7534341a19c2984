"""A policy at work: what is not allowed is not sent, what runs goes on, and it is told once."""

import logging
from typing import Any

import pytest

from spout_operator.core.model import SpoutKey
from spout_operator.core.policy import RESTRICTED, Glob, Policy, Rule
from spout_operator.core.resource import condition_of
from spout_testbed.harness.spouts import message
from tests.builders import CAPABILITIES, a_name, a_spout_body
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import World

ALL = (Glob("*"),)
WITH_SECRET = Policy((*RESTRICTED.rules, Rule(namespaces=(Glob("ingest"),), secrets=(Glob("kafka"),))))
SECRETS = [{"name": "kafka", "mountPath": "/etc/kafka"}]
DENIED = "spec.transform.secrets[0].name: the policy does not allow the Secret 'kafka' in the namespace 'ingest'"


def a_world(**fields: Any) -> tuple[MemoryPipelines, MemorySpouts]:
    return MemoryPipelines(CAPABILITIES, runs_at_once=True), MemorySpouts(**fields)


def is_denied(world: World, key: SpoutKey) -> bool:
    return condition_of(world.spouts.status(key), "Ready").get("reason") == "PolicyDenied"


def denials(world: World) -> dict[str, float]:
    """What the metric counted, without what it did not."""
    name = "spout_operator_policy_denials_total"
    found = {
        sample.labels["permission"]: sample.value
        for metric in world.metrics.registry.collect()
        for sample in metric.samples
        if sample.name == name
    }
    return {permission: value for permission, value in found.items() if value}


async def test_a_spout_that_asks_for_too_much_is_stalled_and_nothing_is_sent() -> None:
    pipelines, spouts = a_world()
    key = spouts.create(a_spout_body({"transform.secrets": SECRETS}))
    async with World(pipelines, spouts) as world:
        status = await world.settles(key)

        assert {(found["type"], found["status"], found["reason"]) for found in status["conditions"]} == {
            ("Ready", "False", "PolicyDenied"),
            ("Synced", "False", "PolicyDenied"),
            ("Stalled", "True", "PolicyDenied"),
        }
        assert message(status) == f"{DENIED}; a rule with namespaces: [ingest] and secrets: [kafka] would allow it"
        assert pipelines.calls["create"] == 0
        assert denials(world) == {"secrets": 1}


async def test_a_rule_that_is_added_lets_it_in() -> None:
    pipelines, spouts = a_world()
    key = spouts.create(a_spout_body({"transform.secrets": SECRETS}))
    async with World(pipelines, spouts) as world:
        await world.settles(key)
        world.controller.apply_policy(WITH_SECRET)
        await world.shows(key, ready="True", stalled=None)

        assert pipelines.calls["create"] == 1


async def test_a_spout_that_is_no_longer_allowed_goes_on_says_so_and_takes_in_no_edit() -> None:
    pipelines, spouts = a_world()
    key = spouts.create(a_spout_body({"transform.secrets": SECRETS}))
    async with World(pipelines, spouts, policy=WITH_SECRET) as world:
        await world.shows(key, ready="True")
        world.controller.apply_policy(RESTRICTED)
        await world.until("the denial", lambda: is_denied(world, key))
        assert message(spouts.status(key)).endswith(
            "would allow it. The pipeline goes on as it is; until the policy allows the Spout, no edit is taken in"
        )

        spouts.edit(key, description="edited", suspend=True)
        pipelines.commit(a_name())
        await world.ticks(2)

        status = spouts.status(key)
        assert is_denied(world, key)
        assert status["observedGeneration"] == 2
        assert status["commits"]["total"] == 1, "what it commits is told as before"
        changes = {call: pipelines.calls[call] for call in ("create", "update", "stop", "delete")}
        assert changes == {"create": 1, "update": 0, "stop": 0, "delete": 0}

        world.controller.apply_policy(WITH_SECRET)
        await world.until("the edit to be taken in", lambda: pipelines.calls["stop"] == 1)
        assert pipelines.calls["update"] == 1


async def test_a_spout_that_is_denied_can_be_deleted_with_its_pipeline() -> None:
    pipelines, spouts = a_world()
    key = spouts.create(a_spout_body({"transform.secrets": SECRETS}))
    async with World(pipelines, spouts, policy=WITH_SECRET) as world:
        await world.shows(key, ready="True")
        world.controller.apply_policy(RESTRICTED)
        await world.until("the denial", lambda: is_denied(world, key))

        spouts.delete(key)
        await world.until("the Spout to be gone", lambda: key not in world.known)

        assert pipelines.calls["delete"] == 1


@pytest.mark.parametrize(
    "changes", [{"name": "team-a-x/../team-b-orders"}, {"name": "orders^"}, {"project": "a/b"}], ids=str
)
async def test_a_spout_with_a_name_that_no_pipeline_can_have_is_deleted_without_asking(changes: dict[str, Any]) -> None:
    pipelines, spouts = a_world()
    key = spouts.create(a_spout_body(changes))
    async with World(pipelines, spouts) as world:
        assert condition_of(await world.settles(key), "Ready")["reason"] == "InvalidSpec"

        spouts.delete(key)
        await world.until("the Spout to be gone", lambda: key not in world.known)

        assert (pipelines.calls["observe"], pipelines.calls["delete"]) == (0, 0)


async def test_a_name_that_is_not_allowed_does_not_tell_whose_pipeline_has_it() -> None:
    pipelines, spouts = a_world()
    first = spouts.create(a_spout_body({"name": "orders"}, namespace="team-b"))
    policy = Policy(
        (
            Rule(namespaces=(Glob("team-b"),), pipeline_names=ALL),
            Rule(namespaces=(Glob("ingest"),), pipeline_names=(Glob("a-*"),)),
        )
    )
    async with World(pipelines, spouts, policy=policy) as world:
        await world.shows(first, ready="True")
        second = spouts.create(a_spout_body({"name": "orders"}))
        status = await world.settles(second)

        assert condition_of(status, "Ready")["reason"] == "PolicyDenied"
        assert "team-b" not in message(status)


async def test_a_spout_that_may_not_have_a_name_does_not_keep_it_from_one_that_may() -> None:
    pipelines, spouts = a_world()
    squatter = spouts.create(a_spout_body({"name": "orders"}, name="first"))
    policy = Policy(
        (
            Rule(namespaces=(Glob("team-b"),), pipeline_names=ALL),
            Rule(namespaces=(Glob("ingest"),), pipeline_names=(Glob("a-*"),)),
        )
    )
    async with World(pipelines, spouts, policy=policy) as world:
        await world.settles(squatter)
        rightful = spouts.create(a_spout_body({"name": "orders"}, namespace="team-b"))

        await world.shows(rightful, ready="True", stalled=None)
        assert is_denied(world, squatter)


async def test_each_denied_generation_is_one_log_line_and_one_count(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    pipelines, spouts = a_world()
    key = spouts.create(a_spout_body({"transform.secrets": SECRETS}))
    async with World(pipelines, spouts) as world:
        await world.settles(key)
        world.controller.apply_policy(RESTRICTED)
        await world.rest()
        assert denials(world) == {"secrets": 1}, "another look at the same generation"

        spouts.edit(key, podPatch="[]")
        await world.until("the second generation", lambda: spouts.status(key)["observedGeneration"] == 2)
        assert denials(world) == {"secrets": 2, "podPatch": 1}

    lines = [record.getMessage() for record in caplog.records if "PolicyDenied" in record.getMessage()]
    assert [line.count(DENIED) for line in lines] == [1, 1]
    assert all(line.startswith("Spout ingest/my-spout: Ready is False (PolicyDenied)") for line in lines)


async def test_a_restart_of_the_operator_counts_nothing_again() -> None:
    pipelines, spouts = a_world()
    key = spouts.create(a_spout_body({"transform.secrets": SECRETS}))
    async with World(pipelines, spouts) as world:
        await world.settles(key)
    async with World(pipelines, spouts) as world:
        await world.begun()
        writes = len(spouts.writes)
        await world.ticks()

        assert denials(world) == {}
        assert len(spouts.writes) == writes, "and writes nothing"
