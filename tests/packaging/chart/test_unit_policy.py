"""The policy of the chart: the file that the operator reads, what the values may say, and what a person is told."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from spout_operator.core import policy
from spout_operator.process import policy_text
from spout_testbed.programs import run
from tests.packaging.chart.charts import (
    CHART,
    HELMS,
    NAMESPACE,
    RELEASE,
    VALUES,
    Helm,
    Manifest,
    of_kind,
    rendered,
    template,
    with_values,
)

FOLDER, FILE = "/etc/spout-operator", "policy.yaml"
TEAM = {"namespaces": ["team-a"]}
ODD_NAMES = {"namespaces": ["no", "12", "1e3", "0x1f", "null", "2026-01-31", "?", "-"]}
RESTRICTED = {"namespaces": ["*"], "pipelineNames": ["*"], "projects": ["*"], "serviceTypes": ["ClusterIP"]}
TRUSTED = RESTRICTED | {"serviceTypes": ["ClusterIP", "NodePort", "LoadBalancer"], "secrets": ["*"], "podPatch": True}

helms = pytest.mark.parametrize("helm", HELMS)


def manifests(helm: Helm, values: dict[str, Any] | None) -> list[Manifest]:
    """The chart with these values below `policy`."""
    done = template(helm, "--values", "-", values=json.dumps({"policy": values}))
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


def file_of(found: list[Manifest]) -> str:
    (config_map,) = of_kind(found, "ConfigMap")
    assert config_map["metadata"]["name"].endswith("-policy")
    assert list(config_map["data"]) == [FILE]
    text: str = config_map["data"][FILE]
    return text


@helms
@pytest.mark.parametrize(
    ("values", "rules"),
    [
        pytest.param({}, [RESTRICTED], id="secure by default"),
        pytest.param({"preset": "restricted"}, [RESTRICTED], id="restricted"),
        pytest.param({"preset": "trusted"}, [TRUSTED], id="trusted"),
        pytest.param({"preset": "trusted", "rules": [TEAM]}, [TEAM], id="rules are the whole policy"),
        pytest.param({"rules": [TEAM, TRUSTED]}, [TEAM, TRUSTED], id="several rules in their order"),
        pytest.param({"rules": [ODD_NAMES]}, [ODD_NAMES], id="names that YAML may read as something else stay names"),
        pytest.param(None, [RESTRICTED], id="values of an older release, as --reuse-values takes them"),
    ],
)
def test_the_values_give_the_policy(helm: Helm, values: dict[str, Any] | None, rules: list[dict[str, Any]]) -> None:
    text = file_of(manifests(helm, values))
    assert yaml.safe_load(text) == {"rules": rules}
    assert len(policy_text.read(text).rules) == len(rules), "the operator reads it"


@pytest.mark.parametrize("values", VALUES, ids=lambda file: file.name.removesuffix("-values.yaml"))
def test_the_operator_reads_the_policy_of_every_values_file(values: Path) -> None:
    found = [one for one in rendered("helm4", *with_values(values)) if one["metadata"]["name"].endswith("-policy")]
    assert policy_text.read(file_of(found)).rules


def test_the_default_is_the_policy_that_the_operator_has_without_a_file() -> None:
    assert policy_text.read(file_of(manifests("helm4", {}))) == policy.RESTRICTED


def test_the_policy_is_mounted_as_a_folder_so_that_a_change_arrives_without_a_restart() -> None:
    """The kubelet never changes a file that is mounted by `subPath`. A checksum in the Pod would restart it."""
    found = rendered("helm4")
    (deployment,) = of_kind(found, "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (volume,) = [one for one in pod["volumes"] if one["name"] == "policy"]
    (mount,) = [one for one in container["volumeMounts"] if one["name"] == "policy"]
    (variable,) = [one for one in container["env"] if one["name"] == "SPOUT_OPERATOR_POLICY"]
    assert volume == {"name": "policy", "configMap": {"name": f"{RELEASE}-policy"}}
    assert mount == {"name": "policy", "mountPath": FOLDER, "readOnly": True}
    assert variable["value"] == f"{FOLDER}/{FILE}"


def test_another_policy_does_not_change_the_pod() -> None:
    (one,), (other,) = (
        of_kind(manifests("helm4", {"preset": name}), "Deployment") for name in ("restricted", "trusted")
    )
    assert one == other


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"preset": "open"}, "/policy/preset", "a preset that there is not"),
    ({"presets": "trusted"}, "presets", "a misspelt field of the policy"),
    ({"rules": TEAM}, "/policy/rules", "one rule in place of a list"),
    ({"rules": ["team-a"]}, "/policy/rules/0", "a name in place of a rule"),
    ({"rules": [{"secrets": ["kafka"]}]}, "namespaces", "a rule that is for nobody"),
    ({"rules": [{"namespaces": []}]}, "/policy/rules/0/namespaces", "a rule that is for no namespace"),
    ({"rules": [{"namespaces": "team-a"}]}, "/policy/rules/0/namespaces", "one namespace in place of a list"),
    ({"rules": [{"namespaces": ["Team-A"]}]}, "/namespaces/0", "a namespace that cannot be"),
    ({"rules": [{"namespaces": ["a", "a"]}]}, "/namespaces", "a namespace twice"),
    ({"rules": [{"namespaces": [""]}]}, "/namespaces/0", "a namespace without a name"),
    ({"rules": [{"namespaces": [12]}]}, "/namespaces/0", "a number, which needs quotation marks"),
    ({"rules": [TEAM | {"pipelineNames": ["my_spout"]}]}, "/pipelineNames/0", "a pipeline name that cannot be"),
    ({"rules": [TEAM | {"pipelineNames": ["a" * 52]}]}, "/pipelineNames/0", "a pipeline name that is too long"),
    ({"rules": [TEAM | {"projects": ["a"]}]}, "pipelineNames", "projects without names"),
    ({"rules": [TEAM | {"pipelineNames": ["*"], "projects": ["a/b"]}]}, "/projects/0", "a project that cannot be"),
    ({"rules": [TEAM | {"secrets": ["Kafka"]}]}, "/secrets/0", "a Secret that cannot be"),
    ({"rules": [TEAM | {"secrets": ["[ab]"]}]}, "/secrets/0", "a set of characters, which no glob has"),
    ({"rules": [TEAM | {"secrets": True}]}, "/secrets", "a switch in place of names"),
    ({"rules": [TEAM | {"serviceTypes": ["*"]}]}, "/serviceTypes/0", "a glob of types"),
    ({"rules": [TEAM | {"serviceTypes": ["ExternalName"]}]}, "/serviceTypes/0", "a type that Pachyderm does not have"),
    ({"rules": [TEAM | {"podPatch": "yes"}]}, "/podPatch", "text for a switch"),
    ({"rules": [TEAM | {"podpatch": True}]}, "podpatch", "a field in another spelling"),
    ({"rules": [TEAM | {"deny": ["kafka"]}]}, "deny", "a rule that refuses: rules only allow"),
]


@helms
@pytest.mark.parametrize(("values", "named"), [pytest.param(*row[:2], id=row[2]) for row in WRONG])
def test_a_wrong_policy_is_refused_with_its_place(helm: Helm, values: dict[str, Any], named: str) -> None:
    done = template(helm, "--values", "-", values=json.dumps({"policy": values}))
    assert done.returncode != 0
    assert "values don't meet the specifications of the schema" in done.stderr
    assert named in done.stderr


@pytest.mark.parametrize(
    ("values", "told"),
    [
        pytest.param({}, ["restricted: Spouts use no Secrets", "policy.preset=trusted"], id="what is closed"),
        pytest.param({"preset": "trusted"}, ["can read every Secret", "policy.preset=restricted"], id="what is open"),
        pytest.param({"rules": [TEAM]}, ["the list policy.rules", "PolicyDenied"], id="the rules of one's own"),
    ],
)
def test_the_install_notes_say_which_policy_is_in_force_and_how_to_change_it(
    values: dict[str, Any], told: list[str]
) -> None:
    """A client-side dry run renders the notes, which `helm template` leaves out."""
    arguments = ("install", RELEASE, str(CHART), "--namespace", NAMESPACE, "--dry-run=client", "--values", "-")
    done = run("helm4", *arguments, input=json.dumps({"policy": values}))
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("The policy in force is")]
    assert [words for words in told if words not in line] == [], done.stderr


def test_the_example_in_the_readme_is_a_policy_of_the_chart() -> None:
    section = (CHART / "README.md").read_text().partition("### Who may create Spouts")[2].partition("\n### ")[0]
    (example,) = re.findall(r"^```yaml\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    values = yaml.safe_load(example)["policy"]
    text = file_of(manifests("helm4", values))
    assert yaml.safe_load(text) == values
    assert len(policy_text.read(text).rules) == len(values["rules"])
