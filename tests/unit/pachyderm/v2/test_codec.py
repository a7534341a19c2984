"""Between the model and the spec in JSON that Pachyderm 2 keeps as a user wrote it."""

import dataclasses
import json

import pytest
from hypothesis import given

from spout_operator.core.model import (
    Gpu,
    Owner,
    PipelineName,
    PipelineSpec,
    Resources,
    Service,
    SpoutKey,
    SpoutOptions,
    Toleration,
    Transform,
)
from spout_operator.core.spec.quantity import Quantity, cores
from spout_operator.pachyderm import owners
from spout_operator.pachyderm.v2 import codec
from tests.contract.pachyderm.specs import SPECS

NAME = PipelineName(project="ingest", name="my-spout")
OWNER = Owner(cluster="c", spout=SpoutKey(namespace="n", name="s"))


@given(spec=SPECS)
def test_any_spec_is_read_back_as_it_was_written(spec: PipelineSpec) -> None:
    # Pachyderm 2 has neither.
    spec = dataclasses.replace(spec, spout=dataclasses.replace(spec.spout, marker="", overwrite=False))

    written = codec.spec_json(NAME, spec, OWNER)

    assert codec.spec_from(written) == spec
    assert owners.owner_from(codec.annotations_of(written)) == OWNER


def test_tolerations_and_the_resources_of_the_sidecar_are_read_back() -> None:
    spec = PipelineSpec(
        transform=Transform(image="i", cmd=()),
        sidecar_resource_requests=Resources(memory=Quantity.parse("64Mi")),
        sidecar_resource_limits=Resources(cpu=cores("1"), gpu=Gpu(type="g", number=1)),
        tolerations=(
            Toleration(operator="Exists"),
            Toleration(key="a", value="b", effect="NoExecute", toleration_seconds=0),
            Toleration(key="c", operator="Exists", effect="PreferNoSchedule"),
        ),
    )

    assert codec.spec_from(codec.spec_json(NAME, spec, OWNER)) == spec


def test_both_spellings_and_null_are_understood() -> None:
    written = {
        "transform": {"image": "i", "cmd": ["x"], "image_pull_secrets": ["s"], "workingDir": "/w", "env": {"aB": "c"}},
        "spout": {"service": {"internal_port": "80"}},
        "resource_requests": {"cpu": 0.1, "memory": None},
        "schedulingSpec": {"node_selector": {"diskType": "ssd"}},
        "pod_patch": None,
        "resourceLimits": None,
    }

    found = codec.spec_from(json.dumps(written))

    assert found is not None
    assert found.transform.image_pull_secrets == ("s",)
    assert (found.transform.working_dir, found.transform.env) == ("/w", {"aB": "c"})
    assert found.spout == SpoutOptions(service=Service(internal_port=80, type="NodePort"))
    assert found.resource_requests == Resources(cpu=cores("0.1"))
    assert found.resource_limits == Resources()
    assert found.scheduling_spec.node_selector == {"diskType": "ssd"}
    assert found.pod_patch == ""


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="none at all"),
        pytest.param('{"transform": {"image": "i"}}', id="no spout"),
        pytest.param('{"transform": {"image": "i"}, "spout": null}', id="a spout that is null"),
        pytest.param("[]", id="no object"),
    ],
)
def test_what_is_no_spout_has_no_spec(text: str) -> None:
    assert codec.spec_from(text) is None
