"""A pipeline whose spec pachd cannot read: it exists, and its owner is not known."""

from collections.abc import Callable
from typing import Any

import grpc
import pytest

from spout_operator.core.errors import Unreadable
from spout_operator.core.reasons import Reason
from spout_operator.pachyderm.v1.sdk import pps_pb2
from tests.contract.pachyderm.harness import OWNER, SPEC, Port
from tests.contract.pachyderm.sides_1 import SideOne

CALLS: dict[str, Callable[[Port, str], Any]] = {
    "observe": lambda port, name: port.observe(name),
    "create": lambda port, name: port.create(name, SPEC, OWNER),
    "update": lambda port, name: port.update(name, SPEC, OWNER),
    "start": lambda port, name: port.start(name),
    "stop": lambda port, name: port.stop(name),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_pipeline_with_a_lost_spec_is_unreadable_and_not_missing(one: SideOne, call: str) -> None:
    name = one.created()
    one.lose_spec(name)

    with pytest.raises(Unreadable, match="cannot read its spec") as caught:
        CALLS[call](one.port, name)

    assert f"for pipeline '{name}', there may be a problem" in caught.value.said
    assert caught.value.reason is Reason.PACHYDERM_ERROR
    assert one.port.heads(name) is not None


def test_the_list_has_a_pipeline_with_a_lost_spec_without_its_owner(one: SideOne) -> None:
    name, another = one.created(), one.created()
    one.lose_spec(name)

    listed = one.port.list()

    assert (listed[name].spec, listed[name].owner) == (None, None)
    assert (listed[another].spec, listed[another].owner) == (SPEC, OWNER)


def test_pachd_refuses_another_clients_update_of_a_pipeline_with_a_lost_spec(one: SideOne) -> None:
    name = one.created()
    one.lose_spec(name)

    with pytest.raises(grpc.RpcError) as caught:
        one.client.create_pipeline(name, pps_pb2.Transform(image="i"), spout=pps_pb2.Spout(), update=True)

    assert caught.value.details() == f"pipeline {name} already exists"


def test_a_pipeline_with_a_lost_spec_can_be_deleted_by_hand(one: SideOne) -> None:
    name = one.created()
    one.lose_spec(name)

    one.client.delete_pipeline(name)

    assert one.port.observe(name) is None
    assert one.port.create(name, SPEC, OWNER)


def test_a_pipeline_with_a_lost_spec_can_be_deleted_by_hand_and_its_repo_kept(one: SideOne) -> None:
    name = one.created()
    head = one.spout.commit(name)
    one.lose_spec(name)

    one.client.delete_pipeline(name, keep_repo=True)

    assert one.port.observe(name) is None
    assert one.port.heads(name).output == head
