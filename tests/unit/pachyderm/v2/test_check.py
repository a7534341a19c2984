"""The check finds what Pachyderm 2.12.2 would accept and could not run."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from spout_operator.core import model
from spout_operator.core.spec.fields import canonical_json
from spout_operator.core.spec.quantity import Quantity, cores
from spout_operator.pachyderm.v2 import check
from spout_operator.pachyderm.v2.worker_pod import MOUNT_PATHS, VOLUMES, VOLUMES_OF_SOME_SERVERS, worker_pod
from tests.builders import a_name, a_spec, a_transform

Operation = dict[str, Any]

#: Two mounted Secrets, one variable from a Secret, one variable, and a user.
TRANSFORM = a_transform(
    env={"HOST": "kafka"},
    secrets=(
        model.SecretMount(name="kafka", mount_path="/etc/kafka"),
        model.SecretMount(name="tls", mount_path="/etc/tls", key="password", env_var="TLS"),
    ),
    image_pull_secrets=("registry",),
    user="1000",
)


def spec_with(**fields: Any) -> model.PipelineSpec:
    return a_spec(**{"transform": TRANSFORM, "spout": model.SpoutOptions(), **fields})


def found(*operations: Operation, **fields: Any) -> list[str]:
    patch = canonical_json(json.dumps(operations)) if operations else ""
    return list(check.findings(a_name(), spec_with(pod_patch=patch, **fields)))


APPLIES = [
    ({"op": "add", "path": "/containers/-", "value": {"name": "sidecar"}}, "a container of one's own"),
    ({"op": "add", "path": "/hostNetwork", "value": True}, "a field that the Pod has not"),
    ({"op": "replace", "path": "/automountServiceAccountToken", "value": False}, "1.13 does not set it"),
    ({"op": "test", "path": "/containers/0/command/0", "value": "/pach-bin/dumb-init"}, "2.12's own"),
    ({"op": "test", "path": "/containers/0/env/0", "value": {"name": "HOST", "value": "kafka"}}, "it comes first"),
    ({"op": "test", "path": "/containers/0/env/1/valueFrom/secretKeyRef/key", "value": "password"}, "then Secrets"),
    ({"op": "add", "path": "/containers/1/envFrom/-", "value": {}}, "of the sidecar"),
    ({"op": "replace", "path": "/containers/1/resources/requests/memory", "value": "1Gi"}, "of the sidecar"),
    ({"op": "remove", "path": "/containers/0/resources/requests/ephemeral-storage"}, "the cluster defaults request it"),
    ({"op": "add", "path": "/containers/0/volumeMounts/-", "value": {"name": "kafka", "mountPath": "/a"}}, "a mount"),
    ({"op": "remove", "path": "/volumes/9"}, "a server with TLS and object storage has so many, after two Secrets"),
    ({"op": "test", "path": "/volumes/1/secret", "value": {"secretName": "tls"}}, "the Spout's come first"),
    ({"op": "test", "path": "/securityContext/runAsUser", "value": 1000}, "from transform.user"),
    ({"op": "replace", "path": "/containers/0/securityContext/readOnlyRootFilesystem", "value": False}, "the same"),
]


@pytest.mark.parametrize(("operation", "reason"), APPLIES)
def test_a_patch_that_applies_to_a_worker_pod_is_accepted(operation: Operation, reason: str) -> None:
    assert found(operation) == [], reason


@pytest.mark.parametrize(
    ("operation", "says", "reason"),
    [
        ({"op": "remove", "path": "/volumes/10"}, "no place /volumes/10", "no server has so many"),
        ({"op": "replace", "path": "/containers/2/image", "value": "x"}, "no place /containers/2", "there are two"),
        ({"op": "add", "path": "/tolerations/-", "value": {}}, "has no /tolerations", "the spec has none"),
        ({"op": "add", "path": "/nodeSelector/disk", "value": "ssd"}, "has no /nodeSelector", "the same"),
        (
            {"op": "test", "path": "/containers/0/command/0", "value": "/pach-bin/worker"},
            "something else",
            "1.13's own",
        ),
        ({"op": "add", "path": "/spec/hostNetwork", "value": True}, "has no /spec", "a patch of the spec of the Pod"),
        ({"op": "remove", "path": "/containers/-1"}, "the negative index -1", "it could end pachd"),
    ],
)
def test_a_patch_that_applies_to_no_worker_pod_is_refused(operation: Operation, says: str, reason: str) -> None:
    (finding,) = found(operation)

    assert finding.startswith("spec.podPatch: "), reason
    assert says in finding, reason


def test_without_a_user_the_pod_has_no_security_context() -> None:
    operation = {"op": "add", "path": "/securityContext/fsGroup", "value": 1000}

    assert found(operation) == []
    assert "has no /securityContext" in found(operation, transform=a_transform())[0]


def test_a_pod_has_the_tolerations_of_its_spec() -> None:
    tolerations = (model.Toleration(key="a", operator="Exists", effect="NoExecute", toleration_seconds=0),)
    expected = {"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 0}
    operation = {"op": "test", "path": "/tolerations/0", "value": expected}

    assert found(operation, tolerations=tolerations) == []


@dataclass(frozen=True)
class Limit:
    limits: model.Resources
    requests: model.Resources
    refused: str
    reason: str


NOTHING = model.Resources()
LIMITS = [
    Limit(model.Resources(memory=Quantity.parse("255Mi")), NOTHING, "memory: 255Mi is below the 256Mi", "by 1 MiB"),
    Limit(model.Resources(memory=Quantity.parse("256Mi")), NOTHING, "", "as much as is requested"),
    Limit(
        model.Resources(memory=Quantity.parse("64Mi")),
        model.Resources(memory=Quantity.parse("64Mi")),
        "",
        "the request is the Spout's own",
    ),
    Limit(model.Resources(cpu=cores("500m")), NOTHING, "cpu: 500m is below the 1", "half of what is requested"),
    Limit(model.Resources(cpu=cores("500m")), model.Resources(memory=Quantity.parse("1Mi")), "cpu: ", "each by itself"),
    Limit(model.Resources(disk=Quantity.parse("1G")), NOTHING, "disk: 1G is below the 1Gi", "another unit"),
    Limit(NOTHING, NOTHING, "", "no limit"),
]


@pytest.mark.parametrize("row", LIMITS, ids=lambda row: row.reason.replace(" ", "-"))
@pytest.mark.parametrize(
    ("prefix", "fields"),
    [
        ("resource", ("resource_requests", "resource_limits")),
        ("sidecarResource", ("sidecar_resource_requests", "sidecar_resource_limits")),
    ],
    ids=["code", "sidecar"],
)
def test_a_limit_below_what_the_cluster_defaults_request_is_refused(
    row: Limit, prefix: str, fields: tuple[str, str]
) -> None:
    shown = found(**dict(zip(fields, (row.requests, row.limits), strict=True)))

    assert bool(shown) == bool(row.refused), row.reason
    assert not shown or shown[0].startswith(f"spec.{prefix}Limits.{row.refused}"), row.reason


def mounting(**fields: str) -> list[str]:
    secret = model.SecretMount(**{"name": "kafka", "mount_path": "/etc/kafka", **fields})
    return found(transform=a_transform(secrets=(secret,)))


@pytest.mark.parametrize("name", [*VOLUMES, *VOLUMES_OF_SOME_SERVERS])
def test_a_secret_named_like_a_volume_of_pachyderm_is_refused(name: str) -> None:
    (finding,) = mounting(name=name)

    assert finding.startswith("spec.transform.secrets[0].name: Pachyderm names the volume after the Secret")
    assert mounting(name=name, mount_path="", key="key", env_var="A") == [], "only volumes have names"


@pytest.mark.parametrize("path", [*MOUNT_PATHS, "/pach-bin/", "//pachctl", "/etc/../tmp"])
def test_a_secret_mounted_where_pachyderm_mounts_something_is_refused(path: str) -> None:
    (finding,) = mounting(mount_path=path)

    assert finding.startswith(f"spec.transform.secrets[0].mountPath: {path!r} is where Pachyderm mounts")


@pytest.mark.parametrize("path", ["/etc/kafka", "/tmp/kafka", "/pach-cache", "/pach-bin-2"])  # noqa: S108 - in a Pod
def test_a_secret_mounted_elsewhere_is_accepted(path: str) -> None:
    assert mounting(mount_path=path) == []


def test_a_worker_pod_is_new_at_each_call_and_has_no_nulls() -> None:
    spec = spec_with()
    worker_pod(a_name(), spec)["containers"].clear()

    assert "null" not in json.dumps(worker_pod(a_name(), spec))
    assert len(worker_pod(a_name(), spec)["containers"]) == 2
