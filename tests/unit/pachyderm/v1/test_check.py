"""The check finds what Pachyderm 1.13.4 would accept and could not run."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spout_operator.core import model
from spout_operator.core.spec.fields import canonical_json
from spout_operator.core.spec.quantity import Quantity, cores
from spout_operator.pachyderm import pod_patch
from spout_operator.pachyderm.v1 import check
from spout_operator.pachyderm.v1.worker_pod import MOUNT_PATHS, VOLUMES, VOLUMES_OF_SOME_SERVERS, worker_pod
from tests.builders import a_spec, a_transform

Operation = dict[str, Any]
PASSWORD = "hunter2-0451"  # noqa: S105 - a value to look for, no secret

#: Two mounted Secrets, one variable from a Secret, and one variable.
SPEC = a_spec(
    transform=a_transform(
        env={"PASSWORD": PASSWORD},
        secrets=(
            model.SecretMount(name="kafka", mount_path="/etc/kafka"),
            model.SecretMount(name="tls", mount_path="/etc/tls", key="password", env_var="TLS"),
        ),
        image_pull_secrets=("registry",),
    ),
    resource_limits=model.Resources(memory=Quantity.parse("1Gi"), gpu=model.Gpu(type="nvidia.com/gpu", number=1)),
    scheduling_spec=model.Scheduling(node_selector={"disk": "ssd"}, priority_class_name="ingest"),
)


def found(*operations: Operation, spec: model.PipelineSpec = SPEC) -> list[str]:
    patched = {field: getattr(spec, field) for field in ("transform", "spout", "resource_limits", "scheduling_spec")}
    patch = canonical_json(json.dumps(operations))
    return list(check.findings("my-spout", a_spec(**patched, pod_patch=patch)))


APPLIES = [
    ({"op": "add", "path": "/hostNetwork", "value": True}, "a field that the Pod has not"),
    ({"op": "add", "path": "/tolerations", "value": [{"operator": "Exists"}]}, "the same"),
    ({"op": "add", "path": "/containers/-", "value": {"name": "sidecar"}}, "a container of one's own"),
    ({"op": "add", "path": "/containers/0/workingDir", "value": "/app"}, "of the container of cmd"),
    ({"op": "replace", "path": "/containers/1/resources/requests/memory", "value": "1Gi"}, "of Pachyderm's container"),
    ({"op": "add", "path": "/initContainers/0", "value": {"name": "first"}}, "before Pachyderm's init container"),
    ({"op": "add", "path": "/volumes/-", "value": {"name": "cache", "emptyDir": {}}}, "a volume"),
    ({"op": "remove", "path": "/volumes/8"}, "the docker socket, where a server mounts it, after two Secrets"),
    ({"op": "remove", "path": "/containers/0/volumeMounts/8"}, "the same in the container"),
    ({"op": "add", "path": "/securityContext/fsGroup", "value": 1000}, "beside what Pachyderm sets"),
    ({"op": "replace", "path": "/serviceAccountName", "value": "mine"}, "instead of Pachyderm's"),
    ({"op": "test", "path": "/serviceAccountName", "value": "pachyderm-worker"}, "what only the server knows"),
    ({"op": "test", "path": "/containers/0/image", "value": "myaccount/myimage:0.1"}, "what the Spout says"),
    ({"op": "test", "path": "/containers/0/env/1/value", "value": PASSWORD}, "the only variable comes first"),
    ({"op": "test", "path": "/containers/0/env/2/valueFrom/secretKeyRef/key", "value": "password"}, "then Secrets"),
    ({"op": "test", "path": "/volumes/1/secret", "value": {"secretName": "tls"}}, "an object"),
    ({"op": "replace", "path": "/volumes/7/secret/secretName", "value": "mine"}, "the pachctl Secret of this spout"),
    ({"op": "test", "path": "/nodeSelector/disk", "value": "ssd"}, "the scheduling"),
    ({"op": "replace", "path": "/priorityClassName", "value": "low"}, "the same"),
    ({"op": "remove", "path": "/containers/0/resources/limits/nvidia.com~1gpu"}, "escaped as RFC 6901 wants it"),
    ({"op": "test", "path": "/imagePullSecrets/0/name", "value": "registry"}, "the Spout's come first"),
    ({"op": "move", "from": "/containers/0/resources", "path": "/containers/1/resources"}, "over what is there"),
    ({"op": "copy", "from": "/containers/0/env/1", "path": "/initContainers/0/env", "comment": "x"}, "a new member"),
]


@pytest.mark.parametrize(("operation", "reason"), APPLIES)
def test_a_patch_that_applies_to_a_worker_pod_is_accepted(operation: Operation, reason: str) -> None:
    assert found(operation) == [], reason


@dataclass(frozen=True)
class Row:
    """An operation that applies to no worker Pod, and the words of its finding."""

    operation: Operation
    says: str
    reason: str


DOES_NOT_APPLY = [
    Row(
        {"op": "replace", "path": "/containers/2/image", "value": "x"},
        "(replace /containers/2/image) does not apply: the worker Pod has no place /containers/2: "
        "the list has 2 entries, counted from 0",
        "there are two",
    ),
    Row({"op": "add", "path": "/containers/3", "value": {}}, "has 2 entries", "a gap in the list"),
    Row({"op": "add", "path": "/containers/user/image", "value": "x"}, "no place /containers/user", "no index"),
    Row({"op": "add", "path": "/containers/00/image", "value": "x"}, "no place /containers/00", "RFC 6901"),
    Row(
        {"op": "add", "path": "/spec/hostNetwork", "value": True},
        "the worker Pod has no /spec",
        "a slip: the patch is for the spec of the Pod",
    ),
    Row({"op": "add", "path": "/metadata/labels/a", "value": "b"}, "the worker Pod has no /metadata", "the same"),
    Row({"op": "add", "path": "/affinity/nodeAffinity", "value": {}}, "has no /affinity", "it has to be added first"),
    Row({"op": "remove", "path": "/affinity"}, "the worker Pod has no /affinity", "nothing to remove"),
    Row({"op": "replace", "path": "/hostNetwork", "value": True}, "has no /hostNetwork", "add would do"),
    Row({"op": "move", "from": "/affinity", "path": "/a"}, "has no /affinity", "nothing to move"),
    Row({"op": "copy", "from": "/affinity", "path": "/a"}, "has no /affinity", "json-patch would make a null of it"),
    Row({"op": "copy", "from": "/volumes", "path": "/a/b"}, "has no /a", "nowhere to put it"),
    Row({"op": "add", "path": "/restartPolicy/x", "value": 1}, "no object and no list at /restartPolicy", "a text"),
    Row({"op": "copy", "from": "/restartPolicy/0", "path": "/a"}, "no list at /restartPolicy", "a text is no list"),
    Row(
        {"op": "move", "from": "/containers", "path": "/containers/0/x"},
        "what it takes from /containers cannot be put there",
        "into itself",
    ),
    Row(
        {"op": "test", "path": "/containers/0/image", "value": "other"},
        "the worker Pod has something else at /containers/0/image",
        "a test that fails: seen on a real server, the pipeline fails",
    ),
    Row({"op": "test", "path": "/terminationGracePeriodSeconds", "value": False}, "something else", "0 is not false"),
    Row({"op": "remove", "path": "/a", "from": "~"}, "the worker Pod has no /a", "a member that it does not need"),
    Row({"op": "test", "path": "/affinity", "value": 1}, "the worker Pod has no /affinity", "nothing to compare"),
]


@pytest.mark.parametrize("row", DOES_NOT_APPLY, ids=lambda row: json.dumps(row.operation))
def test_a_patch_that_applies_to_no_worker_pod_is_reported_with_its_number_and_the_reason(row: Row) -> None:
    good = {"op": "add", "path": "/hostPID", "value": False}

    (finding,) = found(good, row.operation, good)

    assert finding.startswith(f"spec.podPatch: operation 2 of 3 ({row.operation['op']} "), row.reason
    assert row.says in finding, row.reason


def test_operations_build_on_each_other() -> None:
    add = {"op": "add", "path": "/affinity", "value": {}}
    below = {"op": "add", "path": "/affinity/nodeAffinity", "value": {"a": 1}}

    assert found(add, below) == []
    assert "has no /affinity" in found(below, add)[0]
    assert (
        "operation 3 of 3 (remove /affinity)"
        in found(add, {"op": "remove", "path": "/affinity"}, {**add, "op": "remove"})[0]
    )


def test_a_finding_shows_no_value_of_a_variable() -> None:
    tests = [
        {"op": "test", "path": f"/containers/0{path}", "value": "x"} for path in ("", "/env", "/env/1", "/env/1/value")
    ]
    misses = [{"op": "remove", "path": f"/containers/0{path}/x"} for path in ("", "/env", "/env/1", "/env/1/value")]

    shown = [finding for operation in (*tests, *misses) for finding in found(operation)]

    assert len(shown) == len(tests) + len(misses)
    assert not [finding for finding in shown if PASSWORD in finding]


@pytest.mark.parametrize("copies", [60, 1000])
def test_a_patch_whose_copies_grow_without_bound_is_refused(copies: int) -> None:
    doubled = {"op": "copy", "from": "/containers", "path": "/containers/0/x"}

    (finding,) = found(*[doubled] * copies)

    assert "the copies add more than 1048576 bytes to the Pod" in finding


def test_a_patch_that_nests_the_pod_too_deeply_is_refused() -> None:
    deeper: list[Operation] = [
        {"op": "add", "path": "/b", "value": {}},
        {"op": "move", "from": "/a", "path": "/b/a"},
        {"op": "copy", "from": "/b", "path": "/a"},
    ]

    assert "the Pod would be nested too deeply" in found({"op": "add", "path": "/a", "value": {}}, *deeper * 1000)[0]


def test_a_patch_that_would_crash_pachd_is_refused() -> None:
    assert "the negative index -1" in found({"op": "remove", "path": "/containers/-1"})[0]


@dataclass(frozen=True)
class Memory:
    limit: str
    request: str
    refused: bool
    reason: str


@pytest.mark.parametrize(
    "row",
    [
        Memory("63999999", "", refused=True, reason="measured: FAILURE, Pachyderm requests 64M"),
        Memory("64M", "", refused=False, reason="measured: it runs"),
        Memory("62Mi", "", refused=False, reason="65,011,712 bytes"),
        Memory("8Mi", "8Mi", refused=False, reason="measured: it runs; what is requested is the Spout's"),
        Memory("", "8Mi", refused=False, reason="no limit"),
    ],
)
def test_a_memory_limit_below_pachyderms_own_request_is_refused(row: Memory) -> None:
    spec = a_spec(
        resource_limits=model.Resources(memory=Quantity.parse(row.limit) if row.limit else None),
        resource_requests=model.Resources(cpu=cores("1"), memory=Quantity.parse(row.request) if row.request else None),
    )

    shown = list(check.findings("my-spout", spec))

    assert bool(shown) == row.refused, row.reason
    assert not shown or shown[0].startswith(f"spec.resourceLimits.memory: {row.limit} is below the 64M that Pachyderm")


def mounting(**fields: str) -> list[str]:
    other = model.SecretMount(name="other", key="key", env_var="OTHER")
    secrets = (other, model.SecretMount(**{"name": "kafka", "mount_path": "/etc/kafka", **fields}))
    return list(check.findings("my-spout", a_spec(transform=a_transform(secrets=secrets))))


@pytest.mark.parametrize("name", [*VOLUMES, *VOLUMES_OF_SOME_SERVERS])
def test_a_secret_named_like_a_volume_of_pachyderm_is_refused(name: str) -> None:
    (finding,) = mounting(name=name)

    assert finding.startswith("spec.transform.secrets[1].name: Pachyderm names the volume after the Secret")
    assert mounting(name=name, mount_path="", key="key", env_var="A") == [], "only volumes have names"


@pytest.mark.parametrize("path", [*MOUNT_PATHS, "/pach-bin/", "//pachctl", "/etc/../pach"])
def test_a_secret_mounted_where_pachyderm_mounts_something_is_refused(path: str) -> None:
    (finding,) = mounting(mount_path=path)

    assert finding.startswith(f"spec.transform.secrets[1].mountPath: {path!r} is where Pachyderm mounts")


@pytest.mark.parametrize("path", ["/etc/kafka", "/pachyderm", "/pach-bin-2", "/var/run", "/pach-bin/secret"])
def test_a_secret_mounted_elsewhere_is_accepted(path: str) -> None:
    assert mounting(mount_path=path) == []


paths = st.sampled_from(
    [
        *("/containers", "/containers/0", "/containers/0/env", "/containers/0/env/1", "/containers/0/env/1/value"),
        *("/volumes/0", "/volumes/-", "/affinity", "/affinity/x", "/a", "/a/0", "/a/-", "/a/x", "/restartPolicy/0"),
    ]
)
values = st.recursive(
    st.booleans() | st.integers() | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["x", "0"]), inner, max_size=2),
    max_leaves=4,
)
operations = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
        "path": paths,
        "from": paths,
        "value": values,
    }
)


@given(st.lists(operations, max_size=8))
def test_a_random_patch_applies_or_is_reported_without_secrets(patch: list[Operation]) -> None:
    for finding in found(*patch):
        assert finding.startswith("spec.podPatch: operation ")
        assert PASSWORD not in finding


def test_applying_a_patch_does_not_change_the_next_worker_pod() -> None:
    before = json.dumps(worker_pod("my-spout", SPEC))

    pod_patch.apply('[{"op":"add","path":"/containers/0/env/1/x","value":1}]', worker_pod("my-spout", SPEC))

    assert json.dumps(worker_pod("my-spout", SPEC)) == before
