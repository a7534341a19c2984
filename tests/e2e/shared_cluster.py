"""A cluster that two teams share, as docs/guides/share-a-cluster.md sets it up, and the people who follow the page."""

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from spout_testbed import Testbed
from spout_testbed.harness.bodies import a_spout
from spout_testbed.harness.cluster import ROOT, administrator, empty, finalize, install
from spout_testbed.harness.operator_process import OperatorProcess
from tests.e2e.guide import Step, a_person, steps

TEAMS = {"team-a", "team-b"}
ON_PACHYDERM_2 = "On Pachyderm 2"
#: What the operator has before anybody wrote a policy.
_NOTHING = "rules: []"
_CONFIG_MAP = ("-n", "spout-operator", "configmap/spout-operator-policy")


def the_page() -> list[Step]:
    """Its files and commands."""
    return steps(ROOT / "docs" / "guides" / "share-a-cluster.md")


class SharedCluster:
    """The page's people, on one test bed. Nobody of a team has a right that the page does not give."""

    def __init__(self, bed: Testbed, folder: Path, operator_log: Path, policy: Path) -> None:
        self._bed, self._operator_log, self._policy = bed, operator_log, policy
        self._people = {
            "administrator": a_person(bed, folder / "administrator", namespace="default"),
            "team a": a_person(bed, folder / "ann", user="ann", namespace="team-a"),
            "team b": a_person(bed, folder / "ben", user="ben", namespace="team-b"),
        }

    def follow(self, step: Step) -> None:
        """Do what the page says, as the person whom its heading names."""
        # The page has Pachyderm in the namespace that it has by default.
        here = step.text.replace("--namespace pachyderm ", f"--namespace {self._bed.pachyderm_namespace} ")
        [who] = [who for who in self._people if step.heading.lower().removeprefix("the ").startswith(who)]
        self._people[who].follow(step, here, details=self._operator_log.read_text)
        self._bring_policy()

    def create(self, who: str, name: str) -> subprocess.CompletedProcess[str]:
        """Have somebody create a Spout without any code of its own."""
        body = a_spout(name=name)
        return self._people[who].run("kubectl create -f -", input=json.dumps(body))

    def count(self, team: str) -> None:
        """Do what the quota controller does: have the API server enforce the quota of a team from now on."""
        used = len(self._bed.kubectl("get", "spouts", "-n", team, "-o", "name").stdout.splitlines())
        quota = ("resourcequota/spouts", "-n", team)
        hard = json.loads(self._bed.kubectl("get", *quota, "-o", "json").stdout)["spec"]["hard"]
        status = {"status": {"hard": hard, "used": dict.fromkeys(hard, str(used))}}
        self._bed.kubectl("patch", *quota, "--subresource=status", "--type=merge", f"--patch={json.dumps(status)}")

    def _bring_policy(self) -> None:
        """Do what the kubelet does with a ConfigMap that a Pod has mounted."""
        found = self._bed.kubectl("get", *_CONFIG_MAP, "-o", "jsonpath={.data.policy\\.yaml}", check=False)
        if found.returncode == 0 and found.stdout != self._policy.read_text():
            new = self._policy.with_suffix(".new")
            new.write_text(found.stdout)
            new.replace(self._policy)


@contextlib.contextmanager
def shared_cluster(bed: Testbed, folder: Path, clear: Callable[[], None]) -> Iterator[SharedCluster]:
    """A cluster with an operator that nobody has given a policy; what the page makes there is gone at the end.

    Args:
        bed: the servers.
        folder: for the files of the people and of the operator.
        clear: deletes all pipelines and repos.
    """
    policy, log = folder / "policy.yaml", folder / "operator.log"
    policy.write_text(_NOTHING)
    operator = OperatorProcess(
        kubeconfig=bed.kubeconfig_for_account("spout-operator", "spout-operator"),
        pachd_address=bed.pachd_address,
        log=log,
        flags=(f"--policy={policy}",),
    )
    try:
        with operator:
            yield SharedCluster(bed, folder, log, policy)
    finally:
        clear()
        _remove(bed)


def _remove(bed: Testbed) -> None:
    with administrator(bed) as api_client:
        there = bed.kubectl("get", "namespaces", "-o", "jsonpath={.items[*].metadata.name}").stdout.split()
        for team in TEAMS.intersection(there):
            empty(api_client, team)
            bed.kubectl("delete", "namespace", team, "--wait=false")
            finalize(api_client, team)
    of_teams = [f"{kind}/kafka-{team}" for team in TEAMS for kind in ("secret", "role", "rolebinding")]
    for rest in (_CONFIG_MAP, ("clusterrole/spout-author",), ("-n", bed.pachyderm_namespace, *of_teams)):
        bed.kubectl("delete", "--ignore-not-found", *rest)
    # With the ConfigMap that the page has replaced.
    install(bed)
