"""The adapter knows every refusal of a spec that a client can get from a real pachd 1.13.4.

`tests/unit/pachyderm/v1/test_words.py` has the refusals that no client can bring about.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import grpc
import pytest

from spout_operator.pachyderm.v1.sdk import pps_pb2
from spout_operator.pachyderm.v1.words import Kind, kind_of
from tests.contract.pachyderm.sides_1 import SideOne

TRANSFORM = {"transform": pps_pb2.Transform(image="i", cmd=["true"])}
SPOUT = {**TRANSFORM, "spout": pps_pb2.Spout()}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Refusal:
    """A request without the pipeline's name, and what pachd answers (`{}` stands for the name)."""

    reason: str
    request: Mapping[str, Any]
    says: str

    def __str__(self) -> str:
        return self.reason.replace(" ", "-")


REFUSALS = [
    Refusal(reason="no transform", request={"spout": pps_pb2.Spout()}, says="pipeline must specify a transform"),
    Refusal(
        reason="a reprocess spec of another kind",
        request={**SPOUT, "reprocess_spec": "odd"},
        says="invalid pipeline spec: ReprocessSpec must be one of 'until_success' or 'every_job'",
    ),
    Refusal(
        reason="output over S3",
        request={**SPOUT, "s3_out": True},
        says="s3 output is not supported in spouts or services",
    ),
    Refusal(
        reason="no hashtrees",
        request={**SPOUT, "hashtree_spec": pps_pb2.HashtreeSpec()},
        says="invalid pipeline spec: HashtreeSpec.Constant must be > 0",
    ),
    Refusal(
        reason="a negative coefficient",
        request={**SPOUT, "parallelism_spec": pps_pb2.ParallelismSpec(coefficient=-1)},
        says="ParallelismSpec.Coefficient cannot be negative",
    ),
    Refusal(
        reason="two kinds of parallelism",
        request={**SPOUT, "parallelism_spec": pps_pb2.ParallelismSpec(constant=1, coefficient=1)},
        says="contradictory parallelism strategies: must set at most one of ParallelismSpec.Constant and "
        "ParallelismSpec.Coefficient",
    ),
    Refusal(
        reason="a service with two workers",
        request={
            **TRANSFORM,
            "service": pps_pb2.Service(internal_port=1, external_port=30001),
            "parallelism_spec": pps_pb2.ParallelismSpec(constant=2),
        },
        says="services can only be run with a constant parallelism of 1",
    ),
    Refusal(
        reason="a type of service that is none",
        request={**TRANSFORM, "service": pps_pb2.Service(internal_port=1, external_port=30001, type="Odd")},
        says="the following service type Odd is not allowed",
    ),
    Refusal(
        reason="more workers than the Community Edition has",
        request={**SPOUT, "parallelism_spec": pps_pb2.ParallelismSpec(constant=9)},
        says="Pachyderm Community Edition requires an activation key to create pipelines with parallelism more than 8.",
    ),
    Refusal(
        reason="a cache size that is no quantity",
        request={**SPOUT, "cache_size": "big"},
        says="could not parse cacheSize 'big': ",
    ),
    Refusal(reason="a pod spec that is no JSON", request={**SPOUT, "pod_spec": "{"}, says="malformed PodSpec"),
    Refusal(reason="a pod patch that is no JSON", request={**SPOUT, "pod_patch": "{"}, says="malformed PodPatch"),
    Refusal(
        reason="a spout with statistics",
        request={**SPOUT, "enable_stats": True},
        says="spouts are not allowed to have a stats branch",
    ),
    Refusal(
        reason="a marker that holds the words of another failure",
        request={**TRANSFORM, "spout": pps_pb2.Spout(marker='pipeline "x" not found*')},
        says='the spout marker name must be a valid filename: pipeline "x" not found*',
    ),
]


def refused(one: SideOne, name: str, request: Mapping[str, Any]) -> grpc.RpcError:
    """The answer of pachd to a request that it refuses."""
    whole = pps_pb2.CreatePipelineRequest(pipeline=pps_pb2.Pipeline(name=name), **request)
    with pytest.raises(grpc.RpcError) as caught:
        one.client.create_pipeline_from_request(whole)
    return caught.value


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
def test_pachd_refuses_a_spec_in_words_that_are_known(real_one: SideOne, refusal: Refusal) -> None:
    error = refused(real_one, real_one.new_name(), refusal.request)

    assert error.details().startswith(refusal.says)
    assert (error.code(), kind_of(error)) == (grpc.StatusCode.UNKNOWN, Kind.REFUSED)


def test_a_spout_that_reads_is_refused_in_words_that_are_known(real_one: SideOne) -> None:
    repo = real_one.abandoned_repo()
    reads = pps_pb2.Input(pfs=pps_pb2.PFSInput(repo=repo, glob="/"))

    error = refused(real_one, real_one.new_name(), {**SPOUT, "input": reads})

    assert error.details() == "spout pipelines (without a service) must not have an input"
    assert kind_of(error) is Kind.REFUSED


def test_statistics_that_cannot_be_taken_away_are_refused_in_words_that_are_known(real_one: SideOne) -> None:
    alone = pps_pb2.ParallelismSpec(constant=1)
    name = real_one.someones_pipeline(reads=real_one.abandoned_repo(), enable_stats=True, parallelism_spec=alone)

    error = refused(real_one, name, {**SPOUT, "parallelism_spec": alone, "update": True})

    assert error.details() == f"pipeline {name} update error: cannot disable stats"
    assert kind_of(error) is Kind.REFUSED
