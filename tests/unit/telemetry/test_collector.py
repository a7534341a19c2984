"""How many Spouts have series of their own is bounded, and can be none."""

import pytest

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
