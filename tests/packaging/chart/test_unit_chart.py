"""The chart without a cluster: what Helm 3 and Helm 4 render, and what they refuse."""

import re
import time
from pathlib import Path

import pytest
import yaml

from spout_testbed.programs import run
from tests.packaging.chart.charts import (
    CHART,
    HELMS,
    ROOT,
    VALUES,
    Helm,
    Manifest,
    of_kind,
    rendered,
    template,
    with_values,
)

CRD = "spouts.spout-operator.io.yaml"

helms = pytest.mark.parametrize("helm", HELMS)
all_values = pytest.mark.parametrize("values", VALUES, ids=lambda file: file.name.removesuffix("-values.yaml"))


def test_the_values_files_are_at_least_twelve_and_say_what_they_are_for() -> None:
    assert len(VALUES) >= 12
    assert all(file.read_text().startswith("# ") for file in VALUES)


@helms
def test_helm_lint_finds_nothing(helm: Helm) -> None:
    done = run(helm, "lint", "--strict", str(CHART), "--kube-version", "1.36.0")
    assert "1 chart(s) linted, 0 chart(s) failed" in done.stdout, done.stdout + done.stderr


@helms
@all_values
def test_every_values_file_renders_objects_with_unique_names_and_chart_labels(helm: Helm, values: Path) -> None:
    manifests = rendered(helm, *with_values(values))
    names = [(one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]) for one in manifests]
    assert len(names) == len(set(names))
    assert of_kind(manifests, "Deployment")
    for manifest in manifests:
        labels = manifest["metadata"].get("labels", {})
        assert manifest["metadata"]["name"].endswith(("-extra", "-text")) or "helm.sh/chart" in labels


@all_values
def test_helm_3_and_helm_4_render_the_same_manifests(values: Path) -> None:
    assert rendered("helm3", *with_values(values)) == rendered("helm4", *with_values(values))


def test_the_crd_of_the_chart_equals_the_one_in_crds() -> None:
    assert (CHART / "files" / "crds" / CRD).read_bytes() == (ROOT / "crds" / CRD).read_bytes()


@helms
def test_the_rendered_crd_is_the_same_but_for_labels_and_annotations(helm: Helm) -> None:
    (found,) = of_kind(rendered(helm), "CustomResourceDefinition")
    (wanted,) = [one for one in yaml.safe_load_all((ROOT / "crds" / CRD).read_text()) if one]
    assert found["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
    assert found["metadata"].pop("labels")
    assert found == wanted


@pytest.mark.parametrize(
    ("values", "annotations"),
    [
        pytest.param([], {"helm.sh/resource-policy": "keep"}, id="kept"),
        pytest.param(["crds.keep=false"], None, id="goes with the release"),
        pytest.param(
            ["crds.annotations.a=b"], {"a": "b", "helm.sh/resource-policy": "keep"}, id="annotations of the user's"
        ),
    ],
)
def test_a_value_sets_the_annotations_of_the_crd(values: list[str], annotations: dict[str, str] | None) -> None:
    sets = [argument for value in values for argument in ("--set", value)]
    (crd,) = of_kind(rendered("helm4", *sets), "CustomResourceDefinition")
    assert crd["metadata"].get("annotations") == annotations


def test_the_crd_is_left_out_where_crds_install_is_false() -> None:
    assert not of_kind(rendered("helm4", "--set", "crds.install=false"), "CustomResourceDefinition")


@helms
def test_a_service_account_that_is_not_created_has_to_be_named(helm: Helm) -> None:
    done = template(helm, "--set", "serviceAccount.create=false")
    assert "serviceAccount.name is required if serviceAccount.create is false" in done.stderr


@helms
def test_an_older_kubernetes_is_refused(helm: Helm) -> None:
    done = template(helm, "--kube-version", "1.28.9")
    assert done.returncode != 0
    assert "requires kubeVersion: >=1.29.0-0" in done.stderr
    assert template(helm, "--kube-version", "1.29.1-gke.100").returncode == 0


@helms
def test_the_chart_renders_in_under_two_seconds(helm: Helm) -> None:
    """It takes a tenth of that. The best of three counts, so that a busy machine does not fail the test."""
    took = []
    for _ in range(3):
        begin = time.monotonic()
        rendered(helm)
        took.append(time.monotonic() - begin)
    assert min(took) < 2, took


def test_the_app_version_is_the_version_of_the_project() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    (version,) = re.findall(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert chart["appVersion"] == version


def rules(manifests: list[Manifest]) -> set[tuple[str, ...]]:
    """What the operator's own roles grant: (place, group, resource, verb, names)."""
    return {
        (role["metadata"].get("namespace", "*"), group, resource, verb, *rule.get("resourceNames", []))
        for role in of_kind(manifests, "Role", "ClusterRole")
        if not re.search("-test$|-aggregate-to-", role["metadata"]["name"])
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def spouts(place: str) -> set[tuple[str, ...]]:
    own = {(place, "spout-operator.io", "spouts", verb) for verb in ("get", "list", "watch", "patch")}
    events = {(place, "events.k8s.io", "events", verb) for verb in ("create", "patch")}
    return own | events | {(place, "spout-operator.io", "spouts/status", "patch")}


CRD_READ = ("*", "apiextensions.k8s.io", "customresourcedefinitions", "get", "spouts.spout-operator.io")
LEASE = {
    ("spout-operator", "coordination.k8s.io", "leases", "create"),
    ("spout-operator", "coordination.k8s.io", "leases", "get", "spout-operator"),
    ("spout-operator", "coordination.k8s.io", "leases", "update", "spout-operator"),
}
CLUSTER_ID = ("kube-system", "", "namespaces", "get", "kube-system")


def test_a_cluster_wide_operator_has_exactly_these_rights() -> None:
    assert rules(rendered("helm4")) == spouts("*") | LEASE | {CRD_READ, CLUSTER_ID}


def test_an_operator_for_some_namespaces_has_rights_in_these_and_reads_one_crd() -> None:
    found = rules(rendered("helm4", *with_values(CHART / "ci" / "namespaced-values.yaml")))
    sight = {(name, "", "namespaces", "get", name) for name in ("ingest", "orders")}
    assert found == spouts("ingest") | spouts("orders") | sight | LEASE | {CRD_READ}


READS, WRITES = ["get", "list", "watch"], ["create", "delete", "deletecollection", "patch", "update"]


@pytest.mark.parametrize(
    ("sets", "granted"),
    [
        pytest.param((), {"view": READS}, id="to see Spouts, and no more: who makes one runs code beside Pachyderm"),
        pytest.param(
            ("--set", "rbac.aggregateToEdit=true,rbac.aggregateToAdmin=true"),
            {"view": READS, "edit": WRITES, "admin": WRITES},
            id="to make Spouts where the values say so",
        ),
        pytest.param(("--set", "rbac.aggregateToView=false"), {}, id="nothing where the values say so"),
    ],
)
def test_aggregated_roles_grant_people_rights_to_spouts(sets: tuple[str, ...], granted: dict[str, list[str]]) -> None:
    found = {
        key.removeprefix("rbac.authorization.k8s.io/aggregate-to-"): sorted(role["rules"][0]["verbs"])
        for role in of_kind(rendered("helm4", *sets), "ClusterRole")
        for key in role["metadata"]["labels"]
        if key.startswith("rbac.authorization.k8s.io/")
    }
    assert found == granted


@all_values
def test_the_pods_meet_the_restricted_pod_security_standard(values: Path) -> None:
    manifests = rendered("helm4", *with_values(values))
    (deployment,), (pod,) = of_kind(manifests, "Deployment"), of_kind(manifests, "Pod")
    for spec in (deployment["spec"]["template"]["spec"], pod["spec"]):
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 10_000
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


def test_the_chart_sets_every_variable_that_the_operator_reads_but_the_port() -> None:
    """The variables are read from the source of the command line."""
    package = ROOT / "operator" / "spout_operator"
    code = "".join((package / file).read_text() for file in ("cli.py", "commands/options.py"))
    known = set(re.findall(r'PREFIX \+ "([A-Z_]+)"', code))
    set_by_chart: set[str] = set()
    for values in VALUES:
        (deployment,) = of_kind(rendered("helm4", *with_values(values)), "Deployment")
        names = {variable["name"] for variable in deployment["spec"]["template"]["spec"]["containers"][0]["env"]}
        set_by_chart |= {name.removeprefix("SPOUT_OPERATOR_") for name in names if name.startswith("SPOUT_OPERATOR_")}
    assert set_by_chart == known - {"HTTP_PORT"}


def test_an_image_has_registry_tag_and_digest() -> None:
    (deployment,) = of_kind(rendered("helm4", *with_values(CHART / "ci" / "digest-values.yaml")), "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"registry.example:5000/data/spout-operator:1.2.3@sha256:{'a' * 64}"


def test_disabled_alerts_are_left_out_and_all_others_are_rendered() -> None:
    (rule,) = of_kind(rendered("helm4", *with_values(CHART / "ci" / "monitored-values.yaml")), "PrometheusRule")
    wanted = yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())["groups"][0]["rules"]
    assert rule["spec"]["groups"][0]["rules"] == [one for one in wanted if one["alert"] != "SpoutWithoutNewCommits"]


def test_the_network_policy_allows_egress_to_everything_the_operator_calls() -> None:
    (policy,) = of_kind(rendered("helm4", *with_values(CHART / "ci" / "networkpolicy-values.yaml")), "NetworkPolicy")
    ports = [port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]]
    assert ports == [53, 53, 443, 6443, 650, 4318, 5353]


def test_the_network_policy_allows_ingress_from_monitoring_and_from_helm_test() -> None:
    manifests = rendered("helm4", *with_values(CHART / "ci" / "networkpolicy-values.yaml"))
    (policy,), (pod,) = of_kind(manifests, "NetworkPolicy"), of_kind(manifests, "Pod")
    (rule,) = policy["spec"]["ingress"]
    monitoring, tests = rule["from"]
    assert monitoring == {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    assert tests["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert not policy["spec"]["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()


def test_the_pod_of_the_chart_equals_the_one_of_deploy_base() -> None:
    """What tests/packaging/deploy shows of that Pod (probes, token, resources, user) holds for the chart's too."""
    (deployment,) = of_kind(rendered("helm4"), "Deployment")
    base = yaml.safe_load((ROOT / "deploy" / "base" / "deployment.yaml").read_text())

    def comparable(found: Manifest) -> Manifest:
        pod: Manifest = found["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        # The source of the image, and what values with defaults set.
        for name in ("image", "imagePullPolicy", "env"):
            container.pop(name, None)
        (downward,) = [
            source["downwardAPI"]
            for volume in pod["volumes"]
            for source in volume.get("projected", {}).get("sources", ())
            if "downwardAPI" in source
        ]
        downward["items"][0]["fieldRef"].pop("apiVersion", None)
        return pod

    assert comparable(deployment) == comparable(base)


def test_helm_test_needs_no_role_where_the_chart_makes_none() -> None:
    manifests = rendered("helm4", *with_values(CHART / "ci" / "no-rbac-values.yaml"))
    assert {one["kind"] for one in manifests} == {"ConfigMap", "Deployment", "Service", "Pod"}
    (pod,) = of_kind(manifests, "Pod")
    (container,) = pod["spec"]["containers"]
    assert container["args"] == ["check", "--url=http://spout-operator.spout-operator.svc:8080"]
    assert pod["spec"]["serviceAccountName"] == "spouts"
