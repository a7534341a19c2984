"""The policy file of a running operator: a bad one changes nothing and is told; without a good one none starts."""

import dataclasses
from collections.abc import Callable

import pytest

from spout_testbed.harness.bodies import a_spec
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually

RULES = """\
rules:
- namespaces: ['*']
  pipelineNames: ['*']
  podPatch: {pod_patch}
"""
LOOSE, TIGHT = RULES.format(pod_patch="true"), RULES.format(pod_patch="false")
PATCHED = a_spec({"podPatch": "[]"})


@pytest.fixture
def policy() -> str:
    return LOOSE


def is_valid(operator: OperatorProcess) -> bool:
    """What the metric says of the file."""
    lines = operator.get("/metrics").splitlines()
    (value,) = (line.split()[1] for line in lines if line.startswith("spout_operator_policy_file_valid "))
    return float(value) == 1


def is_told(operator: OperatorProcess, text: str) -> Callable[[], bool]:
    """A condition: the log has this text, and the metric says that the file cannot be used."""
    return lambda: text in operator.log.read_text() and not is_valid(operator)


def test_the_last_good_policy_stays_in_force_while_the_file_is_bad_or_gone(
    operator: OperatorProcess, spouts: Spouts
) -> None:
    assert is_valid(operator)
    spouts.create("first", PATCHED)
    spouts.wait("first", "to be allowed", synced="True")

    operator.change_policy(LOOSE.replace("podPatch: true", "podPatch: maybe"))
    says = f"the policy file {operator.policy_file}: line 4: rules[0].podPatch: found 'maybe', expected true or false"
    eventually(is_told(operator, f"{says}. The last good policy, of 1 rules, stays in force"), what="the bad file")
    spouts.create("second", PATCHED)
    spouts.wait("second", "to be allowed as before", synced="True")

    operator.policy_file.unlink()
    eventually(is_told(operator, f"{operator.policy_file}: cannot be read (No such file"), what="the lost file")
    spouts.create("third", PATCHED)
    spouts.wait("third", "to be allowed as before", synced="True")

    operator.change_policy(TIGHT)
    spouts.wait("third", "to be refused", stalled="True", reason="PolicyDenied")
    assert is_valid(operator)
    assert operator.log.read_text().count("stays in force") == 2, "each trouble is one line"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Unusable:
    """A file without which no operator starts, and what it says."""

    reason: str
    text: str
    says: str


UNUSABLE = [
    Unusable(reason="it is empty", text="", says=": it is empty; write 'rules: []' to allow nothing"),
    Unusable(
        reason="a field is misspelt",
        text="rules:\n- namespaces: [a]\n  secret: [kafka]\n",
        says=": line 3: rules[0]: found the field 'secret', expected namespaces, pipelineNames, podPatch, projects, ",
    ),
    Unusable(reason="it is no YAML", text="rules: [\n", says=": line 2: it is no YAML: "),
]


@pytest.mark.parametrize("row", UNUSABLE, ids=lambda row: row.reason)
def test_no_operator_starts_without_a_valid_file(stopped_operator: OperatorProcess, row: Unusable) -> None:
    stopped_operator.change_policy(row.text)

    stopped_operator.launch()

    assert stopped_operator.wait() == 2
    output = stopped_operator.log.read_text()
    assert f"the policy file {stopped_operator.policy_file}{row.says}" in output
    assert "Without a valid policy the operator does not start" in output


def test_no_operator_starts_where_the_file_is_gone(stopped_operator: OperatorProcess) -> None:
    stopped_operator.policy_file.unlink()

    stopped_operator.launch()

    assert stopped_operator.wait() == 2
    assert str(stopped_operator.policy_file) in stopped_operator.log.read_text()
