"""A Spout that is deleted: what becomes of its pipeline, what is told, and when the Spout is let go."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from spout_operator.controller.cache import SpoutCache
from spout_operator.controller.deletion import MOST_STEPS, Deletion
from spout_operator.controller.events import EventRecorder
from spout_operator.controller.finalizers import FINALIZER, Finalizers
from spout_operator.controller.head_reads import HeadReads
from spout_operator.controller.observations import ObservationCache
from spout_operator.core.errors import Retryable, Unreadable
from spout_operator.core.model import Owner
from spout_operator.core.reasons import Reason
from spout_operator.core.resource import SpoutResource
from spout_operator.telemetry.metrics import Metrics
from tests.builders import a_failure, a_key, a_name, a_pipeline, a_spec, a_spout_body, an_owner
from tests.fakes.memory_events import MemoryEvents
from tests.fakes.memory_pipelines import ADDRESS, MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.world import now

KEY, NAME, OURS = a_key(), a_name(), an_owner()
THEIRS = an_owner(cluster="another")


class Deleting:
    """A Spout that is being deleted, and the deletion under test."""

    def __init__(
        self,
        pipelines: MemoryPipelines,
        *,
        finalizers: Sequence[str] = (FINALIZER,),
        policy: str,
        changes: Mapping[str, object] | None = None,
    ) -> None:
        self.pipelines, self.spouts, self.events = pipelines, MemorySpouts(), MemoryEvents()
        self.cache = SpoutCache(lambda _: None)
        self.observations = ObservationCache(HeadReads(interval=10, quiet_interval=300))
        self.recorder = EventRecorder(self.events, telemetry=Metrics(), address=ADDRESS, now=now)
        self._tested = Deletion(
            pachyderm=pipelines,
            observations=self.observations,
            finalizers=Finalizers(cache=self.cache, spouts=self.spouts),
            recorder=self.recorder,
        )
        self.spouts.create(a_spout_body({"deletionPolicy": policy, **(changes or {})}, finalizers=list(finalizers)))
        if finalizers:
            self.spouts.delete(KEY)

    async def finalize(self) -> None:
        resource = SpoutResource.from_body(self.spouts.resource(KEY) or {})
        self.cache.put(resource)
        await self._tested.finalize(resource, OURS)

    async def told(self) -> list[tuple[str, str]]:
        """The reason and the note of each Event."""
        writing = asyncio.ensure_future(self.recorder.run())
        await asyncio.sleep(1)
        writing.cancel()
        return [(stored.event.reason, stored.event.note) for stored in self.events.stored]

    @property
    def is_held(self) -> bool:
        """Whether the Spout is still there."""
        return self.spouts.resource(KEY) is not None


@dataclass(frozen=True, kw_only=True)
class Row:
    reason: str
    policy: str = "Delete"
    owner: Owner | None = OURS
    is_there: bool = True
    calls: dict[str, int]
    keeps: tuple[bool, bool]
    """Whether the pipeline and its repo are there afterwards."""
    told: list[tuple[str, str]]


DELETED = {"observe": 2, "server": 1, "delete": 1}
ROWS = [
    Row(
        reason="the pipeline and its repo are deleted",
        calls=DELETED,
        keeps=(False, False),
        told=[("Deleted", "deleted the pipeline 'my-spout' and its repo")],
    ),
    Row(
        reason="the repo is kept",
        policy="KeepRepo",
        calls=DELETED,
        keeps=(False, True),
        told=[("Deleted", "deleted the pipeline 'my-spout' and kept its repo")],
    ),
    Row(
        reason="the pipeline stays, and its Pachyderm is not asked: it may be gone for good",
        policy="Orphan",
        calls={},
        keeps=(True, True),
        told=[("Released", "the pipeline stays: deletionPolicy is Orphan")],
    ),
    Row(
        reason="a pipeline of another owner stays",
        owner=THEIRS,
        calls={"observe": 1},
        keeps=(True, True),
        told=[("Released", "the pipeline is not this Spout's and stays")],
    ),
    Row(
        reason="a pipeline that has no owner stays",
        owner=None,
        calls={"observe": 1},
        keeps=(True, True),
        told=[("Released", "the pipeline is not this Spout's and stays")],
    ),
    Row(
        reason="a pipeline that is gone already is nothing to tell of",
        is_there=False,
        calls={"observe": 1},
        keeps=(False, False),
        told=[],
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.reason)
async def test_a_pipeline_is_treated_as_the_policy_says_and_the_spout_is_let_go(
    pipelines: MemoryPipelines, row: Row
) -> None:
    if row.is_there:
        pipelines.make(NAME, a_spec(), row.owner)
        pipelines.commit(NAME)
    deleting = Deleting(pipelines, policy=row.policy)

    await deleting.finalize()

    assert pipelines.calls == row.calls
    assert not deleting.is_held
    assert await deleting.told() == row.told
    there = await pipelines.observe(NAME) is not None, pipelines.heads_of(NAME).output is not None
    assert there == row.keeps


@pytest.mark.parametrize("changes", [{"name": "orders^"}, {"project": "a/b"}], ids=str)
async def test_pachyderm_is_not_asked_for_a_pipeline_that_no_spout_can_have(
    pipelines: MemoryPipelines, changes: dict[str, object]
) -> None:
    """It might refuse the question, and the Spout would stay for ever."""
    deleting = Deleting(pipelines, policy="Delete", changes=changes)

    await deleting.finalize()

    assert not deleting.is_held
    assert pipelines.calls == {}


async def test_a_spout_that_was_let_go_before_is_left_alone(pipelines: MemoryPipelines) -> None:
    pipelines.make(NAME, a_spec(), OURS)
    deleting = Deleting(pipelines, finalizers=["example.com/backup"], policy="Delete")

    await deleting.finalize()

    assert (pipelines.calls, deleting.spouts.writes, await deleting.told()) == ({}, [], [])


async def test_a_delete_that_fails_holds_the_spout(pipelines: MemoryPipelines) -> None:
    pipelines.make(NAME, a_spec(), OURS)
    pipelines.fail("delete", a_failure())
    deleting = Deleting(pipelines, policy="Delete")

    with pytest.raises(Retryable):
        await deleting.finalize()

    assert deleting.is_held
    assert await deleting.told() == []


class Undying(MemoryPipelines):
    """Pipelines of a server that accepts every delete, and carries out none."""

    async def delete(self, name: object, *, keep_repo: bool) -> None:  # noqa: ARG002 - as the port has it
        await self.begin("delete")


async def test_a_pipeline_that_stays_though_it_is_deleted_holds_the_spout() -> None:
    pipelines = Undying()
    pipelines.make(NAME, a_spec(), OURS)
    deleting = Deleting(pipelines, policy="Delete")

    with pytest.raises(Retryable) as error:
        await deleting.finalize()

    assert (error.value.reason, error.value.message) == (
        Reason.DELETING,
        "the pipeline 'my-spout' is still there after it was deleted; it is tried again",
    )
    assert pipelines.calls["delete"] == MOST_STEPS
    assert deleting.is_held


async def test_a_pipeline_that_cannot_be_read_holds_the_spout_and_says_why_and_how_to_go_on(
    pipelines: MemoryPipelines,
) -> None:
    pipelines.make(NAME, a_spec(), OURS)
    pipelines.lose_spec(NAME)
    deleting = Deleting(pipelines, policy="KeepRepo")

    with pytest.raises(Unreadable) as error:
        await deleting.finalize()

    assert error.value.message == (
        "could not read the pipeline 'my-spout': Pachyderm cannot read its spec; whose it is cannot be told, so it is "
        "not deleted and the Spout stays. If it is this Spout's, delete it by hand: pachctl delete pipeline my-spout "
        "--keep-repo; or set spec.deletionPolicy to Orphan, which lets the Spout go and leaves the pipeline"
    )
    assert error.value.said == "no spec for pipeline 'my-spout', there may be a problem"
    assert deleting.is_held


async def test_what_was_observed_before_the_deletion_is_no_answer_for_a_later_spout_of_that_name(
    pipelines: MemoryPipelines,
) -> None:
    deleting = Deleting(pipelines, policy="Delete")
    deleting.observations.remember(a_pipeline())

    await deleting.finalize()

    assert deleting.observations.observed(NAME) is None


async def test_each_step_of_a_deletion_is_in_the_log(
    pipelines: MemoryPipelines, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    pipelines.make(NAME, a_spec(), OURS)

    await Deleting(pipelines, policy="Delete").finalize()

    assert caplog.messages == [
        "Spout ingest/my-spout: deleting the pipeline and its repo",
        "Spout ingest/my-spout: the pipeline is gone",
    ]
