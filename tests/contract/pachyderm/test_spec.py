"""The port returns a spec as it was written. Otherwise the operator would update and restart a spout for ever."""

import pytest
from hypothesis import HealthCheck, given, settings

from spout_operator.core.model import PipelineSpec
from spout_operator.core.spec.comparison import changes
from spout_testbed.waiting import eventually
from tests.contract.pachyderm.conftest import ONES, TWOS
from tests.contract.pachyderm.harness import OWNER, Side
from tests.contract.pachyderm.sides_1 import SideOne
from tests.contract.pachyderm.specs import EVERYTHING, EVERYTHING_OF_TWO, ROWS, ROWS_OF_TWO, SPECS, Row


def differences(desired: PipelineSpec, found: PipelineSpec | None) -> tuple[str, ...]:
    return changes(desired, found) if found is not None else ("it is no spout",)


def everything(side: Side) -> PipelineSpec:
    """A spec with each field that the server has."""
    return EVERYTHING if isinstance(side, SideOne) else EVERYTHING_OF_TWO


@pytest.mark.parametrize(
    ("side", "row"),
    [
        pytest.param(server, row, id=f"{server}-{row}")
        for servers, rows in ((ONES, ROWS), (TWOS, ROWS_OF_TWO))
        for server in servers
        for row in rows
    ],
    indirect=["side"],
)
def test_a_created_pipeline_has_the_spec_that_was_asked_for(side: Side, row: Row) -> None:
    name = side.created(row.spec)

    assert differences(row.spec, side.observed(name).spec) == ()


def test_an_updated_pipeline_has_the_new_spec_and_nothing_of_the_old_one(side: Side) -> None:
    name = side.created(everything(side))

    side.port.update(name, side.spec, OWNER)

    assert differences(side.spec, side.observed(name).spec) == ()


def test_the_list_has_the_same_specs_as_observing_each_pipeline(side: Side) -> None:
    names = [side.created(everything(side)), side.created()]

    listed = side.port.list()

    assert [listed[name].spec for name in names] == [side.observed(name).spec for name in names]
    assert listed[names[0]].spec == everything(side)


def test_a_second_list_reuses_the_objects_of_unchanged_pipelines(one: SideOne) -> None:
    """The in-memory pachd writes maps in another order each time."""
    name = one.created(EVERYTHING)

    def is_the_same() -> bool:
        found = [one.port.list()[name] for _ in range(20)]
        return all(pipeline is found[0] for pipeline in found)

    # The state of a new pipeline changes for a moment.
    eventually(is_the_same, what="20 answers with the same object")
    before = one.port.list()[name]

    one.port.update(name, one.spec, OWNER)

    after = one.port.list()[name]
    assert (before.version, after.version) == (1, 2)
    assert differences(one.spec, after.spec) == ()


def test_a_second_list_reuses_the_specs_of_unchanged_pipelines(side: Side) -> None:
    name = side.created(everything(side))

    before, after = side.port.list()[name], side.port.list()[name]

    assert after.spec is before.spec


# One server for all examples: each makes a pipeline and deletes it.
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spec=SPECS)
def test_memory_any_generated_spec_is_read_back_as_it_was_written(memory_one: SideOne, spec: PipelineSpec) -> None:
    name = memory_one.created(spec)

    found = memory_one.observed(name).spec
    memory_one.port.delete(name, keep_repo=False)

    assert differences(spec, found) == ()
