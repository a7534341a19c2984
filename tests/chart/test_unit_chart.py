"""The chart without a cluster: what Helm 3 and Helm 4 make of it, and what they refuse."""

import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from spout_testbed.programs import run
from tests.chart.charts import CHART, HELMS, ROOT, VALUES, Helm, Manifest, rendered, template, with_values

CRD = "spouts.spout-operator.io.yaml"
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
DEFAULTS: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())

helms = pytest.mark.parametrize("helm", HELMS)
all_values = pytest.mark.parametrize("values", VALUES, ids=lambda file: file.name.removesuffix("-values.yaml"))


def of_kind(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


def test_there_are_enough_kinds_of_values_and_each_file_says_what_it_is_for() -> None:
    assert len(VALUES) >= 12
    assert all(file.read_text().startswith("# ") for file in VALUES)


@helms
def test_lint_finds_nothing(helm: Helm) -> None:
    done = run(helm, "lint", "--strict", str(CHART), "--kube-version", "1.36.0")
    assert "1 chart(s) linted, 0 chart(s) failed" in done.stdout, done.stdout + done.stderr


@helms
@all_values
def test_every_kind_of_values_renders_with_every_object_in_its_place(helm: Helm, values: Path) -> None:
    manifests = rendered(helm, *with_values(values))
    names = [(one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]) for one in manifests]
    assert len(names) == len(set(names))
    assert of_kind(manifests, "Deployment")
    for manifest in manifests:
        labels = manifest["metadata"].get("labels", {})
        assert manifest["metadata"]["name"].endswith(("-extra", "-text")) or "helm.sh/chart" in labels


@all_values
def test_both_helms_render_the_same(values: Path) -> None:
    assert rendered("helm3", *with_values(values)) == rendered("helm4", *with_values(values))


def test_the_crd_is_the_one_of_the_project() -> None:
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
def test_what_becomes_of_the_crd_is_a_value(values: list[str], annotations: dict[str, str] | None) -> None:
    sets = [argument for value in values for argument in ("--set", value)]
    (crd,) = of_kind(rendered("helm4", *sets), "CustomResourceDefinition")
    assert crd["metadata"].get("annotations") == annotations


def test_no_crd_where_somebody_else_installs_it() -> None:
    assert not of_kind(rendered("helm4", "--set", "crds.install=false"), "CustomResourceDefinition")


# ---- values and their schema


def leaves(schema: Mapping[str, Any], values: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for name, value in values.items():
        inner = schema["properties"].get(name)
        assert inner is not None, f"{path}{name} is not in the schema"
        assert inner.get("description"), f"{path}{name} has no description"
        if inner.get("properties") and name != "resources":
            assert inner["additionalProperties"] is False
            yield from leaves(inner, value, f"{path}{name}.")
        else:
            yield f"{path}{name}"


def test_every_value_is_in_the_schema_and_nothing_else_is() -> None:
    def shape(schema: Mapping[str, Any], values: Any) -> None:
        if schema.get("properties") and isinstance(values, dict) and schema.get("additionalProperties") is False:
            extra = set(schema["properties"]) - set(values) - {"global", "claims"}
            assert not extra, f"in the schema only: {extra}"
            for name, value in values.items():
                shape(schema["properties"][name], value)

    assert list(leaves(SCHEMA, DEFAULTS))
    shape(SCHEMA, DEFAULTS)


def test_every_value_is_used_by_a_template() -> None:
    text = "".join(file.read_text() for file in (CHART / "templates").rglob("*") if file.is_file())
    for path in leaves(SCHEMA, DEFAULTS):
        *_, last = path.split(".")
        assert re.search(rf"\.{last}\b", text), f"{path} is used nowhere"


def test_the_schema_is_a_draft_7_schema_that_takes_the_defaults() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    jsonschema.validate(DEFAULTS, SCHEMA, cls=jsonschema.Draft7Validator)


WRONG = [
    ("replica=2", "replica", "a value that does not exist"),
    ("replicas=two", "replicas", "text for a number"),
    ("replicas=-1", "replicas", "fewer than none"),
    ("pachyderm.address=pachd:650", "address", "an address without a scheme"),
    ("pachyderm.address=grpc://pachd", "address", "an address without a port"),
    ("pachyderm.adress=grpc://pachd:650", "adress", "a misspelt address"),
    ("pachyderm.tokenSecret=secret", "tokenSecret", "a Secret's name in place of name and key"),
    ("watchNamespaces=ingest", "watchNamespaces", "one namespace in place of a list"),
    ("watchNamespaces[0]=Ingest", "watchNamespaces", "a namespace that cannot be"),
    ("logFormat=yaml", "logFormat", "a format that there is not"),
    ("logLevel=trace", "logLevel", "a level that there is not"),
    ("image.digest=sha256:abc", "digest", "a digest that is cut"),
    ("image.pullPolicy=Sometimes", "pullPolicy", "a policy that there is not"),
    ("image.repository=", "repository", "no image"),
    ("pollInterval=0", "pollInterval", "looks without a pause"),
    ("crds.keep=maybe", "keep", "neither yes nor no"),
    ("metrics.podMonitor.interval=30", "interval", "an interval without a unit"),
    ("tracing.endpoint=collector:4317", "endpoint", "an endpoint that is no URL"),
    ("metrics.spoutSeriesLimit=-1", "spoutSeriesLimit", "fewer series than none"),
    ("networkPolicy.apiServerPorts[0]=70000", "apiServerPorts", "a port that there is not"),
]


@helms
@pytest.mark.parametrize(("value", "named"), [pytest.param(*row[:2], id=row[2]) for row in WRONG])
def test_a_wrong_value_is_refused_by_its_name(helm: Helm, value: str, named: str) -> None:
    done = template(helm, "--set", value)
    assert done.returncode != 0
    assert "values don't meet the specifications of the schema" in done.stderr
    assert named in done.stderr


@helms
def test_an_account_that_is_not_made_has_to_be_named(helm: Helm) -> None:
    done = template(helm, "--set", "serviceAccount.create=false")
    assert "serviceAccount.name is needed where serviceAccount.create is false" in done.stderr


@helms
def test_an_older_kubernetes_is_refused(helm: Helm) -> None:
    done = template(helm, "--kube-version", "1.28.9")
    assert done.returncode != 0
    assert "requires kubeVersion: >=1.29.0-0" in done.stderr
    assert template(helm, "--kube-version", "1.29.1-gke.100").returncode == 0


# ---- what is rendered


def test_the_table_of_values_in_the_readme_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("readme", ROOT / "charts" / "readme.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = (CHART / "README.md").read_text()
    assert text == module.updated(text), "run: python charts/readme.py"


def test_the_versions_are_those_of_the_project() -> None:
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
    return own | {(place, "spout-operator.io", "spouts/status", "patch")}


CRD_READ = ("*", "apiextensions.k8s.io", "customresourcedefinitions", "get", "spouts.spout-operator.io")
LEASE = {
    ("spout-operator", "coordination.k8s.io", "leases", "create"),
    ("spout-operator", "coordination.k8s.io", "leases", "get", "spout-operator"),
    ("spout-operator", "coordination.k8s.io", "leases", "update", "spout-operator"),
}
CLUSTER_ID = ("kube-system", "", "namespaces", "get", "kube-system")


def test_cluster_wide_the_operator_has_these_rights_and_no_other() -> None:
    assert rules(rendered("helm4")) == spouts("*") | LEASE | {CRD_READ, CLUSTER_ID}


def test_for_some_namespaces_it_has_the_same_in_these_and_reads_one_crd_of_the_cluster() -> None:
    found = rules(rendered("helm4", *with_values(CHART / "ci" / "namespaced-values.yaml")))
    sight = {(name, "", "namespaces", "get", name) for name in ("ingest", "orders")}
    assert found == spouts("ingest") | spouts("orders") | sight | LEASE | {CRD_READ}


def test_people_get_their_rights_by_the_roles_they_have() -> None:
    found = {
        key.removeprefix("rbac.authorization.k8s.io/aggregate-to-"): sorted(role["rules"][0]["verbs"])
        for role in of_kind(rendered("helm4"), "ClusterRole")
        for key in role["metadata"]["labels"]
        if key.startswith("rbac.authorization.k8s.io/")
    }
    writes = ["create", "delete", "deletecollection", "patch", "update"]
    assert found == {"view": ["get", "list", "watch"], "edit": writes, "admin": writes}


@all_values
def test_the_pods_are_admitted_by_a_restricted_namespace(values: Path) -> None:
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


def test_the_settings_are_those_that_the_operator_knows() -> None:
    """As the command line says them itself."""
    known = set(re.findall(r'_PREFIX \+ "([A-Z_]+)"', (ROOT / "operator/spout_operator/cli.py").read_text()))
    set_by_chart: set[str] = set()
    for values in VALUES:
        (deployment,) = of_kind(rendered("helm4", *with_values(values)), "Deployment")
        names = {variable["name"] for variable in deployment["spec"]["template"]["spec"]["containers"][0]["env"]}
        set_by_chart |= {name.removeprefix("SPOUT_OPERATOR_") for name in names if name.startswith("SPOUT_OPERATOR_")}
    assert set_by_chart == known - {"HTTP_PORT"}


def test_an_image_has_registry_tag_and_digest() -> None:
    (deployment,) = of_kind(rendered("helm4", *with_values(CHART / "ci" / "digest-values.yaml")), "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"registry.example:5000/data/spout-operator:0.1.0@sha256:{'a' * 64}"


def test_alerts_that_are_disabled_are_left_out_and_all_others_are_there() -> None:
    (rule,) = of_kind(rendered("helm4", *with_values(CHART / "ci" / "monitored-values.yaml")), "PrometheusRule")
    wanted = yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())["groups"][0]["rules"]
    assert rule["spec"]["groups"][0]["rules"] == [one for one in wanted if one["alert"] != "SpoutWithoutNewCommits"]


def test_a_network_policy_lets_out_what_is_talked_to() -> None:
    (policy,) = of_kind(rendered("helm4", *with_values(CHART / "ci" / "networkpolicy-values.yaml")), "NetworkPolicy")
    ports = [port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]]
    assert ports == [53, 53, 443, 6443, 650, 4318]


# ---- what judges of manifests say

WAIVERS: dict[str, dict[str, str]] = yaml.safe_load((Path(__file__).parent / "waivers.yaml").read_text())


@pytest.mark.parametrize("name", ["default", "ha"])
def test_checkov_finds_nothing_that_is_not_waived(name: str, tmp_path: Path) -> None:
    done = template("helm4", *with_values(CHART / "ci" / f"{name}-values.yaml"))
    (tmp_path / "rendered.yaml").write_text(done.stdout)
    file = str(tmp_path / "rendered.yaml")
    found = run("checkov", "--file", file, "--framework", "kubernetes", "-o", "json", "--compact", "--quiet")
    report = json.loads(found.stdout)
    assert report["summary"]["passed"] > 100, found.stderr
    checks = report["results"]["failed_checks"]
    failed = {check["check_id"]: f"{check['check_name']}: {check['resource']}" for check in checks}
    assert failed.keys() <= WAIVERS["checkov"].keys(), failed


@pytest.mark.parametrize("name", ["default", "ha"])
def test_kube_score_finds_nothing_critical_that_is_not_waived(name: str, tmp_path: Path) -> None:
    done = template("helm4", *with_values(CHART / "ci" / f"{name}-values.yaml"))
    (tmp_path / "rendered.yaml").write_text(done.stdout)
    found = run("kube-score", "score", "--output-format", "json", str(tmp_path / "rendered.yaml"))
    report = json.loads(found.stdout)
    critical = 1
    failed = {
        check["check"]["id"]: f"{scored['object_name']}: {[comment['summary'] for comment in check['comments'] or []]}"
        for scored in report
        for check in scored["checks"]
        if check["grade"] == critical and not check["skipped"]
    }
    assert {"Deployment", "Service"} <= {scored["type_meta"]["kind"] for scored in report}, found.stderr
    assert failed.keys() <= WAIVERS["kube-score"].keys(), failed


def test_each_waiver_has_a_reason() -> None:
    assert all(reason for waivers in WAIVERS.values() for reason in waivers.values())
