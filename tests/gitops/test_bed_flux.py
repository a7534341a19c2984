"""Flux's expressions over every state, judged by the CEL of a real kube-apiserver.

Flux evaluates them over the object. Here each is the rule of a CRD with the same fields: an object that the API server
takes is one for which the expression holds. `metadata.generation` cannot be read by such a rule, so it is a field.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from spout_operator.core.conditions import TRUE
from spout_testbed import Testbed
from tests.gitops.states import GENERATION, states

FLUX = Path(__file__).parents[2] / "deploy" / "flux"
GROUP = "flux.test"


def expressions() -> dict[str, str]:
    """What flux/spouts-with-expressions.yaml says, by inProgress, failed and current."""
    kustomization = yaml.safe_load((FLUX / "spouts-with-expressions.yaml").read_text())
    (found,) = kustomization["spec"]["healthCheckExprs"]
    assert (found.pop("apiVersion"), found.pop("kind")) == ("spout-operator.io/v1alpha1", "Spout")
    return dict(found)


@pytest.fixture(scope="module")
def bed() -> Iterator[Testbed]:
    with Testbed.start() as bed:
        for name, expression in expressions().items():
            bed.kubectl("apply", "-f", "-", input=json.dumps(_crd(name.lower(), expression)))
            bed.kubectl("wait", "--for=condition=Established", f"crd/{name.lower()}s.{GROUP}", "--timeout=30s")
        yield bed


def holds(bed: Testbed, name: str) -> dict[str, bool]:
    """For every state: whether an expression holds, and `NAME, changed` for a newer generation than was observed."""
    cases = [(state, changed) for state in states() for changed in (False, True)]
    items = [
        {
            "apiVersion": f"{GROUP}/v1",
            "kind": name.capitalize(),
            "metadata": {"name": f"case-{number}", "namespace": "default"},
            "generation": GENERATION + changed,
            "status": {key: state.body["status"][key] for key in ("observedGeneration", "conditions")},
        }
        for number, (state, changed) in enumerate(cases)
    ]
    listing = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    done = bed.kubectl("create", "--dry-run=server", "-f", "-", input=listing, check=False)
    taken = {int(number) for number in re.findall(r"case-(\d+) created \(server dry run\)", done.stdout)}
    refused = done.stderr.count("does not hold")
    assert len(taken) + refused == len(cases), done.stderr
    return {f"{state.name}{', changed' * changed}": index in taken for index, (state, changed) in enumerate(cases)}


def test_in_progress_holds_until_the_change_is_observed(bed: Testbed) -> None:
    found = holds(bed, "inprogress")
    assert {name for name, is_so in found.items() if is_so} == {name for name in found if name.endswith(", changed")}


def test_failed_holds_where_a_person_has_to_act(bed: Testbed) -> None:
    found = holds(bed, "failed")
    assert {state.name: found[state.name] for state in states()} == {state.name: state.stalled for state in states()}


def test_current_holds_where_the_spout_is_ready(bed: Testbed) -> None:
    found = holds(bed, "current")
    wanted = {state.name: state.ready == TRUE for state in states()}
    assert {state.name: found[state.name] for state in states()} == wanted


def _crd(name: str, expression: str) -> dict[str, object]:
    rule = re.sub(r"(?<![\w.])status\.", "self.status.", expression.replace("metadata.generation", "self.generation"))
    text = {"type": "string", "maxLength": 2048}
    known = {"type": text, "status": text}
    condition = {"type": "object", "properties": known, "x-kubernetes-preserve-unknown-fields": True}
    conditions = {"type": "array", "maxItems": 8, "items": condition}
    status = {"type": "object", "properties": {"observedGeneration": {"type": "integer"}, "conditions": conditions}}
    schema = {
        "type": "object",
        "properties": {"generation": {"type": "integer"}, "status": status},
        "x-kubernetes-validations": [{"rule": rule, "message": "does not hold"}],
    }
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": name.capitalize(), "plural": f"{name}s", "singular": name}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{name}s.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }
