"""The steps to a pipeline, where somebody else acts in between."""

import json

import pytest

from spout_operator.blocking import BlockingCalls
from spout_operator.controller.convergence import Convergence
from spout_operator.controller.head_reads import HeadReads
from spout_operator.controller.observations import PipelineKnowledge
from spout_operator.core.decision import Action, Decision
from spout_operator.core.errors import Stalled
from spout_operator.core.model import PipelineSpec, Resources
from spout_operator.core.reasons import Reason
from spout_operator.core.spec.fields import canonical_json
from spout_operator.core.spec.quantity import Quantity
from spout_operator.pachyderm.v1.backend import PachydermV1
from tests.builders import a_spec, a_spout, an_owner
from tests.memory_pachd import MemoryPachd

EDITED = a_spout(spec=a_spec(description="edited"))


def a_convergence(adapter: PachydermV1) -> Convergence:
    knowledge = PipelineKnowledge(HeadReads(interval=10, quiet_interval=300))
    return Convergence(adapter, knowledge, BlockingCalls("test", threads=1))


async def test_a_pipeline_that_appears_before_it_is_made_is_updated_and_not_taken_for_our_own_write(
    adapter: PachydermV1,
) -> None:
    """An earlier call to create, whose answer was lost, can be carried out late, with the spec of then."""

    async def late(decision: Decision) -> None:
        if decision.action is Action.CREATE:
            adapter.create(EDITED.pipeline_name, a_spec(description="as it was"), an_owner())

    convergence = a_convergence(adapter)

    decision, pipeline = await convergence.ensure(EDITED, an_owner(), older_claim=None, before_step=late)

    assert decision.action is Action.NONE
    assert (pipeline.version, pipeline.spec) == (2, EDITED.spec)


def patched(*operations: object) -> PipelineSpec:
    return a_spec(pod_patch=canonical_json(json.dumps(operations)))


NULL = {"op": "add", "path": "/affinity", "value": None}
#: The first three end pachd 1.13.4, the others end in FAILURE.
UNFIT = [
    pytest.param(patched({"op": "replace", "path": "/containers/-1/image", "value": "x"}), "-1", id="negative-index"),
    pytest.param(patched(NULL, {"op": "add", "path": "/affinity/nodeAffinity", "value": {}}), "null", id="below-null"),
    pytest.param(patched({"op": "test", "path": "/affinity"}), "no value", id="test-without-value"),
    pytest.param(patched({"op": "remove", "path": "/affinity"}), "operation 1 of 1", id="does-not-apply"),
    pytest.param(a_spec(resource_limits=Resources(memory=Quantity.parse("32Mi"))), "64M", id="little-memory"),
]


@pytest.mark.parametrize(("spec", "says"), UNFIT)
async def test_what_pachyderm_could_not_run_never_reaches_it(
    adapter: PachydermV1, pachd: MemoryPachd, spec: PipelineSpec, says: str
) -> None:
    convergence = a_convergence(adapter)
    steps: list[Decision] = []

    async def note(decision: Decision) -> None:
        steps.append(decision)

    for state in ("there is no pipeline", "there is one"):
        with pytest.raises(Stalled, match=says) as error:
            await convergence.ensure(a_spout(spec=spec), an_owner(), older_claim=None, before_step=note)
        assert error.value.reason is Reason.INVALID_SPEC, state
        assert steps == [], f"{state}: no condition says that it is created or updated"
        adapter.create("my-spout", a_spec(), an_owner())

    assert pachd.calls["CreatePipeline"] == 1, "the test's own"


async def test_a_pipeline_that_is_as_asked_for_is_not_looked_at_again(adapter: PachydermV1) -> None:
    spec = patched({"op": "remove", "path": "/affinity"})
    adapter.create("my-spout", spec, an_owner())
    convergence = a_convergence(adapter)

    async def no_step(decision: Decision) -> None:
        raise AssertionError(decision)

    decision, _ = await convergence.ensure(a_spout(spec=spec), an_owner(), older_claim=None, before_step=no_step)

    assert decision.action is Action.NONE
