"""Stop a pipeline and start it again: it goes on where it was."""

import pytest

from spout_operator.core.errors import Missing
from spout_operator.core.model import PipelineState
from spout_operator.core.reasons import Reason
from spout_testbed.waiting import eventually
from tests.contract.pachyderm.harness import OWNER, Side


def test_a_stopped_pipeline_pauses_and_keeps_both_heads(side: Side) -> None:
    name, heads = side.begun()

    side.port.stop(name)

    assert side.observed(name).stopped
    eventually(lambda: side.observed(name).state is PipelineState.PAUSED, what="Paused", seconds=120)
    assert side.port.heads(name) == heads
    side.port.start(name)


def test_a_pipeline_that_is_updated_while_stopped_stays_stopped(side: Side) -> None:
    name, heads = side.with_heads()
    side.port.stop(name)

    side.port.update(name, side.changed, OWNER)

    found = side.observed(name)
    assert (found.stopped, found.version, found.spec) == (True, 2, side.changed)
    assert side.port.heads(name) == heads


def test_a_started_pipeline_runs_again_with_the_same_version_and_heads(side: Side) -> None:
    name, heads = side.with_heads()
    side.port.stop(name)

    side.port.start(name)

    found = side.observed(name)
    assert (found.stopped, found.version, found.spec) == (False, 1, side.spec)
    side.assert_heads_kept(name, heads)


def test_a_spout_goes_on_where_it_was_after_stop_and_start(side: Side) -> None:
    name = side.committing()
    before = side.own_commits(name)
    first = side.commit(name)
    side.port.stop(name)
    side.port.start(name)

    second = side.commit(name)

    assert side.own_commits(name) == [second, first, *before]


def test_stopping_or_starting_a_pipeline_twice_has_the_effect_of_once(side: Side) -> None:
    name, heads = side.with_heads()

    side.port.stop(name)
    side.port.stop(name)
    assert side.observed(name).stopped
    side.port.start(name)
    side.port.start(name)

    found = side.observed(name)
    assert (found.stopped, found.version) == (False, 1)
    side.assert_heads_kept(name, heads)


@pytest.mark.parametrize("action", ["start", "stop"])
def test_starting_or_stopping_a_missing_pipeline_is_retryable(side: Side, action: str) -> None:
    name = side.new_name()

    with pytest.raises(Missing, match=f"could not {action} the pipeline '{name}'") as caught:
        getattr(side.port, action)(name)

    assert caught.value.reason is Reason.PACHYDERM_ERROR
    assert "not found" in caught.value.said
