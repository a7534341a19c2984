"""The check finds what the server would accept and could not run, without a request to it."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import pytest

from spout_operator.core.errors import Stalled
from spout_operator.core.model import PipelineSpec, Resources, SecretMount
from spout_operator.core.reasons import Reason
from spout_operator.core.spec.fields import canonical_json
from spout_operator.core.spec.quantity import Quantity
from spout_operator.pachyderm.v1.worker_pod import worker_pod
from spout_testbed import Testbed
from spout_testbed.waiting import eventually
from tests.contract.pachyderm.harness import SPEC, TRANSFORM, Side
from tests.contract.pachyderm.specs import EVERYTHING
from tests.memory_pachd import MemoryPachd

Json = Any


def patched(*operations: object) -> PipelineSpec:
    return dataclasses.replace(SPEC, pod_patch=canonical_json(json.dumps(operations)))


def mounting(name: str, path: str) -> PipelineSpec:
    transform = dataclasses.replace(TRANSFORM, secrets=(SecretMount(name=name, mount_path=path),))
    return dataclasses.replace(SPEC, transform=transform)


#: Specs that fail on the real server. A spec that crashes it is not tried here: other tests need the server.
FAILING = [
    pytest.param(patched({"op": "remove", "path": "/affinity"}), "spec.podPatch", id="patch-removes-nothing"),
    pytest.param(
        patched({"op": "test", "path": "/restartPolicy", "value": "Never"}), "spec.podPatch", id="patch-tests-in-vain"
    ),
    pytest.param(
        patched({"op": "add", "path": "/metadata/labels", "value": {}}), "spec.podPatch", id="patch-of-the-whole-pod"
    ),
    pytest.param(
        dataclasses.replace(SPEC, resource_limits=Resources(memory=Quantity.parse("63999999"))),
        "spec.resourceLimits.memory",
        id="little-memory",
    ),
    pytest.param(mounting("pach-tmp", "/etc/kafka"), "spec.transform.secrets[0].name", id="volume-of-pachyderm"),
    pytest.param(mounting("kafka", "/pach-bin"), "spec.transform.secrets[0].mountPath", id="mount-of-pachyderm"),
]


@pytest.mark.parametrize(("spec", "field"), FAILING)
def test_a_spec_that_would_fail_is_stalled_with_its_field(side: Side, spec: PipelineSpec, field: str) -> None:
    with pytest.raises(Stalled) as error:
        side.port.check("my-spout", spec)

    assert error.value.reason is Reason.INVALID_SPEC
    assert error.value.message.startswith(f"{field}: ")


def test_the_check_reports_every_finding_at_once(side: Side) -> None:
    spec = dataclasses.replace(
        patched({"op": "remove", "path": "/a"}, 7),
        resource_limits=Resources(memory=Quantity.parse("1Mi")),
        transform=mounting("docker", "/pachctl").transform,
    )

    with pytest.raises(Stalled) as error:
        side.port.check("my-spout", spec)

    assert [finding.split(": ")[0] for finding in error.value.message.split("; ") if finding.startswith("spec.")] == [
        "spec.resourceLimits.memory",
        "spec.transform.secrets[0].name",
        "spec.transform.secrets[0].mountPath",
        "spec.podPatch",
    ]


@pytest.mark.parametrize("spec", [SPEC, patched({"op": "add", "path": "/hostNetwork", "value": True})])
def test_a_spec_that_can_run_passes_the_check(side: Side, spec: PipelineSpec) -> None:
    side.port.check("my-spout", spec)


@pytest.mark.parametrize(("spec", "field"), FAILING)
def test_memory_the_check_calls_no_server(
    memory_side: Side, pachd: MemoryPachd, spec: PipelineSpec, field: str
) -> None:
    with pytest.raises(Stalled, match="spec"):
        memory_side.port.check("my-spout", spec)

    assert sum(pachd.calls.values()) == 0, field


class Controllers:
    """The ReplicationControllers that the real pachd makes, and the states of its pipelines."""

    def __init__(self, bed: Testbed, side: Side) -> None:
        self._bed = bed
        self._side = side

    def pod_of(self, spec: PipelineSpec) -> tuple[str, Json]:
        """A new pipeline's name, and the Pod in its ReplicationController."""
        name = self._side.created(spec)
        get = ("get", "rc", f"pipeline-{name}-v1", "-n", self._bed.pachyderm_namespace, "-o", "json")
        eventually(
            lambda: self._bed.kubectl(*get, check=False).returncode == 0,
            what=f"the ReplicationController of {name}",
            seconds=30,
            details=lambda: self._side.observed(name).reason,
        )
        return name, json.loads(self._bed.kubectl(*get).stdout)["spec"]["template"]["spec"]

    def failure_of(self, spec: PipelineSpec) -> str:
        """Why a new pipeline fails. It has to fail."""
        name = self._side.created(spec)
        eventually(
            lambda: self._side.observed(name).state == "Failure",
            what=f"{name} to fail",
            seconds=30,
            details=lambda: str(self._side.observed(name)),
        )
        return self._side.observed(name).reason


@pytest.fixture
def controllers(real_bed: Testbed, real_side: Side) -> Controllers:
    return Controllers(real_bed, real_side)


@pytest.mark.parametrize(("spec", "field"), FAILING)
def test_real_a_spec_that_the_check_refuses_does_fail(controllers: Controllers, spec: PipelineSpec, field: str) -> None:
    assert controllers.failure_of(spec) != "", field


#: The fields of the Pod that the API server fills in where pachd leaves them out.
_DEFAULTS = {"terminationMessagePath", "terminationMessagePolicy", "dnsPolicy", "schedulerName", "serviceAccount"}
_DEFAULTS |= {"defaultMode", "type"}


def unforeseen(real: Json, foreseen: Json, place: str = "") -> list[str]:
    """The places of the real Pod that the predicted Pod does not have, or has with another value."""
    if isinstance(real, Mapping) and isinstance(foreseen, Mapping):
        keys = [key for key in real if key not in _DEFAULTS]
        return [
            found
            for key in keys
            for found in (
                unforeseen(real[key], foreseen[key], f"{place}/{key}") if key in foreseen else [f"{place}/{key}"]
            )
        ]
    if isinstance(real, list) and isinstance(foreseen, list):
        if len(real) > len(foreseen):
            return [f"{place}: {len(real)} entries, {len(foreseen)} are foreseen"]
        pairs = zip(real, foreseen, strict=False)
        return [found for index, pair in enumerate(pairs) for found in unforeseen(*pair, f"{place}/{index}")]
    return [] if foreseen == real else [f"{place}: {real!r}, {foreseen!r} is foreseen"]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (SPEC, "the least"),
        (dataclasses.replace(EVERYTHING, pod_patch="", scheduling_spec=SPEC.scheduling_spec), "every field"),
        (
            dataclasses.replace(SPEC, transform=dataclasses.replace(TRANSFORM, env={"A": "ü & <b>"})),
            "a single variable is foreseen with its value",
        ),
    ],
)
def test_real_the_worker_pod_is_as_predicted(controllers: Controllers, spec: PipelineSpec, reason: str) -> None:
    name, pod = controllers.pod_of(spec)

    assert unforeseen(pod, worker_pod(name, spec)) == [], reason
    assert "null" not in json.dumps(pod), "what is known not to crash pachd relies on it"


def test_real_a_patched_worker_pod_is_as_predicted(controllers: Controllers, real_side: Side) -> None:
    spec = patched(
        {"op": "test", "path": "/containers/0/name", "value": "user"},
        {"op": "test", "path": "/containers/0/env/1", "value": {"name": "A", "value": "ü & <b>"}},
        {"op": "add", "path": "/containers/-", "value": {"name": "extra", "image": "example/extra:1"}},
        {"op": "copy", "from": "/containers/0/volumeMounts", "path": "/containers/2/volumeMounts"},
        {"op": "move", "from": "/containers/0/resources", "path": "/containers/2/resources"},
        {"op": "replace", "path": "/containers/0/image", "value": "example/ü&<other>:2"},
        {"op": "test", "path": "/containers/0/image", "value": "example/ü&<other>:2"},
        {"op": "add", "path": "/hostNetwork", "value": True},
        {"op": "remove", "path": "/terminationGracePeriodSeconds"},
    )

    spec = dataclasses.replace(spec, transform=dataclasses.replace(TRANSFORM, env={"A": "ü & <b>"}))
    real_side.port.check("my-spout", spec)

    _, pod = controllers.pod_of(spec)

    extra = pod["containers"][2]
    assert (extra["name"], extra["resources"]["requests"]["memory"]) == ("extra", "64M")
    assert {"name": "pachyderm-worker", "mountPath": "/pfs"} in extra["volumeMounts"]
    assert pod["containers"][0]["image"] == "example/ü&<other>:2"
    assert pod["hostNetwork"] is True
