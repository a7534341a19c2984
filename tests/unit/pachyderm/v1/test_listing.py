"""The list of pipelines: an unchanged pipeline is not parsed again, and a changed one always is."""

import dataclasses
import random
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from spout_operator.core.model import PipelineSpec
from spout_operator.pachyderm import wire
from spout_operator.pachyderm.v1 import codec
from spout_operator.pachyderm.v1.listing import Listing
from spout_operator.pachyderm.v1.sdk import pps_pb2
from tests.builders import a_name, a_spec, a_transform, an_owner
from tests.unit.core.strategies import specs

# The generated modules are untyped.
Message = Any
SHAPE = wire.shape_of(pps_pb2.PipelineInfo.DESCRIPTOR)
STATES = st.sampled_from([pps_pb2.PIPELINE_STARTING, pps_pb2.PIPELINE_RUNNING])


def an_info(spec: PipelineSpec | None = None, **fields: Any) -> Message:
    """A PipelineInfo as ListPipeline returns it."""
    asked = codec.create_request(spec or a_spec(), an_owner())
    info = pps_pb2.PipelineInfo(**{name: value for name, value in asked.items() if value is not None}, version=1)
    info.pipeline.name = "my-spout"
    info.job_counts[1] = 2
    for name, value in fields.items():
        setattr(info, name, value)
    return info


def serialized(*infos: Message, order: int = 0) -> bytes:
    """The answer of a server that writes maps in an arbitrary order."""
    answer = pps_pb2.PipelineInfos(pipeline_info=infos)
    for info in answer.pipeline_info:
        for entries in (
            info.transform.env,
            info.metadata.annotations,
            info.scheduling_spec.node_selector,
            info.job_counts,
        ):
            shuffled = list(entries.items())
            random.Random(order).shuffle(shuffled)  # noqa: S311 - no secret
            entries.clear()
            entries.update(shuffled)
    data: bytes = answer.SerializeToString()
    return data


infos = st.builds(an_info, specs, version=st.integers(1, 2), state=STATES, reason=st.sampled_from(["", "r"]))


@settings(deadline=None, max_examples=60)
@given(infos, st.integers(), st.integers())
def test_an_unchanged_pipeline_is_the_same_object_whatever_the_order_of_its_maps(
    info: Message, one: int, other: int
) -> None:
    listing = Listing()
    before = listing.read(serialized(info, order=one))

    after = listing.read(serialized(info, order=other))

    assert after[a_name()] is before[a_name()]


@settings(deadline=None, max_examples=60)
@given(infos, infos)
def test_two_different_messages_are_never_taken_for_the_same(one: Message, other: Message) -> None:
    same = wire.canonical(one.SerializeToString(), SHAPE) == wire.canonical(other.SerializeToString(), SHAPE)

    assert same == (one == other)


@settings(deadline=None, max_examples=60)
@given(infos)
def test_the_canonical_bytes_parse_to_the_same_message(info: Message) -> None:
    assert pps_pb2.PipelineInfo.FromString(wire.canonical(info.SerializeToString(), SHAPE)) == info


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ({"a": "1", "b": "2"}, {"a": "2", "b": "1"}, "the values are swapped: the same bytes in another order"),
        ({"a": "1"}, {"a": "1", "b": ""}, "an entry without a value was added"),
        ({"ab": "c"}, {"a": "bc"}, "the limit between name and value moved"),
    ],
)
def test_a_changed_environment_is_a_change(before: dict[str, str], after: dict[str, str], reason: str) -> None:
    listing = Listing()
    listing.read(serialized(an_info(a_spec(transform=a_transform(env=before)))))

    found = listing.read(serialized(an_info(a_spec(transform=a_transform(env=after)))))[a_name()].spec

    assert found is not None, reason
    assert found.transform.env == after, reason


def test_lists_keep_their_order() -> None:
    listing = Listing()
    listing.read(serialized(an_info(a_spec(transform=a_transform(cmd=("a", "b"))))))

    found = listing.read(serialized(an_info(a_spec(transform=a_transform(cmd=("b", "a"))))))[a_name()].spec

    assert found is not None
    assert found.transform.cmd == ("b", "a")


def test_a_map_wherever_it_is_in_a_pipeline_is_known_by_the_messages_themselves() -> None:
    def paths(shape: wire.Shape, above: tuple[int, ...] = ()) -> set[tuple[int, ...]]:
        found = {(*above, tag >> 3) for tag, below in shape.items() if below is None}
        return found.union(*(paths(below, (*above, tag >> 3)) for tag, below in shape.items() if below is not None))

    env, counts, selector, annotations, labels = (2, 3), (9,), (40, 1), (48, 1), (48, 2)
    assert paths(SHAPE) == {env, counts, selector, annotations, labels}


@settings(deadline=None, max_examples=40)
@given(infos, st.integers(0, 300), st.integers(0, 300), st.integers())
def test_looking_at_one_tells_its_workers_and_is_else_as_it_was_listed(
    info: Message, available: int, requested: int, order: int
) -> None:
    listing = Listing()
    listed = listing.read(serialized(info))[a_name()]
    info.workers_available, info.workers_requested = available, requested
    (answer,) = wire.values(serialized(info, order=order), 1)

    found = listing.read_one(answer)

    assert found == dataclasses.replace(listed, workers=(available, requested) if requested else None)
    assert found.spec is listed.spec, "it is not parsed again"


def test_looking_at_one_that_has_changed_tells_of_the_change() -> None:
    listing = Listing()
    listing.read(serialized(an_info()))

    assert listing.read_one(an_info(version=2).SerializeToString()).version == 2


def test_a_pipeline_that_is_gone_is_not_kept() -> None:
    listing = Listing()
    first = listing.read(serialized(an_info()))[a_name()]

    assert listing.read(serialized()) == {}
    again = listing.read(serialized(an_info()))[a_name()]

    assert again == first
    assert again is not first


@settings(deadline=None, max_examples=60)
@given(infos, st.data())
def test_a_torn_answer_is_an_error_and_never_another_pipeline(info: Message, data: st.DataObject) -> None:
    whole = serialized(info)
    torn = whole[: data.draw(st.integers(1, len(whole) - 1))]

    with pytest.raises((ValueError, DecodeError)):
        Listing().read(torn)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=60))
def test_random_bytes_are_a_message_or_an_error(data: bytes) -> None:
    try:
        fields = list(wire.values(data, 1))
        canonical = wire.canonical(data, SHAPE)
    except ValueError:
        return
    assert len(canonical) == len(data)
    assert sum(map(len, fields)) <= len(data)
