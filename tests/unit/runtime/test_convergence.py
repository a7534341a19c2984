"""The steps to a pipeline, where somebody else acts in between."""

from spout_operator.core.decision import Action, Decision
from spout_operator.pachyderm.v1.backend import PachydermV1
from spout_operator.runtime.convergence import Convergence
from spout_operator.runtime.head_reads import HeadReads
from spout_operator.runtime.io import BlockingCalls
from spout_operator.runtime.knowledge import PipelineKnowledge
from tests.builders import a_spec, a_spout, an_owner

EDITED = a_spout(spec=a_spec(description="edited"))


async def test_a_pipeline_that_appears_before_it_is_made_is_updated_and_not_taken_for_our_own_write(
    adapter: PachydermV1,
) -> None:
    """An earlier call to create, whose answer was lost, can be carried out late, with the spec of then."""

    async def late(decision: Decision) -> None:
        if decision.action is Action.CREATE:
            adapter.create(EDITED.pipeline_name, a_spec(description="as it was"), an_owner())

    knowledge = PipelineKnowledge(HeadReads(interval=10, quiet_interval=300))
    convergence = Convergence(adapter, knowledge, BlockingCalls("test", threads=1))

    decision, pipeline = await convergence.ensure(EDITED, an_owner(), older_claim=None, before_step=late)

    assert decision.action is Action.NONE
    assert (pipeline.version, pipeline.spec) == (2, EDITED.spec)
