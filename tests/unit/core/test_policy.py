"""What a policy allows: the table is the specification."""

import dataclasses
import time
from typing import Any

import pytest

from spout_operator.core.model import PipelineName, SecretMount, Service, Spout, SpoutOptions
from spout_operator.core.policy import (
    MOST_TOLD,
    RESTRICTED,
    Glob,
    Permission,
    Policy,
    Rule,
    allows_name,
    denials,
    message,
)
from tests.builders import a_key, a_name, a_spec, a_spout, a_transform

ALL = (Glob("*"),)


def a_rule(**fields: Any) -> Rule:
    """A rule for the namespace `ingest`; lists of names are written as texts."""
    globs = {name: tuple(map(Glob, texts)) for name, texts in fields.items() if name in GLOBS}
    return Rule(**{"namespaces": (Glob("ingest"),), **fields, **globs})


GLOBS = ("namespaces", "secrets", "pipeline_names", "projects")
NAMES = a_rule(pipeline_names=["*"], projects=["*"])
"""All names, and nothing else."""


def with_secret(*names: str) -> Spout:
    mounts = tuple(SecretMount(name=name, mount_path=f"/etc/{name}") for name in names)
    return a_spout(spec=a_spec(transform=a_transform(secrets=mounts)))


def with_pull_secret(*names: str) -> Spout:
    return a_spout(spec=a_spec(transform=a_transform(image_pull_secrets=names)))


def with_service(kind: str) -> Spout:
    return a_spout(spec=a_spec(spout=SpoutOptions(service=Service(internal_port=80, type=kind))))


def named(name: str, project: str = "default", namespace: str = "ingest") -> Spout:
    return a_spout(key=a_key(namespace=namespace), pipeline_name=a_name(name, project))


PATCHED = a_spout(spec=a_spec(pod_patch='[{"op":"add","path":"/hostNetwork","value":true}]'))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """A Spout, the rules, and the fields that are refused, each with what it would have needed."""

    reason: str
    spout: Spout
    rules: tuple[Rule, ...]
    refused: tuple[tuple[str, Permission], ...] = ()


NAME, PROJECT = ("spec.name", Permission.PIPELINE_NAMES), ("spec.project", Permission.PROJECTS)
SECRET = ("spec.transform.secrets[0].name", Permission.SECRETS)
PULL_SECRET = ("spec.transform.imagePullSecrets[0]", Permission.SECRETS)
SERVICE = ("spec.spout.service.type", Permission.SERVICE_TYPES)
PATCH = ("spec.podPatch", Permission.POD_PATCH)

ROWS = [
    Row(reason="nothing is asked for but a name, and the name is allowed", spout=a_spout(), rules=(NAMES,)),
    Row(reason="a policy without rules allows nothing, not even a name", spout=a_spout(), rules=(), refused=(NAME,)),
    Row(
        reason="a rule of another namespace allows nothing here",
        spout=a_spout(),
        rules=(a_rule(namespaces=["other"], pipeline_names=["*"]),),
        refused=(NAME,),
    ),
    Row(
        reason="a glob of namespaces",
        spout=named("a", namespace="team-a-blue"),
        rules=(a_rule(namespaces=["team-a-*"], pipeline_names=["*"]),),
    ),
    Row(
        reason="a glob is for the whole name: team-a is not team-a-*, and has-team-a-in-it is not either",
        spout=named("a", namespace="team-a"),
        rules=(a_rule(namespaces=["team-a-*", "a", "eam-a"], pipeline_names=["*"]),),
        refused=(NAME,),
    ),
    Row(
        reason="one of several rules is enough",
        spout=with_secret("kafka"),
        rules=(NAMES, a_rule(secrets=["redis"]), a_rule(secrets=["kafka"])),
    ),
    Row(reason="a Secret that is mounted", spout=with_secret("storage"), rules=(NAMES,), refused=(SECRET,)),
    Row(
        reason="the second of two Secrets is the one that is told",
        spout=with_secret("kafka", "storage"),
        rules=(NAMES, a_rule(secrets=["kafka"])),
        refused=(("spec.transform.secrets[1].name", Permission.SECRETS),),
    ),
    Row(
        reason="a Secret as a variable",
        spout=a_spout(
            spec=a_spec(transform=a_transform(secrets=(SecretMount(name="storage", key="id", env_var="ID"),)))
        ),
        rules=(NAMES,),
        refused=(SECRET,),
    ),
    Row(reason="a Secret to pull the image with", spout=with_pull_secret("r"), rules=(NAMES,), refused=(PULL_SECRET,)),
    Row(
        reason="the same permission is for both uses", spout=with_pull_secret("r"), rules=(NAMES, a_rule(secrets=["r"]))
    ),
    Row(
        reason="names differ by case: Kubernetes has no such Secret, so nobody can have meant it",
        spout=with_secret("Kafka"),
        rules=(NAMES, a_rule(secrets=["kafka"])),
        refused=(SECRET,),
    ),
    Row(
        reason="a trailing dot is another name",
        spout=with_secret("kafka."),
        rules=(NAMES, a_rule(secrets=["kafka"])),
        refused=(SECRET,),
    ),
    Row(
        reason="a newline after an allowed name is another name",
        spout=with_secret("kafka\n"),
        rules=(NAMES, a_rule(secrets=["kafka", "kafk?"])),
        refused=(SECRET,),
    ),
    Row(
        reason="a name that looks like a glob is only a name",
        spout=with_secret("*"),
        rules=(NAMES, a_rule(secrets=["kafka"])),
        refused=(SECRET,),
    ),
    Row(
        reason="a dot and brackets in a rule mean themselves",
        spout=with_secret("kafkaxa"),
        rules=(NAMES, a_rule(secrets=["kafka.[a]", "kafka.a"])),
        refused=(SECRET,),
    ),
    Row(
        reason="a question mark is exactly one character",
        spout=with_secret("kafka"),
        rules=(NAMES, a_rule(secrets=["kafka?", "kaf?"])),
        refused=(SECRET,),
    ),
    Row(reason="a podPatch can get at all of the above", spout=PATCHED, rules=(NAMES,), refused=(PATCH,)),
    Row(
        reason="all Secrets are no podPatch",
        spout=PATCHED,
        rules=(NAMES, a_rule(secrets=["*"])),
        refused=(PATCH,),
    ),
    Row(reason="a podPatch that is allowed", spout=PATCHED, rules=(NAMES, a_rule(pod_patch=True))),
    Row(
        reason="also a patch that changes nothing is one",
        spout=a_spout(spec=a_spec(pod_patch="[]")),
        rules=(NAMES,),
        refused=(PATCH,),
    ),
    Row(reason="a Service", spout=with_service("NodePort"), rules=(NAMES,), refused=(SERVICE,)),
    Row(
        reason="a type that is not among those allowed",
        spout=with_service("LoadBalancer"),
        rules=(NAMES, a_rule(service_types=("ClusterIP", "NodePort"))),
        refused=(SERVICE,),
    ),
    Row(
        reason="a type that is",
        spout=with_service("ClusterIP"),
        rules=(NAMES, a_rule(service_types=("ClusterIP",))),
    ),
    Row(
        reason="another team's name",
        spout=named("team-b-orders"),
        rules=(a_rule(pipeline_names=["team-a-*"]),),
        refused=(NAME,),
    ),
    Row(
        reason="without projects, a rule is for the project default",
        spout=named("orders", "ingest"),
        rules=(a_rule(pipeline_names=["*"]),),
        refused=(PROJECT,),
    ),
    Row(
        reason="with projects, it is for these alone",
        spout=named("orders"),
        rules=(a_rule(pipeline_names=["*"], projects=["ingest"]),),
        refused=(PROJECT,),
    ),
    Row(
        reason="one rule has to allow the name and the project: two halves are no whole",
        spout=named("team-b-orders", "ingest"),
        rules=(a_rule(pipeline_names=["team-b-*"]), a_rule(pipeline_names=["team-a-*"], projects=["ingest"])),
        refused=(PROJECT,),
    ),
    Row(
        reason="everything at once: each field is told",
        spout=a_spout(
            spec=a_spec(
                transform=a_transform(secrets=(SecretMount(name="s", mount_path="/s"),), image_pull_secrets=("r",)),
                spout=SpoutOptions(service=Service(internal_port=80, type="NodePort")),
                pod_patch="[]",
            )
        ),
        rules=(),
        refused=(NAME, SECRET, PULL_SECRET, SERVICE, PATCH),
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.reason)
def test_what_no_rule_allows_is_refused(row: Row) -> None:
    found = denials(Policy(row.rules), row.spout)

    assert tuple((denial.field, denial.permission) for denial in found) == row.refused


@pytest.mark.parametrize("row", [row for row in ROWS if row.refused], ids=lambda row: row.reason)
def test_the_rule_that_a_denial_names_would_allow_it(row: Row) -> None:
    for denial in denials(Policy(row.rules), row.spout):
        # The names in it are the Spout's own, so some of these are no globs that a file could have.
        parts = dict(part.split(": ", 1) for part in denial.would_allow.split(" and "))
        values = {name: value.strip("[]").split(", ") for name, value in parts.items()}
        rule = a_rule(
            namespaces=[row.spout.key.namespace],
            secrets=values.get("secrets", []),
            pipeline_names=values.get("pipelineNames", []),
            service_types=tuple(values.get("serviceTypes", ())),
            pod_patch=values.get("podPatch") == ["true"],
            **({"projects": values["projects"]} if "projects" in values else {}),
        )

        assert denial not in denials(Policy((*row.rules, rule)), row.spout)


@pytest.mark.parametrize(
    ("spout", "refused"),
    [
        (named("any", "ingest", namespace="any"), ()),
        (with_service("ClusterIP"), ()),
        (with_service("NodePort"), (SERVICE,)),
        (with_secret("kafka"), (SECRET,)),
        (with_pull_secret("kafka"), (PULL_SECRET,)),
        (PATCHED, (PATCH,)),
    ],
    ids=["names", "cluster-ip", "node-port", "secret", "pull-secret", "pod-patch"],
)
def test_without_a_file_a_spout_gets_at_nothing_of_pachyderms_namespace(
    spout: Spout, refused: tuple[tuple[str, Permission], ...]
) -> None:
    assert tuple((denial.field, denial.permission) for denial in denials(RESTRICTED, spout)) == refused


@pytest.mark.parametrize(
    ("namespace", "name", "is_allowed"),
    [
        ("ingest", a_name("team-a-orders"), True),
        ("ingest", a_name("team-b-orders"), False),
        ("ingest", a_name("team-a-orders", "other"), False),
        ("elsewhere", a_name("team-a-orders"), False),
    ],
    ids=["allowed", "another-name", "another-project", "another-namespace"],
)
def test_whether_a_spout_may_have_a_name_does_not_depend_on_what_else_it_asks_for(
    namespace: str, name: PipelineName, is_allowed: bool
) -> None:
    assert allows_name(Policy((a_rule(pipeline_names=["team-a-*"]),)), namespace, name) == is_allowed


def test_a_message_names_field_namespace_and_rule_and_is_bounded() -> None:
    found = denials(Policy((NAMES,)), with_secret(*(f"secret-{number}" for number in range(9))))

    assert message("ingest", found[:1]) == (
        "spec.transform.secrets[0].name: the policy does not allow the Secret 'secret-0' in the namespace 'ingest'; "
        "a rule with namespaces: [ingest] and secrets: [secret-0] would allow it"
    )
    assert message("ingest", found).endswith(
        "'secret-3' in the namespace 'ingest'; a rule with namespaces: [ingest] "
        "and secrets: [secret-3] would allow it; 5 more are not allowed either"
    )


def test_a_glob_of_many_stars_takes_no_time_that_explodes() -> None:
    hostile, begin = Glob("*a" * 40 + "*b"), time.process_time()

    assert not hostile.matches("a" * 253)
    # Without care this would not end within the age of the universe.
    assert time.process_time() - begin < 1


@pytest.mark.parametrize(
    ("spout", "rules", "told"),
    [
        (
            named("orders"),
            (),
            (
                "spec.name: the policy does not allow the pipeline name 'orders' in the namespace 'ingest'; "
                "a rule with namespaces: [ingest] and pipelineNames: [orders] would allow it"
            ),
        ),
        (
            named("orders", "kafka"),
            (a_rule(pipeline_names=["*"]),),
            (
                "spec.project: the policy does not allow the project 'kafka' in the namespace 'ingest'; "
                "a rule with namespaces: [ingest] and pipelineNames: [orders] and projects: [kafka] would allow it"
            ),
        ),
        (
            with_service("NodePort"),
            (NAMES,),
            (
                "spec.spout.service.type: the policy does not allow the service type NodePort (if the field is "
                "missing, Pachyderm chooses the type) in the namespace 'ingest'; "
                "a rule with namespaces: [ingest] and serviceTypes: [NodePort] would allow it"
            ),
        ),
        (
            PATCHED,
            (NAMES,),
            (
                "spec.podPatch: the policy does not allow a podPatch in the namespace 'ingest'; "
                "a rule with namespaces: [ingest] and podPatch: true would allow it"
            ),
        ),
    ],
    ids=["name", "project", "service", "pod-patch"],
)
def test_a_message_says_what_is_refused_and_which_rule_would_allow_it(
    spout: Spout, rules: tuple[Rule, ...], told: str
) -> None:
    assert message("ingest", denials(Policy(rules), spout)) == told


def test_as_many_denials_as_a_message_holds_are_all_there_is() -> None:
    found = denials(Policy((NAMES,)), with_secret(*(f"secret-{number}" for number in range(MOST_TOLD))))

    assert message("ingest", found).endswith("and secrets: [secret-3] would allow it")


@pytest.mark.parametrize(
    ("text", "name", "matches", "reason"),
    [
        ("kafka", "kafka", True, "a name is itself"),
        ("kafka.[a]", "kafka.[a]", True, "brackets are themselves"),
        ("kafka.[a]", "kafka.a", False, "and no set of characters"),
        ("[!a]", "b", False, "nor all characters but some"),
        ("kaf*", "kafka", True, "a star is any number of characters"),
        ("kaf*", "my-kafka", False, "the whole name counts"),
    ],
)
def test_a_glob_is_for_whole_names(text: str, name: str, *, matches: bool, reason: str) -> None:
    assert Glob(text).matches(name) is matches, reason
