"""`read` and `versions`: what is there, as it is now."""

from typing import Any, cast

import pytest

from spout_operator.core.errors import NamespaceUnavailable, Retryable
from spout_operator.core.resource import SpoutResource
from tests.contract.calls import answer
from tests.contract.spouts.harness import FINALIZER, Side


def test_a_spout_is_read_as_its_user_wrote_it(side: Side) -> None:
    made = side.users.create("my-spout", annotations={"team": "ingest"})

    found = side.found()

    assert found == SpoutResource.from_body(made)
    assert found.spec == made["spec"]
    assert (found.key.namespace, found.key.name) == (side.namespace, "my-spout")
    assert found.annotations == {"team": "ingest"}
    assert found.generation == 1
    assert found.uid


def test_a_spout_that_is_not_there_is_none(side: Side) -> None:
    side.users.create("my-spout")

    assert side.read(side.key("another")) is None


def test_a_deleted_spout_without_finalizers_is_none(side: Side) -> None:
    side.users.create("my-spout")

    side.users.delete("my-spout")

    assert side.read(side.key()) is None


def test_a_deleted_spout_with_a_finalizer_is_there_with_a_time_and_a_new_generation(side: Side) -> None:
    side.users.create("my-spout", finalizers=[FINALIZER])

    side.users.delete("my-spout")

    found = side.found()
    assert found.deletion_timestamp
    assert found.finalizers == (FINALIZER,)
    assert found.generation == 2


def test_an_edit_of_the_spec_makes_a_new_generation_and_a_new_version(side: Side) -> None:
    side.users.create("my-spout")
    before = side.version()

    side.users.edit("my-spout")

    found = side.found()
    assert found.spec["description"] == "edited"
    assert found.generation == 2
    assert found.resource_version != before


def test_changing_what_was_read_changes_nothing_on_the_server(side: Side) -> None:
    side.users.create("my-spout")
    read = side.found()

    cast("dict[str, Any]", read.spec)["description"] = "changed by the reader"

    assert "description" not in side.found().spec


def test_the_versions_of_a_namespace_are_those_of_its_spouts(side: Side) -> None:
    side.users.create("one")
    side.users.create("two")

    assert side.versions(side.namespace) == {
        side.key("one"): int(side.version("one")),
        side.key("two"): int(side.version("two")),
    }


def test_the_versions_of_all_namespaces_include_those_of_each(side: Side) -> None:
    side.users.create("one")

    assert side.versions(None)[side.key("one")] == int(side.version("one"))


def test_a_namespace_without_spouts_has_no_versions(side: Side) -> None:
    assert side.versions(side.namespace) == {}


def test_a_namespace_that_does_not_exist_is_unavailable_and_gone(side: Side) -> None:
    with pytest.raises(NamespaceUnavailable) as caught:
        side.versions(side.users.without_namespace())

    assert caught.value.is_gone


def test_a_namespace_whose_spouts_may_not_be_listed_is_unavailable_and_not_gone(side: Side) -> None:
    port = side.users.without_rights()

    with pytest.raises(NamespaceUnavailable) as caught:
        answer(port.versions, side.namespace)

    assert not caught.value.is_gone


def test_a_read_that_gets_no_answer_is_retryable(side: Side) -> None:
    side.users.create("my-spout")
    side.users.cut_off()

    with pytest.raises(Retryable):
        side.read(side.key())
    with pytest.raises(Retryable):
        side.versions(side.namespace)
