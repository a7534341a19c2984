"""The check finds what the server would accept and could not run, without a request to it."""

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from spout_operator.core.errors import Stalled
from spout_operator.core.model import PipelineName, PipelineSpec, Resources, SecretMount
from spout_operator.core.reasons import Reason
from spout_operator.core.spec.fields import canonical_json
from spout_operator.core.spec.quantity import Quantity, cores
from spout_operator.pachyderm.v1.worker_pod import worker_pod as worker_pod_of_one
from spout_operator.pachyderm.v2.worker_pod import worker_pod as worker_pod_of_two
from spout_testbed import Testbed
from spout_testbed.waiting import eventually
from tests.contract.pachyderm.conftest import ONES, TWOS
from tests.contract.pachyderm.harness import TRANSFORM, Side
from tests.contract.pachyderm.sides_1 import SideOne
from tests.contract.pachyderm.specs import EVERYTHING, SIDECAR, TOLERATIONS
from tests.memory_pachd.base import MemoryServer

Json = Any
Fields = dict[str, Any]


def patched(*operations: object) -> Fields:
    return {"pod_patch": canonical_json(json.dumps(operations))}


def mounting(name: str, path: str) -> Fields:
    return {"transform": dataclasses.replace(TRANSFORM, secrets=(SecretMount(name=name, mount_path=path),))}


def memory(amount: str) -> Resources:
    return Resources(memory=Quantity.parse(amount))


#: What is asked for beside the least, and the field of the finding. Each fails on the real servers. What crashes one is
#: not tried here: other tests need the server.
FAILING = [
    ("patch-removes-nothing", patched({"op": "remove", "path": "/affinity"}), "spec.podPatch"),
    ("patch-tests-in-vain", patched({"op": "test", "path": "/restartPolicy", "value": "Never"}), "spec.podPatch"),
    ("patch-of-the-whole-pod", patched({"op": "add", "path": "/metadata/labels", "value": {}}), "spec.podPatch"),
    ("volume-of-the-worker", mounting("pachyderm-worker", "/etc/kafka"), "spec.transform.secrets[0].name"),
    ("mount-of-pachyderm", mounting("kafka", "/pach-bin"), "spec.transform.secrets[0].mountPath"),
    ("mount-of-pachctl", mounting("kafka", "/pachctl"), "spec.transform.secrets[0].mountPath"),
]
FAILING_ON_ONE = [
    ("low-limit", {"resource_limits": memory("63999999")}, "spec.resourceLimits.memory"),
    ("volume-of-pachyderm", mounting("pach-tmp", "/etc/kafka"), "spec.transform.secrets[0].name"),
]
FAILING_ON_TWO = [
    ("low-limit", {"resource_limits": memory("255Mi")}, "spec.resourceLimits.memory"),
    ("low-limit-of-cpu", {"resource_limits": Resources(cpu=cores("999m"))}, "spec.resourceLimits.cpu"),
    ("low-limit-of-disk", {"resource_limits": Resources(disk=Quantity.parse("1G"))}, "spec.resourceLimits.disk"),
    ("low-limit-of-the-sidecar", {"sidecar_resource_limits": memory("255Mi")}, "spec.sidecarResourceLimits.memory"),
    ("volume-of-pachyderm", mounting("tmp", "/etc/kafka"), "spec.transform.secrets[0].name"),
]


def failing() -> list[Any]:
    """The rows of each server."""
    return [
        pytest.param(server, fields, field, id=f"{server}-{reason}")
        for servers, own in ((ONES, FAILING_ON_ONE), (TWOS, FAILING_ON_TWO))
        for server in servers
        for reason, fields, field in (*FAILING, *own)
    ]


@pytest.mark.parametrize(("side", "fields", "field"), failing(), indirect=["side"])
def test_a_spec_that_would_fail_is_stalled_with_its_field(side: Side, fields: Fields, field: str) -> None:
    with pytest.raises(Stalled) as error:
        side.port.check("my-spout", dataclasses.replace(side.spec, **fields))

    assert error.value.reason is Reason.INVALID_SPEC
    assert error.value.message.startswith(f"{field}: ")


def test_the_check_reports_every_finding_at_once(side: Side) -> None:
    fields = {**patched({"op": "remove", "path": "/a"}, 7), **mounting("pachyderm-worker", "/pachctl")}
    spec = dataclasses.replace(side.spec, resource_limits=memory("1Mi"), **fields)

    with pytest.raises(Stalled) as error:
        side.port.check("my-spout", spec)

    assert [finding.split(": ")[0] for finding in error.value.message.split("; ") if finding.startswith("spec.")] == [
        "spec.resourceLimits.memory",
        "spec.transform.secrets[0].name",
        "spec.transform.secrets[0].mountPath",
        "spec.podPatch",
    ]


@pytest.mark.parametrize("fields", [{}, patched({"op": "add", "path": "/hostNetwork", "value": True})])
def test_a_spec_that_can_run_passes_the_check(side: Side, fields: Fields) -> None:
    side.port.check("my-spout", dataclasses.replace(side.spec, **fields))


def test_memory_the_check_calls_no_server(memory_side: Side, pachd: MemoryServer) -> None:
    for reason, fields, _ in FAILING:
        with pytest.raises(Stalled, match="spec"):
            memory_side.port.check("my-spout", dataclasses.replace(memory_side.spec, **fields))

        assert sum(pachd.calls.values()) == 0, reason


class Controllers:
    """The ReplicationControllers that the real pachd makes, and the states of its pipelines."""

    def __init__(self, bed: Testbed, side: Side) -> None:
        self._bed = bed
        self._side = side
        version = next(known for known in ("1.13", "2.12") if side.version.startswith(known))
        self._namespace = bed.pachyderm(version).namespace

    def pod_of(self, spec: PipelineSpec) -> tuple[str, Json]:
        """A new pipeline's name, and the Pod in its ReplicationController."""
        name = self._created(spec)
        get = ("get", "rc", "-l", f"pipelineName={name}", "-n", self._namespace, "-o", "json")
        found = eventually(
            lambda: json.loads(self._bed.kubectl(*get).stdout)["items"],
            what=f"the ReplicationController of {name}",
            seconds=30,
            details=lambda: self._side.observed(name).reason,
        )
        return name, found[0]["spec"]["template"]["spec"]

    def failures_of(self, rows: Iterable[tuple[str, PipelineSpec]]) -> dict[str, str]:
        """Why each of new pipelines fails, by its key. Each has to fail."""
        names = {key: self._created(spec) for key, spec in rows}
        return {key: self._failure_of(key, name) for key, name in names.items()}

    def _failure_of(self, key: str, name: str) -> str:
        eventually(
            lambda: self._side.observed(name).state == "Failure",
            what=f"{name} ({key}) to fail",
            seconds=30,
            details=lambda: str(self._side.observed(name)),
        )
        return self._side.observed(name).reason

    def _created(self, spec: PipelineSpec) -> str:
        # Pachyderm 2 refuses a pipeline whose Secret, or its key, is not there.
        for secret in spec.transform.secrets:
            body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": secret.name}}
            data = {"stringData": {secret.key or "any": "x"}}
            self._bed.kubectl("apply", "-n", self._namespace, "-f", "-", input=json.dumps({**body, **data}))
        return self._side.created(spec)


@pytest.fixture
def controllers(real_bed: Testbed, side: Side) -> Controllers:
    return Controllers(real_bed, side)


REAL = [server for server in (*ONES, *TWOS) if server.startswith("real")]


@pytest.mark.parametrize("side", REAL, indirect=True)
def test_each_spec_that_the_check_refuses_does_fail(controllers: Controllers, side: Side) -> None:
    """All are created before the first is looked at, as pachd takes seconds to see that one fails."""
    own = FAILING_ON_ONE if isinstance(side, SideOne) else FAILING_ON_TWO
    rows = [(reason, dataclasses.replace(side.spec, **fields)) for reason, fields, _ in (*FAILING, *own)]
    assert [reason for reason, failure in controllers.failures_of(rows).items() if not failure] == []


#: The fields of the Pod that the API server fills in where pachd leaves them out, beside empty objects.
_DEFAULTS = {"terminationMessagePath", "terminationMessagePolicy", "dnsPolicy", "schedulerName", "serviceAccount"}
_DEFAULTS |= {"defaultMode", "type", "protocol"}


def unforeseen(real: Json, foreseen: Json, place: str = "") -> list[str]:
    """The places of the real Pod that the predicted Pod does not have, or has with another value."""
    if isinstance(real, Mapping) and isinstance(foreseen, Mapping):
        keys = [key for key in real if key not in _DEFAULTS and (key in foreseen or real[key] != {})]
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


def predicted(side: Side, name: str, spec: PipelineSpec) -> Json:
    return (
        worker_pod_of_one(name, spec) if isinstance(side, SideOne) else worker_pod_of_two(PipelineName(name=name), spec)
    )


def everything(side: Side) -> PipelineSpec:
    """Every field of the Pod that this server has; no node has the labels of the selector."""
    spec = dataclasses.replace(EVERYTHING, pod_patch="", scheduling_spec=side.spec.scheduling_spec)
    if isinstance(side, SideOne):
        return spec
    return dataclasses.replace(
        spec,
        spout=dataclasses.replace(spec.spout, marker="", overwrite=False),
        sidecar_resource_requests=SIDECAR,
        sidecar_resource_limits=SIDECAR,
        tolerations=TOLERATIONS,
    )


PREDICTED: list[tuple[str, Callable[[Side], PipelineSpec]]] = [
    ("the least", lambda side: side.spec),
    ("every field", everything),
    (
        "a single variable is foreseen with its value",
        lambda side: dataclasses.replace(side.spec, transform=dataclasses.replace(TRANSFORM, env={"A": "ü & <b>"})),
    ),
]


@pytest.mark.parametrize("side", REAL, indirect=True)
@pytest.mark.parametrize(("reason", "spec_of"), PREDICTED)
def test_the_worker_pod_is_as_predicted(
    controllers: Controllers, side: Side, reason: str, spec_of: Callable[[Side], PipelineSpec]
) -> None:
    spec = spec_of(side)

    name, pod = controllers.pod_of(spec)

    assert unforeseen(pod, predicted(side, name, spec)) == [], reason
    assert "null" not in json.dumps(pod), "what is known not to crash pachd relies on it"


@pytest.mark.parametrize("side", REAL, indirect=True)
def test_a_patched_worker_pod_is_as_predicted(controllers: Controllers, side: Side) -> None:
    # Of the variables, those of the spec come first on 2.12.2, and after the name of the pipeline on 1.13.4.
    first = 1 if isinstance(side, SideOne) else 0
    fields = patched(
        {"op": "test", "path": "/containers/0/name", "value": "user"},
        {"op": "test", "path": f"/containers/0/env/{first}", "value": {"name": "A", "value": "ü & <b>"}},
        {"op": "add", "path": "/containers/-", "value": {"name": "extra", "image": "example/extra:1"}},
        {"op": "copy", "from": "/containers/0/volumeMounts", "path": "/containers/2/volumeMounts"},
        {"op": "move", "from": "/containers/0/resources", "path": "/containers/2/resources"},
        {"op": "replace", "path": "/containers/0/image", "value": "example/ü&<other>:2"},
        {"op": "test", "path": "/containers/0/image", "value": "example/ü&<other>:2"},
        {"op": "add", "path": "/hostNetwork", "value": True},
        {"op": "remove", "path": "/terminationGracePeriodSeconds"},
    )
    spec = dataclasses.replace(side.spec, **fields, transform=dataclasses.replace(TRANSFORM, env={"A": "ü & <b>"}))
    side.port.check("my-spout", spec)

    _, pod = controllers.pod_of(spec)

    extra = pod["containers"][2]
    assert (extra["name"], extra["resources"]["requests"]["memory"]) == ("extra", "64M" if first else "256Mi")
    assert {"name": "pachyderm-worker", "mountPath": "/pfs"} in extra["volumeMounts"]
    assert pod["containers"][0]["image"] == "example/ü&<other>:2"
    assert pod["hostNetwork"] is True
