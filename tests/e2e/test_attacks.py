"""Hostile Spouts on a real kube-apiserver and a real pachd 1.13.4: none gets at what no rule of the policy allows.

With the rule that its message names, the same Spout gets it: so nothing else has refused it.
"""

from collections.abc import Iterator, Mapping

import pytest

from spout_operator.pachyderm.v1.sdk import Client, pps_pb2
from spout_testbed import Testbed
from spout_testbed.harness import audit
from spout_testbed.harness.spouts import message
from tests.e2e.attack_changes import mount, patch, service
from tests.e2e.attack_table import ON_EACH_SERVER, POD_PATCHES, SECRETS
from tests.e2e.attacks import OURS, POSTGRES, SECRET_VALUE, Attack, Stage, check, check_reads, rows, staged
from tests.e2e.conftest import delete_all

OF_1_13 = [
    Attack(
        reason="a service of the type that Pachyderm chooses",
        changes=service(),
        says="spec.spout.service.type: the policy does not allow the service type NodePort",
    ),
    Attack(
        reason="a project, which is told before this server has none",
        changes={"project": "team-b"},
        says="spec.project: the policy does not allow the project 'team-b'",
    ),
]
ATTACKS = [*ON_EACH_SERVER, *OF_1_13]


@pytest.fixture(scope="module")
def stage(bed: Testbed, pachyderm: Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    pachyderm.create_pipeline(
        "unowned", pps_pb2.Transform(image="theirs", cmd=["sleep", "1000"]), spout=pps_pb2.Spout()
    )
    with staged(
        bed,
        tmp_path_factory.mktemp("attacks"),
        ATTACKS,
        namespace=bed.pachyderm_namespace,
        rule={"pipelineNames": ["team-a-*"], "secrets": [OURS], "serviceTypes": ["ClusterIP"]},
        their_rule={"pipelineNames": ["team-b-*"], "secrets": ["kafka-team-b"]},
    ) as stage:
        yield stage
    delete_all(pachyderm)


def versions(pachyderm: Client) -> Mapping[str, int]:
    """The pipelines that pachd has, and their versions."""
    return {info.pipeline.name: info.version for info in pachyderm.list_pipeline(allow_incomplete=True).pipeline_info}


@rows(ATTACKS)
def test_a_hostile_spout_gets_nothing(stage: Stage, attack: Attack) -> None:
    check(stage, attack)


def test_all_of_them_sent_nothing_to_pachyderm(stage: Stage, pachyderm: Client, bed: Testbed) -> None:
    assert stage.sent == {}
    assert versions(pachyderm) == {"unowned": 1, "team-b-orders": 1}
    assert not pachyderm.inspect_pipeline("unowned").metadata.annotations
    worker = bed.workers.wait_running("team-b-orders")
    assert worker.restarts == 0, "the spout of the other team runs"


def test_the_operator_asked_the_api_server_for_no_secret_and_no_pod(stage: Stage, bed: Testbed) -> None:
    account = "system:serviceaccount:spout-operator:spout-operator"
    asked = {each.resource for each in audit.requests(bed.audit_log) if each.user == account}

    assert asked & {"secrets", "pods", "pods/log", "serviceaccounts/token"} == set()
    assert "spouts" in asked
    assert SECRET_VALUE not in stage.operator.log.read_text()


def test_a_name_that_is_not_allowed_does_not_keep_it_from_those_who_may_have_it(stage: Stage) -> None:
    stage.theirs.create("team-b-new", dict(Attack(reason="", says="").body(0)["spec"]))

    stage.theirs.wait("team-b-new", "to run although an older Spout names it", ready="True", stalled=None)


def test_a_hostile_spout_that_is_deleted_takes_no_pipeline_with_it(stage: Stage, pachyderm: Client) -> None:
    name = "team-b-orders"
    stage.ours.delete(name)
    stage.ours.wait_gone(name)

    assert versions(pachyderm)[name] == 1


def test_a_status_that_claims_to_be_allowed_changes_nothing(stage: Stage, pachyderm: Client) -> None:
    name = stage.names[SECRETS[0].reason]
    body = stage.ours.get(name)
    assert body is not None
    condition = {"status": "True", "reason": "Running", "message": "x", "lastTransitionTime": "2026-01-31T12:00:00Z"}
    claims = [{"type": kind, **condition} for kind in ("Ready", "Synced", "PolicyAllowed")]
    pipeline = {"name": "team-b-orders", "version": 1, "state": "Running"}
    stage.ours.update_status({**body, "status": {**body["status"], "conditions": claims, "pipeline": pipeline}})
    stage.ours.edit(name, {"description": "edited"})

    stage.ours.wait(name, "to be refused as before", stalled="True", reason="PolicyDenied")
    assert name not in versions(pachyderm)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (mount(POSTGRES), f"the Secret {POSTGRES!r}"),
        (patch({"op": "add", "path": "/hostNetwork", "value": True}), "a podPatch"),
        (service(type="NodePort"), "the service type NodePort"),
    ],
    ids=["secret", "pod-patch", "service"],
)
def test_a_spout_that_runs_is_edited_into_a_hostile_one(
    stage: Stage, pachyderm: Client, changes: Mapping[str, object], says: str, name: str
) -> None:
    name = f"team-a-{name}"
    stage.ours.create(name, dict(Attack(reason="", says="").body(0)["spec"]))
    stage.ours.wait(name, "an allowed Spout to run", ready="True")

    hostile = Attack(reason="", says="", changes=changes).body(0)["spec"]
    stage.ours.edit(name, {**hostile, "description": "edited"})

    status = stage.ours.wait(name, "the edit to be refused", stalled="True", reason="PolicyDenied")
    assert f"the policy does not allow {says}" in message(status, "Stalled")
    assert "The pipeline goes on as it is" in message(status, "Stalled")
    info = pachyderm.inspect_pipeline(name)
    assert (info.version, info.description, list(info.transform.secrets), info.pod_patch) == (1, "", [], "")
    stage.ours.delete(name)
    stage.ours.wait_gone(name)


CONTROLS = [SECRETS[0], SECRETS[1], POD_PATCHES[0], POD_PATCHES[6]]
"""One mount, one variable, one volume by podPatch, and one variable by podPatch."""


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


def test_the_table_is_as_large_as_it_claims() -> None:
    assert len(ATTACKS) >= 60
    assert len({attack.reason for attack in ATTACKS}) == len(ATTACKS)
