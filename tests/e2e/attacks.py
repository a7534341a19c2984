"""Spouts that try to get at what they may not: a table that each Pachyderm has a part of, and how it is carried out."""

import contextlib
import dataclasses
import http
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client

from spout_testbed import Testbed, Workers
from spout_testbed.harness import bodies
from spout_testbed.harness.bodies import Body
from spout_testbed.harness.cluster import CRD_NAME, a_namespace, administrator
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.requests import pachyderm_requests
from spout_testbed.harness.spouts import Spouts, message
from spout_testbed.waiting import eventually

#: What a Secret holds, and what a variable of the other team holds.
SECRET_VALUE, THEIR_VALUE = "of-the-secret-4711", "of-the-other-team-4711"
#: Secrets in Pachyderm's namespace: one that our team may use, one that the other team may use, and three of nobody.
OURS, THEIRS, POSTGRES, REGISTRY = "kafka-team-a", "kafka-team-b", "pachyderm-postgres", "registry"
SECRETS = (OURS, THEIRS, POSTGRES, REGISTRY, f"{OURS}2")
#: The code of each Spout: it prints what it got at.
CODE = 'echo "found: ${STOLEN:-$(cat /stolen/*)}"; exec sleep infinity'
_READS = ("List", "Inspect", "Get", "Walk", "Who")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Attack:
    """A hostile Spout of our team, and what has to become of it."""

    reason: str
    says: str
    """What its condition says, from its beginning."""
    changes: Mapping[str, object] = dataclasses.field(default_factory=dict)
    """To the spec of a Spout that is allowed, as `bodies.a_spec` takes them."""
    refused: str = ""
    """What the API server says; empty where it takes the Spout. Without the rules of the CRD, it takes each."""
    ends: str = "PolicyDenied"
    """The reason of the conditions."""
    name: str = ""
    """metadata.name, where that is the attack."""
    metadata: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def body(self, number: int) -> Body:
        """The Spout: under a name that is allowed, unless that is the attack."""
        base = {"transform.image": "python:3.13", "transform.cmd": ["sh", "-c", CODE]}
        name = self.name or f"team-a-{number}"
        return bodies.a_spout(spec=bodies.a_spec({**base, **self.changes}), name=name, **self.metadata)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stage:
    """What is left when all attacks are over."""

    ours: Spouts
    """Of the team whose Spouts are hostile."""
    theirs: Spouts
    operator: OperatorProcess
    refusals: Mapping[str, str]
    """What the API server said, by the reason of the attack."""
    statuses: Mapping[str, Body]
    """What became of each Spout, by the reason of the attack."""
    sent: Counter[str]
    """The writes that the operator sent to Pachyderm meanwhile, by method."""
    names: Mapping[str, str]
    """The names of the Spouts, by the reason of the attack."""
    rules: Sequence[Body]
    """Those in force."""

    def let_in(self, attacks: Sequence[Attack]) -> None:
        """Delete all hostile Spouts but these, and put the rules in force that their messages name."""
        kept = {self.names[attack.reason] for attack in attacks}
        others = [name for name in self.names.values() if name not in kept and self.ours.get(name)]
        for name in others:
            self.ours.delete(name)
        for name in others:
            self.ours.wait_gone(name)
        told = [message(self.statuses[attack.reason]) for attack in attacks]
        named = [re.findall("a rule with (.*?) would allow it", each) for each in told]
        added = [yaml.safe_load(rule.replace(" and ", "\n")) for rules in named for rule in rules]
        self.operator.change_policy(yaml.safe_dump({"rules": [*self.rules, *added]}))


@contextlib.contextmanager
def staged(
    bed: Testbed,
    folder: Path,
    attacks: Sequence[Attack],
    *,
    namespace: str,
    rule: Body,
    their_rule: Body,
    their_project: str | None = None,
) -> Iterator[Stage]:
    """Carry all attacks out at once, first where the CRD checks what it checks, then where it checks nothing.

    Args:
        bed: the servers.
        folder: for the operator's files.
        attacks: the table.
        namespace: of Pachyderm's workers.
        rule: what our team may use, without its namespace.
        their_rule: what the other team may use.
        their_project: the project of the other team.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(the_secrets(bed, namespace))
        whole = json.loads(bed.kubectl("get", "crd", CRD_NAME, "-o", "json").stdout)
        stack.callback(_replace_crd, bed, whole)
        kube = stack.enter_context(administrator(bed))
        log = folder / "operator.log"
        teams = [stack.enter_context(a_namespace(kube, team)) for team in ("team-a", "team-b")]
        ours, theirs = (Spouts(kube, team, log) for team in teams)
        rules = [{"namespaces": [ours.namespace], **rule}, {"namespaces": [theirs.namespace], **their_rule}]
        operator = OperatorProcess(
            kubeconfig=bed.kubeconfig_for_account("spout-operator", "spout-operator"),
            pachd_address=bed.pachd_address,
            log=log,
            policy=yaml.safe_dump({"rules": rules}),
        )
        stack.enter_context(operator)
        theirs.create("team-b-orders", _victim(their_project))
        theirs.wait("team-b-orders", "the Spout of the other team", ready="True")

        before, refusals = writes(operator), {}
        left = []
        for number, attack in enumerate(attacks):
            try:
                ours.create_whole(attack.body(number))
            except client.ApiException as error:
                refusals[attack.reason] = json.loads(str(error.body))["message"]
                left.append((number, attack))
        _replace_crd(bed, _without_rules(whole))
        for number, attack in left:
            _create_where_nothing_is_checked(ours, attack.body(number))
        names = {attack.reason: str(attack.body(number)["metadata"]["name"]) for number, attack in enumerate(attacks)}
        statuses = {reason: _outcome(ours, name) for reason, name in names.items()}
        yield Stage(
            ours=ours,
            theirs=theirs,
            operator=operator,
            refusals=refusals,
            statuses=statuses,
            sent=writes(operator) - before,
            names=names,
            rules=rules,
        )


def _outcome(spouts: Spouts, name: str) -> Body:
    """The status once the attack has failed, or has not."""
    return eventually(
        lambda: spouts.status_as(name, stalled="True") or spouts.status_as(name, synced="True"),
        what=f"{name} to be refused, or to get through",
        details=lambda: spouts.details(name),
    )


@contextlib.contextmanager
def the_secrets(bed: Testbed, namespace: str) -> Iterator[None]:
    """The Secrets of Pachyderm's namespace."""
    for name in SECRETS:
        manifest = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace},
            "stringData": {"password": SECRET_VALUE},
        }
        bed.kubectl("apply", "-f", "-", input=json.dumps(manifest))
    yield
    bed.kubectl("--namespace", namespace, "delete", "secret", *SECRETS)


def writes(operator: OperatorProcess) -> Counter[str]:
    """What the operator has sent to Pachyderm so far beside reads, by method, also where it failed."""
    found: Counter[str] = Counter()
    for (method, _), count in pachyderm_requests(operator.get("/metrics")).items():
        if not method.startswith(_READS):
            found[method] += count
    return found


def rows(attacks: Sequence[Attack]) -> pytest.MarkDecorator:
    """One test for each attack."""
    return pytest.mark.parametrize("attack", attacks, ids=lambda attack: attack.reason)


def check(stage: Stage, attack: Attack) -> None:
    """The attack got nothing: the API server or the operator refused it, and the Spout shows nothing of anybody."""
    refusal = stage.refusals.get(attack.reason, "")
    assert attack.refused in refusal, refusal
    assert bool(attack.refused) == bool(refusal), refusal
    status = stage.statuses[attack.reason]
    found = {each["type"]: (each["status"], each["reason"]) for each in status["conditions"]}
    wanted = {
        kind: (value, attack.ends) for kind, value in (("Ready", "False"), ("Synced", "False"), ("Stalled", "True"))
    }
    assert found == wanted, status
    assert message(status, "Stalled").startswith(attack.says), status
    assert status.keys() <= {"conditions", "observedGeneration", "pachyderm"}, f"nothing of a pipeline: {status}"
    for foreign in (SECRET_VALUE, THEIR_VALUE, stage.theirs.namespace):
        assert foreign not in json.dumps(status), status


def check_reads(stage: Stage, workers: Workers, attack: Attack) -> None:
    """The Spout of an attack that was let in runs, and its code prints what it got at."""
    name = stage.names[attack.reason]
    stage.ours.wait(name, "to run", ready="True", stalled=None)
    log = workers.wait_running(name).log
    eventually(
        lambda: f"found: {SECRET_VALUE}" in log.read_text(),
        what=f"the code of {name} to print what it got at",
        details=log.read_text,
    )


def _victim(project: str | None) -> Body:
    """The Spout of the other team: it uses the Secret that it may use."""
    secrets = [{"name": THEIRS, "key": "password", "envVar": "STOLEN"}]
    where = {"project": project} if project else {}
    changes = {"transform.secrets": secrets, "transform.env": {"TOKEN": THEIR_VALUE}, **where}
    return dict(Attack(reason="", says="", changes=changes).body(0)["spec"])


def _create_where_nothing_is_checked(spouts: Spouts, body: Body) -> None:
    """Create it as soon as the API server has taken in that the CRD has no rules any more."""

    def takes_it() -> bool:
        try:
            spouts.create_whole(body)
        except client.ApiException as error:
            return bool(error.status == http.HTTPStatus.CONFLICT)
        return True

    eventually(takes_it, what=f"the API server to take {body['metadata']['name']} without the rules of the CRD")


def _replace_crd(bed: Testbed, crd: Body) -> None:
    metadata = {key: crd["metadata"][key] for key in ("name", "labels", "annotations") if key in crd["metadata"]}
    body = {**crd, "metadata": metadata, "status": None}
    bed.kubectl("replace", "-f", "-", input=json.dumps(body))


def _without_rules(crd: Body) -> Body:
    """The CRD as somebody might have left it: any spec will do, whatever its fields hold."""
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": anything, "status": anything}}}
    versions = [{**version, "schema": schema} for version in crd["spec"]["versions"]]
    return {**crd, "spec": {**crd["spec"], "versions": versions}}
