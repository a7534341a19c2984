"""The text of a policy file: what is read of it, and in which words it is refused."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spout_operator.core.policy import RESTRICTED, Glob, Policy, Rule
from spout_operator.process.policy_text import LONGEST, PolicyError, read


def globs(*texts: str) -> tuple[Glob, ...]:
    return tuple(map(Glob, texts))


def test_a_rule_with_every_field() -> None:
    text = """
rules:
- namespaces: [team-a, team-a-*]
  pipelineNames: ["team-a-*"]
  projects: [Team_A]
  secrets:
  - kafka.team-a
  serviceTypes: [ClusterIP, LoadBalancer]
  podPatch: true
"""
    assert read(text) == Policy(
        (
            Rule(
                namespaces=globs("team-a", "team-a-*"),
                pipeline_names=globs("team-a-*"),
                projects=globs("Team_A"),
                secrets=globs("kafka.team-a"),
                service_types=("ClusterIP", "LoadBalancer"),
                pod_patch=True,
            ),
        )
    )


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("rules: []", Policy(())),
        ('{"rules": [{"namespaces": ["a"]}]}', Policy((Rule(namespaces=globs("a")),))),
        ("rules:\n- namespaces: ['*']\n  podPatch: false\n  secrets: []\n", Policy((Rule(namespaces=globs("*")),))),
        (
            "rules:\n- {namespaces: ['*'], pipelineNames: ['*'], projects: ['*'], serviceTypes: [ClusterIP]}",
            RESTRICTED,
        ),
        ("# by the platform team\n---\nrules: []\n", Policy(())),
    ],
    ids=["no-rules", "json", "what-is-the-default", "restricted", "a-comment"],
)
def test_a_policy_is_read(text: str, policy: Policy) -> None:
    assert read(text) == policy


REFUSED = [
    ("", "it is empty; write 'rules: []' to allow nothing"),
    ("# only a comment\n", "it is empty; write 'rules: []' to allow nothing"),
    ("rules: [", "line 1: it is no YAML: expected the node content, but found '<stream end>'"),
    ("rules: []\n---\nrules: []\n", "line 2: it is no YAML: but found another document"),
    ("\x00", "it is no YAML: unacceptable character #x0000: special characters are not allowed"),
    ("- namespaces: [a]", "line 1: the policy: found a list, expected an object"),
    ("rule: []", "line 1: the policy: found the field 'rule', expected rules"),
    ("{}", "line 1: rules: missing; write 'rules: []' to allow nothing"),
    ("rules:\n", "line 1: rules: found '', expected a list, each item a rule"),
    ("rules: []\nrules: []", "line 2: the policy.rules: is there twice; remove one"),
    ("rules:\n- team-a", "line 2: rules[0]: found 'team-a', expected an object"),
    (
        "rules:\n- namespaces: [a]\n  secret: [x]",
        (
            "line 3: rules[0]: found the field 'secret', expected namespaces, pipelineNames, podPatch, projects, "
            "secrets, serviceTypes"
        ),
    ),
    (
        "rules:\n- secrets: [x]",
        "line 2: rules[0].namespaces: a rule without a namespace is for no Spout; name at least one, or '*' for all",
    ),
    (
        "rules:\n- secrets: [x]\n  namespaces: []",
        "line 3: rules[0].namespaces: a rule without a namespace is for no Spout; name at least one, or '*' for all",
    ),
    (
        "rules:\n- namespaces: team-a",
        (
            "line 2: rules[0].namespaces: found 'team-a', expected a list, each item a name, in which '*' and '?' "
            "stand for characters, of lower-case letters, digits, '-' and '.'"
        ),
    ),
    (
        "rules:\n- namespaces: [a]\n- namespaces: [b]\n  secrets: [ok, Kafka]",
        (
            "line 4: rules[1].secrets[1]: found 'Kafka', expected a name, in which '*' and '?' stand for characters, "
            "of lower-case letters, digits, '-' and '.'"
        ),
    ),
    (
        "rules:\n- namespaces: [a]\n  pipelineNames: [a.b]",
        (
            "line 3: rules[0].pipelineNames[0]: found 'a.b', expected a name, in which '*' and '?' stand for "
            "characters, of lower-case letters, digits and '-'"
        ),
    ),
    (
        "rules:\n- namespaces: [a]\n  secrets: [[a]]",
        (
            "line 3: rules[0].secrets[0]: found a list, expected a name, in which '*' and '?' stand for characters, "
            "of lower-case letters, digits, '-' and '.'"
        ),
    ),
    ("rules:\n- namespaces: [on]", "line 2: rules[0].namespaces[0]: 'on' is no text in YAML; put it in quotes"),
    ("rules:\n- namespaces: [007]", "line 2: rules[0].namespaces[0]: '007' is no text in YAML; put it in quotes"),
    (
        "rules:\n- namespaces: [a]\n  serviceTypes: [clusterip]",
        "line 3: rules[0].serviceTypes[0]: found 'clusterip', expected one of ClusterIP, NodePort, LoadBalancer",
    ),
    ("rules:\n- namespaces: [a]\n  podPatch: yes", "line 3: rules[0].podPatch: found 'yes', expected true or false"),
    (
        "rules:\n- namespaces: [a]\n  podPatch: 'true'",
        "line 3: rules[0].podPatch: found 'true', expected true or false",
    ),
    ("rules:\n- namespaces: [a]\n  podPatch: [a]", "line 3: rules[0].podPatch: found a list, expected true or false"),
    (
        "rules:\n- namespaces: [a]\n  projects: [b]",
        (
            "line 3: rules[0].projects: has no effect without pipelineNames; add pipelineNames: ['*'] for all "
            "pipelines of these projects"
        ),
    ),
    ("rules: [" * 5000, "it is nested too deeply"),
    ("#" * (LONGEST + 1), "it is longer than 256 KiB; write fewer rules, with globs"),
]


@pytest.mark.parametrize(("text", "words"), REFUSED, ids=[words[:60] for _, words in REFUSED])
def test_a_text_that_is_no_policy_is_refused_with_its_line_and_field(text: str, words: str) -> None:
    with pytest.raises(PolicyError) as error:
        read(text)

    assert str(error.value) == words


@given(st.text())
def test_whatever_the_text_is_it_is_a_policy_or_a_finding(text: str) -> None:
    with contextlib.suppress(PolicyError):
        assert isinstance(read(f"rules:\n- namespaces: {text}"), Policy)
