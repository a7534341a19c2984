"""Hostile Spouts on a real Pachyderm 2.12.2: projects, and what the Pods of this version have beside those of 1.13."""

import dataclasses
from collections.abc import Iterator

import pytest
from pachyderm_sdk import Client

from spout_testbed import Testbed
from spout_testbed.harness.bodies import ABSENT
from tests.e2e.attack_changes import add, mount, patch, service
from tests.e2e.attack_table import EVERYTHING, POD_PATCHES, SECRETS, patched
from tests.e2e.attacks import OURS, THEIRS, Attack, Stage, check, check_reads, rows, staged
from tests.e2e.pachyderm_2.conftest import delete_all

STORAGE = [{"secretRef": {"name": "pachyderm-storage-secret"}}]
NO_PROJECT = "cannot be the name of a project"


def refused_project(name: str) -> str:
    """The beginning of the message that a project is not allowed."""
    return f"spec.project: the policy does not allow the project {name!r}"


ATTACKS = [
    SECRETS[0],
    SECRETS[1],
    *POD_PATCHES[:3],
    EVERYTHING,
    Attack(reason="a project of another team", changes={"project": "team-b"}, says=refused_project("team-b")),
    Attack(
        reason="the project of Pachyderm's own defaults, by leaving it out",
        changes={"project": ABSENT},
        says=refused_project("default"),
    ),
    Attack(reason="a project that nobody has", changes={"project": "nothing"}, says=refused_project("nothing")),
    Attack(
        reason="an allowed project in odd case: Pachyderm has capitals",
        changes={"project": "Team-A"},
        says=refused_project("Team-A"),
    ),
    Attack(
        reason="the name of another team's pipeline in our project",
        changes={"name": "team-b-orders"},
        says="spec.name: the policy does not allow the pipeline name 'team-b-orders'",
    ),
    Attack(
        reason="another team's pipeline in its project, to be adopted",
        changes={"name": "team-b-orders", "project": "team-b", "adoptionPolicy": "IfUnowned"},
        says="spec.name: the policy does not allow the pipeline name 'team-b-orders'",
    ),
    *(
        Attack(
            reason=f"an allowed project {reason}",
            changes={"project": name},
            refused=NO_PROJECT,
            ends="InvalidSpec",
            says=f"spec.project: found {name!r}, expected the name of a project",
        )
        for name, reason in (
            ("team-a.", "with a dot at the end"),
            ("team-a\n", "with a newline at the end"),
            ("team-\u0430", "with a Cyrillic letter"),
            ("team-a/../team-b", "and a path to another"),
            ("*", "as a glob"),
        )
    ),
    Attack(
        reason="the Secret with the password of Pachyderm's PostgreSQL",
        changes={"transform.secrets": [{"name": "postgres", "key": "password", "envVar": "STOLEN"}]},
        says="spec.transform.secrets[0].name: the policy does not allow the Secret 'postgres'",
    ),
    Attack(
        reason="the Secret with the token of another team's spout",
        changes=mount("spout-pachctl-secret-team-b-team-b-orders"),
        says="spec.transform.secrets[0].name: the policy does not allow the Secret 'spout-pachctl-secret-team-b",
    ),
    patched(
        "the credentials of the object store, as the sidecar has them", patch(add("/containers/0/envFrom", STORAGE))
    ),
    patched(
        "the volume with the spout's token becomes another Secret",
        patch(
            {"op": "replace", "path": "/volumes/0", "value": {"name": "pach-bin", "secret": {"secretName": "postgres"}}}
        ),
    ),
    patched("tolerations of every taint", patch(add("/tolerations", [{"operator": "Exists"}]))),
    Attack(
        reason="a service of the type that Pachyderm chooses",
        changes=service(),
        says="spec.spout.service.type: the policy does not allow the service type",
    ),
]


def in_our_project(attack: Attack) -> Attack:
    """The attack from the project that we may use, unless the project is the attack."""
    return dataclasses.replace(attack, changes={"project": "team-a", **attack.changes})


HERE = [in_our_project(attack) for attack in ATTACKS]


@pytest.fixture(scope="module")
def stage(bed: Testbed, pachyderm: Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    for project in ("team-a", "team-b", "Team-A"):
        bed.pachctl("create", "project", project)
    with staged(
        bed,
        tmp_path_factory.mktemp("attacks"),
        HERE,
        namespace=bed.pachyderm_namespace,
        rule={"pipelineNames": ["team-a-*"], "projects": ["team-a"], "secrets": [OURS], "serviceTypes": ["ClusterIP"]},
        their_rule={"pipelineNames": ["team-b-*"], "projects": ["team-b"], "secrets": [THEIRS]},
        their_project="team-b",
    ) as stage:
        yield stage
    delete_all(pachyderm)
    for project in ("team-a", "team-b", "Team-A"):
        bed.pachctl("delete", "project", project, "--force", check=False)


@rows(HERE)
def test_a_hostile_spout_gets_nothing(stage: Stage, attack: Attack) -> None:
    check(stage, attack)


def test_all_of_them_sent_nothing_to_pachyderm(stage: Stage, pachyderm: Client) -> None:
    assert stage.sent == {}
    found = {(info.pipeline.project.name, info.pipeline.name, info.version) for info in pachyderm.pps.list_pipeline()}
    assert found == {("team-b", "team-b-orders", 1)}


CONTROLS = [HERE[0], HERE[1], HERE[2]]
"""One mount, one variable, and one podPatch."""


@pytest.fixture(scope="module")
def let_in(stage: Stage) -> Stage:
    """The policy has the rules that the messages of the controls name; the other hostile Spouts are gone."""
    stage.let_in(CONTROLS)
    return stage


@rows(CONTROLS)
def test_with_the_rule_that_its_message_names_the_same_spout_gets_the_secret(
    let_in: Stage, bed: Testbed, attack: Attack
) -> None:
    check_reads(let_in, bed.workers, attack)
