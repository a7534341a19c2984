"""The manifests of deploy/base: as few rights as the operator needs, and a Pod that a restricted namespace admits."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from spout_operator.process import policy_text
from spout_testbed.harness.operator_process import IMAGE

ROOT = Path(__file__).parents[3]
BASE = ROOT / "deploy" / "base"
OVERLAYS = ROOT / "deploy" / "overlays"
NAME = "spout-operator"

Manifest = dict[str, Any]


def _manifests(file: Path) -> list[Manifest]:
    return [manifest for manifest in yaml.safe_load_all(file.read_text()) if manifest]


def _only(kind: str, file: str) -> Manifest:
    (found,) = [manifest for manifest in _manifests(BASE / file) if manifest["kind"] == kind]
    return found


@pytest.fixture
def deployment() -> Manifest:
    return _only("Deployment", "deployment.yaml")


@pytest.fixture
def pod(deployment: Manifest) -> Manifest:
    spec: Manifest = deployment["spec"]["template"]["spec"]
    return spec


@pytest.fixture
def container(pod: Manifest) -> Manifest:
    (only,) = pod["containers"]
    assert isinstance(only, dict)
    return only


def test_each_file_is_part_of_the_base() -> None:
    (kustomization,) = _manifests(BASE / "kustomization.yaml")
    files = {file.name for file in BASE.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(kustomization["resources"]) == files | {"../../crds"}


def test_the_crds_are_a_kustomization_of_all_crds() -> None:
    (kustomization,) = _manifests(ROOT / "crds" / "kustomization.yaml")
    files = {file.name for file in (ROOT / "crds").glob("*.yaml")} - {"kustomization.yaml"}
    assert set(kustomization["resources"]) == files


def rights(*files: Path) -> dict[tuple[str, ...], list[str]]:
    """What the roles of these files grant: (namespace of the role, group, resource, names) with the verbs."""
    return {
        (role["metadata"].get("namespace", "*"), group, resource, *rule.get("resourceNames", [])): sorted(rule["verbs"])
        for file in files
        for role in _manifests(file)
        if role["kind"] in {"Role", "ClusterRole"}
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


COMMON: dict[tuple[str, ...], list[str]] = {
    ("*", "apiextensions.k8s.io", "customresourcedefinitions", "spouts.spout-operator.io"): ["get"],
    ("kube-system", "", "namespaces", "kube-system"): ["get"],
    (NAME, "coordination.k8s.io", "leases"): ["create"],
    (NAME, "coordination.k8s.io", "leases", NAME): ["get", "update"],
}
SPOUTS: dict[tuple[str, str], list[str]] = {
    ("spout-operator.io", "spouts"): ["get", "list", "patch", "watch"],
    ("spout-operator.io", "spouts/status"): ["patch"],
    ("events.k8s.io", "events"): ["create", "patch"],
}


def test_the_base_has_no_right_to_spouts() -> None:
    assert rights(BASE / "rbac.yaml") == COMMON


def spouts_in(place: str) -> dict[tuple[str, ...], list[str]]:
    return {(place, group, resource): verbs for (group, resource), verbs in SPOUTS.items()}


def test_cluster_wide_has_exactly_the_rights_it_uses() -> None:
    assert rights(OVERLAYS / "cluster-wide" / "rbac.yaml") == spouts_in("*")


def test_namespaced_has_the_same_in_its_namespace_only_and_may_see_whether_that_is_there() -> None:
    namespace = {("ingest", "", "namespaces", "ingest"): ["get"]}
    assert rights(OVERLAYS / "namespaced" / "ingest.yaml") == spouts_in("ingest") | namespace


def test_nobody_but_the_operator_gets_these_rights() -> None:
    files = [*BASE.glob("*.yaml"), *OVERLAYS.rglob("*.yaml")]
    manifests = [manifest for file in files for manifest in _manifests(file)]
    bindings = [manifest for manifest in manifests if manifest["kind"] in {"RoleBinding", "ClusterRoleBinding"}]
    account = {"kind": "ServiceAccount", "name": NAME, "namespace": NAME}
    assert len(bindings) == 5
    assert all(binding["subjects"] == [account] for binding in bindings)
    assert all(binding["roleRef"]["name"] == binding["metadata"]["name"] for binding in bindings)


def test_the_pod_runs_as_the_account_with_the_rights(pod: Manifest) -> None:
    assert pod["serviceAccountName"] == _only("ServiceAccount", "rbac.yaml")["metadata"]["name"]


def test_everything_lives_in_the_namespace_of_the_base(deployment: Manifest) -> None:
    account = _only("ServiceAccount", "rbac.yaml")
    places = {manifest["metadata"]["namespace"] for manifest in (deployment, account)}
    places |= {_only("Namespace", "namespace.yaml")["metadata"]["name"]}
    assert places == {NAME}


def test_a_restricted_namespace_admits_the_pod(pod: Manifest, container: Manifest) -> None:
    labels = _only("Namespace", "namespace.yaml")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    assert all({"emptyDir", "projected", "configMap"} & volume.keys() for volume in pod["volumes"])


def test_the_user_is_the_one_of_the_image(pod: Manifest) -> None:
    (line,) = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("USER ")]
    context = pod["securityContext"]
    assert line == f"USER {context['runAsUser']}:{context['runAsGroup']}"


def test_a_process_of_the_tests_has_what_the_image_sets() -> None:
    image = (ROOT / "Dockerfile").read_text().rpartition("FROM ")[2]
    assert all(f"{name}={value}" in image for name, value in IMAGE.items())


def test_the_container_has_a_folder_that_it_can_write_to(container: Manifest, pod: Manifest) -> None:
    (mount,) = [mount for mount in container["volumeMounts"] if not mount.get("readOnly")]
    assert mount["mountPath"] == "/tmp"  # noqa: S108 - what libraries expect on a read-only root
    assert any("emptyDir" in volume and volume["name"] == mount["name"] for volume in pod["volumes"])


def test_the_token_is_bound_to_the_pod_and_does_not_last(pod: Manifest) -> None:
    assert pod["automountServiceAccountToken"] is False
    (token,) = [volume["projected"] for volume in pod["volumes"] if "projected" in volume]
    assert token["sources"][0] == {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}}


def test_the_probes_ask_the_port_that_is_open(container: Manifest) -> None:
    probes = {name: container[f"{name}Probe"]["httpGet"] for name in ("liveness", "readiness", "startup")}
    assert {name: probe["path"] for name, probe in probes.items()} == {
        "liveness": "/livez",
        "readiness": "/readyz",
        "startup": "/livez",
    }
    assert {probe["port"] for probe in probes.values()} == {"http"}
    assert container["ports"] == [{"name": "http", "containerPort": 8080}]


def test_the_operator_acts_under_a_lease_of_its_own_namespace(container: Manifest) -> None:
    environment = {variable["name"]: variable for variable in container["env"]}
    assert environment["SPOUT_OPERATOR_LEASE"]["value"] == "$(POD_NAMESPACE)/spout-operator"
    assert environment["POD_NAMESPACE"]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.namespace"


def test_the_settings_are_the_ones_the_documentation_names(container: Manifest) -> None:
    assert container["args"] == ["run"]
    assert {variable["name"]: variable.get("value") for variable in container["env"]} == {
        "POD_NAMESPACE": None,
        "SPOUT_OPERATOR_LEASE": "$(POD_NAMESPACE)/spout-operator",
        "SPOUT_OPERATOR_PACHD_ADDRESS": "grpc://pachd.pachyderm:650",
        "SPOUT_OPERATOR_POLICY": "/etc/spout-operator/policy.yaml",
        "SPOUT_OPERATOR_LOG_FORMAT": "json",
    }


def test_the_policy_is_the_one_that_the_chart_has_by_default(pod: Manifest) -> None:
    (policy,) = _manifests(BASE / "policy.yaml")
    preset = ROOT / "charts" / "spout-operator" / "files" / "policies" / "restricted.yaml"
    assert list(policy["data"]) == ["policy.yaml"]
    assert policy_text.read(policy["data"]["policy.yaml"]) == policy_text.read(preset.read_text())
    (volume,) = [volume for volume in pod["volumes"] if volume["name"] == "policy"]
    assert volume["configMap"] == {"name": policy["metadata"]["name"]}


def test_a_new_policy_arrives_without_a_restart(container: Manifest) -> None:
    """The kubelet changes the files of a folder, never one that is mounted by `subPath`."""
    (mount,) = [mount for mount in container["volumeMounts"] if mount["name"] == "policy"]
    assert mount == {"name": "policy", "mountPath": "/etc/spout-operator", "readOnly": True}


def test_resources_are_asked_for_and_memory_is_bounded(container: Manifest) -> None:
    assert container["resources"] == {
        "requests": {"cpu": "50m", "memory": "128Mi"},
        "limits": {"memory": "256Mi"},
    }


def test_the_image_has_a_tag_that_stays(container: Manifest) -> None:
    (kustomization,) = _manifests(BASE / "kustomization.yaml")
    (image,) = kustomization["images"]
    assert image["name"] == container["image"]
    assert image["newTag"] != "latest"
