"""The chart's values: each is in the schema, has an effect, and is refused where it is wrong."""

import importlib.util
import json
from collections.abc import Iterator, Mapping
from functools import cache, reduce
from typing import Any

import jsonschema
import pytest
import yaml

from tests.packaging.chart.charts import CHART, HELMS, ROOT, Helm, of_kind, rendered, template

SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
DEFAULTS: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
#: In the schema and not in values.yaml: what Helm and parent charts pass to this chart.
HANDED_DOWN = {"global", "enabled"}

helms = pytest.mark.parametrize("helm", HELMS)


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


LEAVES = list(leaves(SCHEMA, DEFAULTS))


def test_the_schema_lists_exactly_the_values() -> None:
    def shape(schema: Mapping[str, Any], values: Any) -> None:
        if schema.get("properties") and isinstance(values, dict) and schema.get("additionalProperties") is False:
            extra = set(schema["properties"]) - set(values) - HANDED_DOWN - {"claims"}
            assert not extra, f"in the schema only: {extra}"
            for name, value in values.items():
                shape(schema["properties"][name], value)

    shape(SCHEMA, DEFAULTS)


#: Everything that is off by default, switched on.
SWITCHED_ON: dict[str, Any] = {
    "pachyderm": {"tokenSecret": {"name": "token"}, "caSecret": {"name": "ca"}},
    "serviceAccount": {"name": "account"},
    "networkPolicy": {"enabled": True},
    "podDisruptionBudget": {"enabled": True},
    "metrics": {name: {"enabled": True} for name in ("podMonitor", "serviceMonitor", "prometheusRule")}
    | {"grafanaDashboard": {"enabled": True}},
}
A_MAP = {"example.org/a": "b"}
#: Another value for each that is neither a switch nor a number.
OTHER: dict[str, Any] = {
    "nameOverride": "other",
    "fullnameOverride": "other",
    "commonLabels": A_MAP,
    "pachyderm.address": "grpcs://other:1",
    "pachyderm.tokenSecret.name": "other",
    "pachyderm.tokenSecret.key": "other",
    "pachyderm.caSecret.name": "other",
    "pachyderm.caSecret.key": "other",
    "watchNamespaces": ["ingest"],
    "clusterId": "other",
    "logFormat": "text",
    "logLevel": "debug",
    "crds.annotations": A_MAP,
    "policy.preset": "trusted",
    "policy.rules": [{"namespaces": ["team-a"]}],
    "serviceAccount.name": "other",
    "serviceAccount.annotations": A_MAP,
    "image.registry": "registry.example",
    "image.repository": "other",
    "image.tag": "other",
    "image.digest": f"sha256:{'a' * 64}",
    "image.pullPolicy": "Always",
    "imagePullSecrets": [{"name": "registry"}],
    "resources": {"requests": {"cpu": "1"}, "limits": None},
    "podAnnotations": A_MAP,
    "podLabels": A_MAP,
    "priorityClassName": "high",
    "nodeSelector": A_MAP,
    "tolerations": [{"operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "topologySpreadConstraints": [{"maxSkew": 1}],
    "extraEnv": [{"name": "A", "value": "b"}],
    "extraVolumes": [{"name": "more", "emptyDir": {}}],
    "extraVolumeMounts": [{"name": "more", "mountPath": "/more"}],
    "extraObjects": [{"kind": "ConfigMap"}],
    "networkPolicy.apiServerPorts": [8443],
    "networkPolicy.scrapeFrom": [{"podSelector": {}}],
    "networkPolicy.extraEgress": [{"ports": [{"port": 5353}]}],
    "metrics.podMonitor.interval": "1m",
    "metrics.podMonitor.labels": A_MAP,
    "metrics.serviceMonitor.interval": "1m",
    "metrics.serviceMonitor.labels": A_MAP,
    "metrics.prometheusRule.labels": A_MAP,
    "metrics.prometheusRule.disabled": ["SpoutStalled"],
    "metrics.grafanaDashboard.labels": A_MAP,
    "tracing.endpoint": "https://collector.example",
}


def merged(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        key: merged(base[key], more[key])
        for key in base.keys() & more.keys()
        if isinstance(base[key], Mapping) and isinstance(more[key], Mapping)
    }
    return {**base, **more, **both}


def at(path: str, value: object) -> dict[str, Any]:
    """The values that set one leaf."""
    for name in reversed(path.split(".")):
        value = {name: value}
    assert isinstance(value, dict)
    return value


def output(values: Mapping[str, Any]) -> str:
    done = template("helm4", "--values", "-", values=yaml.safe_dump(dict(values)))
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def with_all_switched_on() -> str:
    return output(SWITCHED_ON)


@pytest.mark.parametrize("path", LEAVES)
def test_every_value_changes_the_manifests(path: str) -> None:
    default = reduce(lambda found, name: found[name], path.split("."), merged(DEFAULTS, SWITCHED_ON))
    if isinstance(default, bool):
        other: object = not default
    elif isinstance(default, int | float):
        other = default + 1
    else:
        other = OTHER[path]
    assert output(merged(SWITCHED_ON, at(path, other))) != with_all_switched_on()


def test_the_schema_is_a_draft_7_schema_that_takes_the_defaults() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    jsonschema.validate(DEFAULTS, SCHEMA, cls=jsonschema.Draft7Validator)


def test_the_chart_can_be_a_subchart_with_a_condition() -> None:
    assert of_kind(rendered("helm4", "--set", "enabled=true"), "Deployment")


WRONG = [
    ("replica=2", "replica", "a value that does not exist"),
    ("replicas=two", "replicas", "text for a number"),
    ("replicas=-1", "replicas", "fewer than none"),
    ("fullnameOverride=UPPER", "fullnameOverride", "a name that cannot be"),
    ("nameOverride=spouts!", "nameOverride", "a label that cannot be"),
    ("pachyderm.address=pachd:650", "address", "an address without a scheme"),
    ("pachyderm.address=grpc://pachd", "address", "an address without a port"),
    ("pachyderm.address=grpc://pachd:65536", "address", "an address with a port that there is not"),
    ("pachyderm.address=grpc://my pachd:650", "address", "an address with a space"),
    ("pachyderm.adress=grpc://pachd:650", "adress", "a misspelt address"),
    ("pachyderm.tokenSecret=secret", "tokenSecret", "a Secret's name in place of name and key"),
    ("pachyderm.tokenSecret.name=My_Secret", "name", "a Secret's name that cannot be"),
    ("pachyderm.caSecret.key=a/b", "key", "a key that cannot be"),
    ("watchNamespaces=ingest", "watchNamespaces", "one namespace in place of a list"),
    ("watchNamespaces[0]=Ingest", "watchNamespaces", "a namespace that cannot be"),
    ("logFormat=yaml", "logFormat", "a format that there is not"),
    ("logLevel=trace", "logLevel", "a level that there is not"),
    ("image.digest=sha256:abc", "digest", "a digest that is cut"),
    ("image.pullPolicy=Sometimes", "pullPolicy", "a policy that there is not"),
    ("image.repository=", "repository", "no image"),
    ("resources.requests.cpu=lots", "cpu", "a quantity that is none"),
    ("pollInterval=0", "pollInterval", "looks without a pause"),
    ("quietInterval=0", "quietInterval", "looks without a pause at what is quiet"),
    ("showUserLogLines=21", "showUserLogLines", "more lines than the operator shows"),
    ("crds.keep=maybe", "keep", "neither yes nor no"),
    ("metrics.podMonitor.interval=30", "interval", "an interval without a unit"),
    ("metrics.prometheusRule.disabled[0]=SpoutStaled", "disabled", "a misspelt alert"),
    ("tracing.endpoint=collector:4317", "endpoint", "an endpoint that is no URL"),
    ("metrics.spoutSeriesLimit=-1", "spoutSeriesLimit", "fewer series than none"),
    ("networkPolicy.apiServerPorts[0]=70000", "apiServerPorts", "a port that there is not"),
]


@helms
@pytest.mark.parametrize(("value", "named"), [pytest.param(*row[:2], id=row[2]) for row in WRONG])
def test_a_wrong_value_is_refused_with_its_name(helm: Helm, value: str, named: str) -> None:
    done = template(helm, "--set", value)
    assert done.returncode != 0
    assert "values don't meet the specifications of the schema" in done.stderr
    assert named in done.stderr


@pytest.mark.parametrize(
    "value",
    [
        "pachyderm.address=grpc://[::1]:650",
        "pachyderm.address=grpcs://pachd.example:65535",
        "resources.requests.cpu=0.05",
        "resources.requests.memory=1Gi",
        "pachyderm.caSecret.key=tls.crt",
    ],
)
def test_an_unusual_but_valid_value_is_accepted(value: str) -> None:
    assert template("helm4", "--set", value).returncode == 0


@pytest.mark.parametrize("word", ["no", "on", "1234"])
def test_a_namespace_that_looks_like_a_boolean_or_a_number_stays_a_name(word: str) -> None:
    manifests = rendered("helm4", "--set-string", f"watchNamespaces[0]={word}")
    places = {
        one["metadata"]["namespace"]
        for one in of_kind(manifests, "Role")
        if one["metadata"]["name"] == "spout-operator"
    }
    assert places == {word}


def test_every_alert_can_be_disabled() -> None:
    known = SCHEMA["properties"]["metrics"]["properties"]["prometheusRule"]["properties"]["disabled"]["items"]["enum"]
    (group,) = yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())["groups"]
    assert known == [rule["alert"] for rule in group["rules"]]


def test_the_table_of_values_in_the_readme_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("readme", ROOT / "charts" / "readme.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = (CHART / "README.md").read_text()
    assert text == module.updated(text), "run: make generate"
