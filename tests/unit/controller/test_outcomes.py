"""How each reconcile is counted, what its error is called, and when the Spout is reconciled again."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from spout_operator.core.errors import NotLeading
from spout_operator.core.model import Pipeline, PipelineName
from spout_operator.core.policy import Policy
from spout_testbed.harness.spouts import message
from tests.builders import a_failure, a_key, a_name, a_refusal, a_spout_body, an_outage, an_owner
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import World, now

KEY, NAME = a_key(), a_name()


class Pipelines(MemoryPipelines):
    """Pipelines that run at once, of an adapter that can have a defect."""

    def __init__(self) -> None:
        super().__init__(runs_at_once=True, now=now)
        self.has_defect = False

    async def observe(self, name: PipelineName) -> Pipeline | None:
        if self.has_defect:
            raise ZeroDivisionError
        return await super().observe(name)


def counted(world: World) -> Counter[str]:
    """Reconciles by their result, and errors by their reason."""
    return Counter(
        {
            label: int(sample.value)
            for metric in world.metrics.registry.collect()
            for sample in metric.samples
            for name, label in sample.labels.items()
            if (sample.name, name)
            in {
                ("spout_operator_reconciles_total", "result"),
                ("spout_operator_reconcile_errors_total", "reason"),
            }
        }
    )


def edit(world: World) -> None:
    """An edit that changes nothing about the pipeline."""
    world.spouts.edit(KEY, podPatch=" ")


def not_leading() -> float:
    raise NotLeading("another replica may be acting")


async def it_runs(world: World) -> None:
    edit(world)


async def its_spec_is_invalid(world: World) -> None:
    world.spouts.edit(KEY, resourceRequests={"cpu": "none"})


async def the_policy_denies_it(world: World) -> None:
    world.controller.apply_policy(Policy(()))


async def its_pipeline_is_somebody_elses(world: World) -> None:
    world.pipelines.change(NAME, owner=an_owner(cluster="another"))
    edit_and_observe(world)


def edit_and_observe(world: World) -> None:
    """An edit that has to be carried out, so that the pipeline is observed."""
    world.spouts.edit(KEY, description="edited")


async def pachyderm_fails(world: World) -> None:
    world.pipelines.fail("observe", a_failure())
    edit_and_observe(world)


async def pachyderm_refuses(world: World) -> None:
    world.pipelines.fail("update", a_refusal())
    edit_and_observe(world)


async def pachyderm_does_not_answer(world: World) -> None:
    world.pipelines.fail("observe", an_outage())
    edit_and_observe(world)


async def another_replica_leads(world: World) -> None:
    world.pipelines.permit = not_leading
    edit_and_observe(world)


async def the_adapter_has_a_defect(world: World) -> None:
    assert isinstance(world.pipelines, Pipelines)
    world.pipelines.has_defect = True
    edit_and_observe(world)


async def it_is_gone(world: World) -> None:
    world.spouts.purge(KEY)


async def it_is_deleted(world: World) -> None:
    world.spouts.delete(KEY)


async def it_vanishes_with_its_pipeline(world: World) -> None:
    """And the watch does not tell."""
    world.spouts.vanish(KEY)
    await world.pipelines.delete(NAME, keep_repo=False)
    await world.poller.poll()


@dataclass(frozen=True, kw_only=True)
class Row:
    happens: Callable[[World], Awaitable[None]]
    counts: dict[str, int]
    again: tuple[float, float] | None = None
    """Seconds from which and until which it is reconciled again; None where nobody can tell, or nothing tells."""
    says: str = field(default="")


FIRST_TRY = (0.75, 1.0)
ROWS = [
    Row(happens=it_runs, counts={"settled": 1}),
    Row(happens=its_spec_is_invalid, counts={"stalled": 1, "InvalidSpec": 1}, again=(300, 300)),
    Row(happens=the_policy_denies_it, counts={"stalled": 1}),
    Row(
        happens=its_pipeline_is_somebody_elses,
        counts={"stalled": 1, "PipelineNotOwned": 1},
        again=(300, 300),
    ),
    Row(happens=pachyderm_fails, counts={"retryable": 1, "PachydermError": 1}, again=FIRST_TRY),
    Row(happens=pachyderm_refuses, counts={"stalled": 1, "PipelineRejected": 1}, again=(300, 300)),
    Row(happens=pachyderm_does_not_answer, counts={"unreachable": 1, "PachydermUnreachable": 1}, again=FIRST_TRY),
    Row(happens=another_replica_leads, counts={"outdated": 1}, again=(1, 1)),
    Row(
        happens=the_adapter_has_a_defect,
        counts={"retryable": 1, "InternalError": 1},
        again=FIRST_TRY,
        says="an unexpected error inside the operator; see its log",
    ),
    Row(happens=it_is_gone, counts={"gone": 1}),
    # Once where it is let go or found out, and once where the cache tells of it.
    Row(happens=it_is_deleted, counts={"gone": 2}),
    Row(happens=it_vanishes_with_its_pipeline, counts={"gone": 2}),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.happens.__name__)
async def test_a_reconcile_is_counted_by_how_it_ended_and_says_when_it_is_made_again(row: Row) -> None:
    pipelines, spouts = Pipelines(), MemorySpouts()
    async with World(pipelines, spouts) as world:
        spouts.create(a_spout_body())
        await world.shows(KEY, ready="True", reason="Running")
        # Until the user code counts as one that runs, whose log is read ever more rarely.
        for _ in range(3):
            await asyncio.sleep(60)
            await world.ticks()
        before = counted(world)

        await row.happens(world)
        begun = asyncio.get_running_loop().time()
        await world.rest()

        made = counted(world) - before
        assert made == row.counts
        assert row.says in (message(spouts.status(KEY)) if row.says else "")
        if row.again is not None:
            first, last = row.again
            await asyncio.sleep(begun + first - 0.01 - asyncio.get_running_loop().time())
            assert counted(world) - before == made, "too soon"
            await asyncio.sleep(last - first + 0.1)
            assert (counted(world) - before).total() > made.total(), "too late"


async def test_a_spout_that_is_gone_before_it_is_held_is_counted_as_gone() -> None:
    pipelines, spouts = Pipelines(), MemorySpouts()
    async with World(pipelines, spouts) as world:
        await world.begun()
        spouts.create(a_spout_body())
        spouts.vanish(KEY)
        await world.rest()

        assert counted(world) == {"gone": 2}


async def test_a_defect_is_in_the_log_with_where_it_happened(caplog: pytest.LogCaptureFixture) -> None:
    pipelines, spouts = Pipelines(), MemorySpouts()
    async with World(pipelines, spouts) as world:
        await world.begun()
        pipelines.has_defect = True
        spouts.create(a_spout_body())
        await world.shows(KEY, reason="InternalError")

    (line,) = {record.getMessage() for record in caplog.records if record.exc_info}
    assert line == "Spout ingest/my-spout: unexpected error"
    assert "ZeroDivisionError" in caplog.text


async def test_a_spout_whose_pipeline_is_somebody_elses_shows_nothing_of_it() -> None:
    pipelines, spouts = Pipelines(), MemorySpouts()
    async with World(pipelines, spouts) as world:
        spouts.create(a_spout_body())
        assert "pipeline" in await world.shows(KEY, ready="True", reason="Running")

        await its_pipeline_is_somebody_elses(world)

        assert "pipeline" not in await world.shows(KEY, reason="PipelineNotOwned")


async def test_a_pipeline_that_comes_up_is_observed_again_and_again_until_it_is_up() -> None:
    pipelines, spouts = MemoryPipelines(now=now), MemorySpouts()
    async with World(pipelines, spouts) as world:
        spouts.create(a_spout_body())
        await world.shows(KEY, reason="Starting")
        await world.until("some looks", lambda: counted(world)["again"] > 3)
        assert counted(world)["settled"] == 0

        pipelines.come_up(NAME)

        await world.shows(KEY, ready="True", reason="Running")
