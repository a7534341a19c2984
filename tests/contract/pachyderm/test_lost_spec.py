"""A pipeline whose spec cannot be read: it is there, and nobody can tell whose it is."""

from collections.abc import Callable
from typing import Any

import grpc
import pytest

from spout_operator.core.errors import Unreadable
from spout_operator.core.reasons import Reason
from spout_operator.pachyderm.v1.backend import PachydermV1
from spout_operator.pachyderm.v1.sdk import pps_pb2
from tests.contract.pachyderm.harness import OWNER, SPEC, Side

CALLS: dict[str, Callable[[PachydermV1, str], Any]] = {
    "observe": lambda port, name: port.observe(name),
    "create": lambda port, name: port.create(name, SPEC, OWNER),
    "update": lambda port, name: port.update(name, SPEC, OWNER),
    "start": lambda port, name: port.start(name),
    "stop": lambda port, name: port.stop(name),
}


@pytest.mark.parametrize("call", CALLS)
def test_it_is_told_apart_from_one_that_is_not_there(side: Side, call: str) -> None:
    name = side.created()
    side.lose_spec(name)

    with pytest.raises(Unreadable, match="cannot read its spec") as caught:
        CALLS[call](side.port, name)

    assert f"for pipeline '{name}', there may be a problem" in caught.value.said
    assert caught.value.reason is Reason.PACHYDERM_ERROR
    assert side.port.heads(name) is not None


def test_the_list_tells_that_it_is_there_and_not_whose_it_is(side: Side) -> None:
    name, another = side.created(), side.created()
    side.lose_spec(name)

    listed = side.port.list()

    assert (listed[name].spec, listed[name].owner) == (None, None)
    assert (listed[another].spec, listed[another].owner) == (SPEC, OWNER)


def test_an_update_by_another_client_is_taken_for_a_creation_and_refused(side: Side) -> None:
    name = side.created()
    side.lose_spec(name)

    with pytest.raises(grpc.RpcError) as caught:
        side.client.create_pipeline(name, pps_pb2.Transform(image="i"), spout=pps_pb2.Spout(), update=True)

    assert caught.value.details() == f"pipeline {name} already exists"


def test_it_can_be_deleted_by_hand(side: Side) -> None:
    name = side.created()
    side.lose_spec(name)

    side.client.delete_pipeline(name)

    assert side.port.observe(name) is None
    assert side.port.create(name, SPEC, OWNER)


def test_it_can_be_deleted_by_hand_and_its_repo_kept(side: Side) -> None:
    name = side.created()
    head = side.spout.commit(name)
    side.lose_spec(name)

    side.client.delete_pipeline(name, keep_repo=True)

    assert side.port.observe(name) is None
    assert side.port.heads(name).output == head
