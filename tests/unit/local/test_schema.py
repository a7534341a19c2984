"""run-local refuses what the API server refuses. The table is the one that is tested on a real kube-apiserver."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from spout_operator.local import cel, schema
from spout_testbed.harness.bodies import a_spout
from tests.integration.crd.test_accepted_specs import ROWS as ACCEPTED
from tests.integration.crd.test_accepted_specs import Row as AcceptedRow
from tests.integration.crd.test_refused_specs import ROWS, Row

CRD = Path(__file__).parents[3] / "crds" / "spouts.spout-operator.io.yaml"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_each_refusal_of_the_api_server_is_one_here_at_the_same_field_in_the_same_words(row: Row) -> None:
    found = schema.findings(a_spout(row.changes, name=row.name))
    assert len(found) == 1, found
    field, _, message = found[0].partition(": ")
    assert (field, row.says in message) == (row.at, True), found


@pytest.mark.parametrize("row", ACCEPTED, ids=lambda row: row.id)
def test_what_the_api_server_accepts_is_accepted_here(row: AcceptedRow) -> None:
    assert schema.findings(a_spout(row.changes, name=row.name)) == []


def rules(node: object) -> Iterator[Mapping[str, Any]]:
    """All rules of the CRD, wherever they stand."""
    if isinstance(node, dict):
        yield from node.get("x-kubernetes-validations", ())
        for child in node.values():
            yield from rules(child)
    elif isinstance(node, list):
        for child in node:
            yield from rules(child)


def test_every_expression_of_the_crd_can_be_evaluated() -> None:
    expressions = [
        rule[field]
        for rule in rules(yaml.safe_load(CRD.read_text()))
        for field in ("rule", "messageExpression")
        if field in rule
    ]
    assert len(expressions) > 50
    for expression in expressions:
        cel.parse(expression)


def test_a_field_that_the_schema_does_not_have_is_named() -> None:
    assert schema.findings(a_spout({"transform.imag": "x"})) == [
        'spec.transform.imag: unknown field "spec.transform.imag"'
    ]


@pytest.mark.parametrize(
    "expression", ["self.unknown()", "type(self)", "self ==", "self ~ 1"], ids=["method", "function", "end", "sign"]
)
def test_an_expression_that_uses_more_of_cel_is_refused_and_not_guessed(expression: str) -> None:
    with pytest.raises(cel.NotSupported):
        cel.parse(expression)
