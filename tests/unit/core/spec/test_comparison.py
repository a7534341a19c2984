"""Comparison: names the fields that differ, in the words of the Spout's spec, and never their values."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spout_operator.core import model
from spout_operator.core.spec.comparison import changes
from spout_operator.core.spec.quantity import Quantity, cores
from tests.builders import a_spec, a_transform
from tests.unit.core.strategies import specs

SERVICE = model.Service(internal_port=8080, external_port=30080)
GPU = model.Gpu(type="nvidia.com/gpu", number=1)
RESOURCES = model.Resources(cpu=cores("500m"), memory=Quantity.parse("1Gi"), disk=Quantity.parse("2Gi"), gpu=GPU)
#: A spec in which every field is set, so that each can be changed alone.
FULL = a_spec(
    description="a topic",
    transform=a_transform(
        stdin=("exec ./consume",),
        env={"HOST": "kafkahost", "PORT": "9092"},
        secrets=(model.SecretMount(name="kafka", key="user", env_var="KAFKA_USER"),),
        image_pull_secrets=("registry",),
        working_dir="/app",
        user="1000",
    ),
    spout=model.SpoutOptions(overwrite=False, marker="offset", service=SERVICE),
    resource_requests=RESOURCES,
    resource_limits=RESOURCES,
    sidecar_resource_requests=RESOURCES,
    sidecar_resource_limits=RESOURCES,
    tolerations=(model.Toleration(key="ingest", operator="Exists"),),
    scheduling_spec=model.Scheduling(node_selector={"disk": "ssd"}, priority_class_name="ingest"),
    pod_patch="[]",
    restart_nonce="1",
)


@dataclass(frozen=True)
class Change:
    """A change of FULL at the dotted path of attributes `at`, and the paths that are named for it."""

    at: str
    value: Any
    named: tuple[str, ...]
    reason: str = "a plain field is named by its path"


CHANGES = [
    Change("description", "another", ("description",)),
    Change("transform.image", "other:1", ("transform.image",)),
    Change("transform.cmd", ("sh",), ("transform.cmd",), "a list is one field"),
    Change("transform.cmd", ("run", "go", "./main.go"), ("transform.cmd",), "the order of arguments matters"),
    Change("transform.stdin", (), ("transform.stdin",), "taking a list away is a change"),
    Change("transform.env", {"HOST": "kafkahost", "PORT": "1"}, ("transform.env.PORT",), "a variable by its name"),
    Change("transform.env", {"HOST": "kafkahost"}, ("transform.env.PORT",), "one that was taken away"),
    Change(
        "transform.env",
        {"HOST": "kafkahost", "PORT": "9092", "TOPIC": "t"},
        ("transform.env.TOPIC",),
        "one that is new",
    ),
    Change("transform.env", {}, ("transform.env.HOST", "transform.env.PORT"), "each of several, in order"),
    Change("transform.secrets", (model.SecretMount(name="kafka", mount_path="/k"),), ("transform.secrets",)),
    Change("transform.image_pull_secrets", ("r2",), ("transform.imagePullSecrets",), "in camelCase, as users wrote it"),
    Change("transform.working_dir", "/", ("transform.workingDir",), "in camelCase"),
    Change("transform.user", "", ("transform.user",), "emptied is changed"),
    Change("spout.overwrite", value=True, named=("spout.overwrite",)),
    Change("spout.marker", "position", ("spout.marker",)),
    Change("spout.service", None, ("spout.service",), "a section that is gone is named as a whole"),
    Change("spout.service.internal_port", 1, ("spout.service.internalPort",), "in camelCase"),
    Change("spout.service.external_port", 0, ("spout.service.externalPort",), "in camelCase"),
    Change("spout.service.type", "ClusterIP", ("spout.service.type",)),
    Change("resource_requests.cpu", cores("1"), ("resourceRequests.cpu",), "a quantity is one field"),
    Change("resource_requests.memory", None, ("resourceRequests.memory",), "a quantity that is gone"),
    Change("resource_requests.disk", Quantity.parse("2G"), ("resourceRequests.disk",), "2G is not 2Gi"),
    Change("resource_limits.gpu", None, ("resourceLimits.gpu",), "a section that is gone"),
    Change("resource_limits.gpu.type", "amd.com/gpu", ("resourceLimits.gpu.type",)),
    Change("resource_limits.gpu.number", 2, ("resourceLimits.gpu.number",)),
    Change(
        "resource_limits",
        model.Resources(),
        ("resourceLimits.cpu", "resourceLimits.memory", "resourceLimits.disk", "resourceLimits.gpu"),
        "each field of a section that is always there",
    ),
    Change("scheduling_spec.node_selector", {"disk": "hdd"}, ("schedulingSpec.nodeSelector.disk",), "a label"),
    Change("scheduling_spec.priority_class_name", "", ("schedulingSpec.priorityClassName",), "three words"),
    Change("sidecar_resource_requests.cpu", cores("1"), ("sidecarResourceRequests.cpu",), "as of the user's container"),
    Change("sidecar_resource_limits.memory", None, ("sidecarResourceLimits.memory",), "as of the user's container"),
    Change("tolerations", (), ("tolerations",), "a list is one field"),
    Change("pod_patch", "", ("podPatch",), "in camelCase"),
    Change("restart_nonce", "2", ("restartNonce",), "a new nonce is a difference: that is how it restarts"),
]


def change(record: Any, at: str, value: Any) -> Any:
    """`record` with the field at the dotted path `at` replaced."""
    field, _, rest = at.partition(".")
    return dataclasses.replace(record, **{field: change(getattr(record, field), rest, value) if rest else value})


@pytest.mark.parametrize("row", CHANGES, ids=lambda row: f"{row.at}={row.value!r:.20}")
def test_a_change_is_named_by_its_path(row: Change) -> None:
    changed = change(FULL, row.at, row.value)

    assert changes(changed, FULL) == row.named, row.reason
    assert changes(FULL, changed) == row.named, "whichever of the two is wanted"


@pytest.mark.parametrize(
    "record",
    [
        model.PipelineSpec,
        model.Transform,
        model.SpoutOptions,
        model.Service,
        model.Resources,
        model.Gpu,
        model.Scheduling,
    ],
)
def test_no_field_is_forgotten_above(record: type) -> None:
    named = {part for row in CHANGES for part in row.at.split(".")}

    assert {field.name for field in dataclasses.fields(record)} <= named


@dataclass(frozen=True)
class Same:
    """Two ways to write one thing."""

    at: str
    value: Any
    reason: str


SAME = [
    Same("resource_requests.memory", Quantity.parse("1024Mi"), "an amount written otherwise is the same amount"),
    Same("resource_limits.cpu", cores("0.5"), "half a core"),
    Same("transform.env", {"PORT": "9092", "HOST": "kafkahost"}, "a map has no order"),
]


@pytest.mark.parametrize("row", SAME, ids=lambda row: row.at)
def test_another_spelling_of_the_same_value_is_no_change(row: Same) -> None:
    assert changes(change(FULL, row.at, row.value), FULL) == (), row.reason


@settings(max_examples=40)
@given(specs)
def test_a_spec_does_not_differ_from_itself(spec: model.PipelineSpec) -> None:
    assert changes(spec, dataclasses.replace(spec)) == ()


@settings(max_examples=40)
@given(specs, specs)
def test_two_specs_differ_exactly_where_they_are_not_equal(one: model.PipelineSpec, other: model.PipelineSpec) -> None:
    found = changes(one, other)

    assert (found == ()) is (one == other)
    assert found == changes(other, one)
    assert len(set(found)) == len(found), "no field is named twice"


@settings(max_examples=40)
@given(specs, st.sampled_from(["description", "pod_patch", "restart_nonce"]))
def test_changing_one_field_names_just_that(spec: model.PipelineSpec, field: str) -> None:
    changed = change(spec, field, getattr(spec, field) + "!")
    camel_case = {"pod_patch": "podPatch", "restart_nonce": "restartNonce"}.get(field, field)

    assert changes(spec, changed) == (camel_case,)


@given(
    st.dictionaries(st.text("ABC", min_size=1), st.text("0123456789", min_size=1)),
    st.dictionaries(st.text("ABC", min_size=1), st.text("0123456789", min_size=1)),
)
def test_values_of_variables_never_come_out(one: dict[str, str], other: dict[str, str]) -> None:
    named = changes(a_spec(transform=a_transform(env=one)), a_spec(transform=a_transform(env=other)))

    # No name or path holds a digit, every value consists of them.
    assert not any(char.isdigit() for char in "".join(named))
    assert set(named) == {f"transform.env.{key}" for key in one.keys() | other.keys() if one.get(key) != other.get(key)}
