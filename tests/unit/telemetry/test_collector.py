"""How many Spouts have series of their own is bounded, and can be none."""

import pytest

from spout_operator.core.errors import Unreachable
from spout_operator.telemetry.collector import StateCollector
from spout_operator.telemetry.metrics import Metrics
from tests.builders import a_resource
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import a_controller

NAMES = ("a", "b", "c")


@pytest.mark.parametrize(
    ("limit", "shown", "without"),
    [(0, [], 3), (2, ["a", "b"], 1), (3, ["a", "b", "c"], 0), (1000, ["a", "b", "c"], 0)],
)
async def test_the_limit_bounds_the_spouts_with_series_and_the_others_are_counted(
    spouts: MemorySpouts, limit: int, shown: list[str], without: int
) -> None:
    controller = a_controller(MemoryPipelines(), spouts, Metrics())
    for name in NAMES:
        controller.handle_event(None, a_resource(name=name))

    families = {
        family.name: family.samples for family in StateCollector(controller, limit=limit, watch_troubles=dict).collect()
    }

    per_spout = [samples for name, samples in families.items() if name.startswith("spout_operator_spout_")]
    named = {sample.labels["name"] for samples in per_spout for sample in samples}
    assert sorted(named) == shown
    assert [sample.value for sample in families["spout_operator_spouts_without_series"]] == [without]
    assert sum(sample.value for sample in families["spout_operator_spouts"]) == len(NAMES)
    controller.close()


@pytest.mark.parametrize(
    ("told", "shown"),
    [("2.12.2", "2.12.2"), ("2.12.2-" + "x" * 100, "2.12.2-" + "x" * 57)],
    ids=["a version", "a version with a long name is cut"],
)
async def test_the_version_of_the_pachyderm_that_answered_last_is_one_series(told: str, shown: str) -> None:
    pipelines = MemoryPipelines()
    pipelines.version = told
    controller = a_controller(pipelines, MemorySpouts(), Metrics())
    collector = StateCollector(controller, limit=0, watch_troubles=dict)

    def versions() -> list[str]:
        families = [family for family in collector.collect() if family.name == "spout_operator_pachyderm_info"]
        return [sample.labels["pachyderm_version"] for family in families for sample in family.samples]

    assert versions() == [], "it has not answered yet"
    await controller.poller.poll()
    assert versions() == [shown]
    pipelines.fails_with = Unreachable("gone")
    await controller.poller.poll()
    assert versions() == [shown], "it may come back as the same"
    controller.close()
