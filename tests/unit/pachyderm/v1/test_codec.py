"""What the adapter reads from Pachyderm's messages where it does more than copy fields."""

import math

import pytest

from spout_operator.pachyderm.v1 import codec
from spout_operator.pachyderm.v1.listing import Listing
from spout_operator.pachyderm.v1.sdk import pps_pb2


@pytest.mark.parametrize(
    ("available", "requested", "workers", "reason"),
    [
        (1, 1, (1, 1), "the worker answers"),
        (0, 1, (0, 1), "it does not yet"),
        (0, 0, None, "pachd could not ask: a spout always has a worker requested"),
    ],
)
def test_the_workers_are_read_from_one_pipeline_and_not_from_a_list(
    available: int, requested: int, workers: tuple[int, int] | None, reason: str
) -> None:
    info = pps_pb2.PipelineInfo(workers_available=available, workers_requested=requested)

    assert Listing().read_one(info.SerializeToString()).workers == workers, reason
    listed = Listing().read(pps_pb2.PipelineInfos(pipeline_info=[info]).SerializeToString())
    assert next(iter(listed.values())).workers is None, "a listing does not tell"


@pytest.mark.parametrize("cpu", [1e30, math.inf, math.nan, -1.0], ids=str)
def test_a_nonsensical_quantity_is_read_as_a_difference(cpu: float) -> None:
    info = pps_pb2.PipelineInfo(spout=pps_pb2.Spout(), resource_requests=pps_pb2.ResourceSpec(cpu=cpu))

    spec = codec.pipeline(info).spec

    assert spec is not None
    assert spec.resource_requests.cpu is not None
    assert spec.resource_requests.cpu.value < 0


@pytest.mark.parametrize(("cpu", "text"), [(0.1, "0.1"), (1.5, "1.5"), (10, "10"), (0.333, "0.333")])
def test_an_amount_of_cpu_is_read_as_a_person_would_write_it(cpu: float, text: str) -> None:
    info = pps_pb2.PipelineInfo(spout=pps_pb2.Spout(), resource_requests=pps_pb2.ResourceSpec(cpu=cpu))

    spec = codec.pipeline(info).spec

    assert spec is not None
    assert spec.resource_requests.cpu is not None
    assert spec.resource_requests.cpu.text == text
