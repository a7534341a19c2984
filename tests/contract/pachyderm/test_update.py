"""Update a pipeline: a new version, the position in the stream is kept."""

import pytest

from spout_operator.core.errors import Retryable
from spout_operator.core.owner_annotations import CLUSTER as CLUSTER_ANNOTATION
from spout_operator.core.owner_annotations import SPOUT as SPOUT_ANNOTATION
from spout_operator.core.reasons import Reason
from tests.contract.pachyderm.harness import OWNER, Side


def test_an_update_makes_a_new_version_and_keeps_both_heads(side: Side) -> None:
    name, heads = side.with_heads()
    before = side.observed(name)

    side.port.update(name, side.changed, OWNER)

    after = side.observed(name)
    assert after.version == before.version + 1
    assert after.spec_commit != before.spec_commit
    assert (after.spec, after.owner) == (side.changed, OWNER)
    assert side.port.heads(name) == heads


def test_an_update_with_nothing_new_makes_a_new_version_too(side: Side) -> None:
    # Why the operator never updates without a difference.
    name = side.created()

    side.port.update(name, side.spec, OWNER)

    assert side.observed(name).version == 2


def test_a_pipeline_that_somebody_handed_over_can_be_updated(side: Side) -> None:
    name = side.someones_spout({CLUSTER_ANNOTATION: OWNER.cluster, SPOUT_ANNOTATION: str(OWNER.spout)})
    assert side.observed(name).owner == OWNER

    side.port.update(name, side.spec, OWNER)

    found = side.observed(name)
    assert (found.version, found.spec, found.owner) == (2, side.spec, OWNER)


def test_updating_a_pipeline_that_never_was_creates_none(side: Side) -> None:
    name = side.new_name()

    with pytest.raises(Retryable, match="is gone"):
        side.port.update(name, side.spec, OWNER)

    assert side.port.observe(name) is None


def test_updating_a_deleted_pipeline_creates_none(side: Side) -> None:
    # 1.13.4 would create it again and detach the heads of the kept repo, and with them the position in the stream.
    name = side.abandoned_repo()
    heads = side.port.heads(name)

    with pytest.raises(Retryable) as caught:
        side.port.update(name, side.changed, OWNER)

    assert caught.value.reason is Reason.PACHYDERM_ERROR
    assert side.port.observe(name) is None
    assert side.port.heads(name) == heads
