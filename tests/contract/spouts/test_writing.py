"""`write_status` and `write_finalizers`: what they replace, what they leave alone, and when they write nothing."""

from collections.abc import Callable

import pytest

from spout_operator.core.errors import Outdated, Retryable
from spout_operator.core.resource import SpoutResource
from tests.contract.spouts.harness import FINALIZER, OTHER_FINALIZER, Side

STATUS = {"observedGeneration": 1, "commits": {"total": 3}}
Write = Callable[[Side, str, str], SpoutResource | None]


def _status(side: Side, uid: str, _version: str) -> SpoutResource | None:
    return side.write_status(side.key(), uid, STATUS)


def _finalizers(side: Side, uid: str, version: str) -> SpoutResource | None:
    return side.write_finalizers(side.key(), uid, version, [FINALIZER])


both_writes = pytest.mark.parametrize("write", [_status, _finalizers], ids=["status", "finalizers"])


def test_a_written_status_replaces_the_old_one_as_a_whole(side: Side) -> None:
    uid = side.users.create("my-spout")["metadata"]["uid"]
    side.write_status(side.key(), uid, STATUS)

    side.write_status(side.key(), uid, {"observedGeneration": 1, "pachyderm": {"version": "1.13.4"}})

    assert side.found().status == {"observedGeneration": 1, "pachyderm": {"version": "1.13.4"}}


def test_a_written_status_leaves_spec_finalizers_and_generation_alone(side: Side) -> None:
    made = side.users.create("my-spout", finalizers=[FINALIZER])

    side.write_status(side.key(), made["metadata"]["uid"], STATUS)

    found = side.found()
    assert found.spec == made["spec"]
    assert found.finalizers == (FINALIZER,)
    assert found.generation == 1


def test_written_finalizers_replace_the_old_ones_and_leave_spec_status_and_generation_alone(side: Side) -> None:
    made = side.users.create("my-spout", finalizers=[OTHER_FINALIZER])
    uid = made["metadata"]["uid"]
    side.write_status(side.key(), uid, STATUS)

    side.write_finalizers(side.key(), uid, side.version(), [OTHER_FINALIZER, FINALIZER])

    found = side.found()
    assert found.finalizers == (OTHER_FINALIZER, FINALIZER)
    assert found.spec == made["spec"]
    assert found.status == STATUS
    assert found.generation == 1


@both_writes
def test_a_write_returns_the_spout_as_it_is_afterwards(side: Side, write: Write) -> None:
    made = side.users.create("my-spout")["metadata"]

    returned = write(side, made["uid"], made["resourceVersion"])

    assert returned == side.found()
    assert side.version() != made["resourceVersion"]


@both_writes
def test_a_write_of_what_is_there_already_makes_no_new_version(side: Side, write: Write) -> None:
    uid = side.users.create("my-spout")["metadata"]["uid"]
    write(side, uid, side.version())
    before = side.found()

    returned = write(side, uid, side.version())

    assert returned == before
    assert side.found() == before


@both_writes
def test_a_write_to_a_spout_that_is_gone_returns_none(side: Side, write: Write) -> None:
    assert write(side, "1b4e28ba-2fa1-11d2-883f-0016d3cca427", "1") is None


def test_a_status_for_a_spout_that_was_deleted_and_made_again_returns_none_and_changes_nothing(side: Side) -> None:
    old = side.users.create("my-spout")["metadata"]["uid"]
    side.users.delete("my-spout")
    side.users.create("my-spout")
    before = side.found()

    assert side.write_status(side.key(), old, STATUS) is None
    assert side.found() == before


def test_finalizers_for_an_old_version_are_outdated_and_change_nothing(side: Side) -> None:
    made = side.users.create("my-spout")["metadata"]
    side.users.edit("my-spout")

    with pytest.raises(Outdated):
        side.write_finalizers(side.key(), made["uid"], made["resourceVersion"], [FINALIZER])

    assert side.found().finalizers == ()


def test_finalizers_for_a_spout_that_was_deleted_and_made_again_are_outdated_and_change_nothing(side: Side) -> None:
    old = side.users.create("my-spout")["metadata"]
    side.users.delete("my-spout")
    side.users.create("my-spout")
    before = side.found()

    with pytest.raises(Outdated):
        side.write_finalizers(side.key(), old["uid"], old["resourceVersion"], [FINALIZER])

    assert side.found() == before


def test_a_status_is_written_whatever_changed_in_between(side: Side) -> None:
    uid = side.users.create("my-spout")["metadata"]["uid"]
    side.users.edit("my-spout")

    side.write_status(side.key(), uid, STATUS)

    assert side.found().status == STATUS
    assert side.found().spec["description"] == "edited"


def test_a_deleted_spout_is_gone_when_its_last_finalizer_is_taken_off(side: Side) -> None:
    uid = side.users.create("my-spout", finalizers=[FINALIZER, OTHER_FINALIZER])["metadata"]["uid"]
    side.users.delete("my-spout")
    side.write_finalizers(side.key(), uid, side.version(), [FINALIZER])
    assert side.found().finalizers == (FINALIZER,)

    side.write_finalizers(side.key(), uid, side.version(), [])

    assert side.read(side.key()) is None
    assert side.versions(side.namespace) == {}


def test_a_deleted_spout_takes_no_new_finalizer(side: Side) -> None:
    uid = side.users.create("my-spout", finalizers=[OTHER_FINALIZER])["metadata"]["uid"]
    side.users.delete("my-spout")

    with pytest.raises(Retryable) as caught:
        side.write_finalizers(side.key(), uid, side.version(), [OTHER_FINALIZER, FINALIZER])

    assert not isinstance(caught.value, Outdated)
    assert side.found().finalizers == (OTHER_FINALIZER,)


@both_writes
def test_a_write_that_gets_no_answer_is_retryable(side: Side, write: Write) -> None:
    made = side.users.create("my-spout")["metadata"]
    side.users.cut_off()

    with pytest.raises(Retryable) as caught:
        write(side, made["uid"], made["resourceVersion"])

    assert not isinstance(caught.value, Outdated)


def test_a_status_whose_answer_is_lost_is_retryable_and_may_be_written_all_the_same(side: Side) -> None:
    uid = side.users.create("my-spout")["metadata"]["uid"]
    # Opens the connection whose answers are lost.
    side.found()
    side.users.lose_answer()

    with pytest.raises(Retryable):
        side.write_status(side.key(), uid, STATUS)

    assert side.found().status == STATUS
