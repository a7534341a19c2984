"""One operator for several namespaces, on a real kube-apiserver: trouble in one affects only its own Spouts."""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client

from spout_testbed import Testbed
from spout_testbed.harness.bodies import a_spec
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually
from tests.memory_pachd import MemoryPachd

SPEC = a_spec({"spout.marker": "offset"})
#: Seconds in which trouble in a namespace must be reported, and in which it must end again: kopf needs some
#: seconds to end a watch, and the pauses between two tries grow.
TOLD, TAKEN_UP = 60, 90
#: What an account needs besides its rights in each namespace.
BASICS = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: several-namespaces}
rules:
- {apiGroups: [apiextensions.k8s.io], resources: [customresourcedefinitions], verbs: [get]}
- {apiGroups: [""], resources: [namespaces], resourceNames: [kube-system], verbs: [get]}
"""
RIGHTS = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: operator, namespace: {namespace}}}
rules:
- {{apiGroups: [spout-operator.io], resources: [spouts], verbs: [get, list, watch, patch]}}
- {{apiGroups: [spout-operator.io], resources: [spouts/status], verbs: [patch]}}
- {{apiGroups: [""], resources: [namespaces], resourceNames: [{namespace}], verbs: [get]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: operator, namespace: {namespace}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: operator}}
subjects: [{{kind: ServiceAccount, name: {account}, namespace: default}}]
"""


class Place:
    """A second namespace, which a test deletes and creates again."""

    def __init__(self, bed: Testbed, account: str) -> None:
        self.name = f"other-{uuid.uuid4().hex[:12]}"
        self._bed = bed
        self._account = account

    def make(self) -> None:
        self._bed.kubectl("create", "namespace", self.name)
        self.grant()

    def grant(self) -> None:
        grant(self._bed, self._account, self.name)

    def revoke(self) -> None:
        self._bed.kubectl("delete", "rolebinding", "operator", "-n", self.name)

    def delete(self) -> None:
        """Delete it as a controller manager would, which does not run here: its contents first."""
        self._bed.kubectl("delete", "role,rolebinding,spouts", "--all", "-n", self.name, "--wait=false")
        for left in self._bed.kubectl("get", "spouts", "-n", self.name, "-o", "name").stdout.split():
            # Otherwise it would still exist for the operators of other tests.
            without = '{"metadata": {"finalizers": null}}'
            self._bed.kubectl("patch", left, "-n", self.name, "--type=merge", f"--patch={without}", check=False)
        self._bed.kubectl("delete", "namespace", self.name, "--wait=false")
        empty = f'{{"apiVersion": "v1", "kind": "Namespace", "metadata": {{"name": "{self.name}"}}, "spec": {{}}}}'
        finalize = ("replace", "--raw", f"/api/v1/namespaces/{self.name}/finalize", "-f", "-")
        self._bed.kubectl(*finalize, input=empty, check=False)


def grant(bed: Testbed, account: str, namespace: str) -> None:
    bed.kubectl("apply", "-f", "-", input=RIGHTS.format(namespace=namespace, account=account))


@pytest.fixture
def account(bed: Testbed, crd: str) -> Iterator[str]:
    """A new account without rights in any namespace."""
    name = f"operator-{uuid.uuid4().hex[:12]}"
    bed.kubectl("create", "serviceaccount", name)
    bed.kubectl("apply", "-f", "-", input=BASICS)
    binding = ("clusterrolebinding", name)
    bed.kubectl("create", *binding, "--clusterrole=several-namespaces", f"--serviceaccount=default:{name}")
    yield name
    bed.kubectl("delete", *binding)
    bed.kubectl("delete", "serviceaccount", name, "--ignore-not-found")


@pytest.fixture
def other(bed: Testbed, account: str) -> Iterator[Place]:
    place = Place(bed, account)
    place.make()
    yield place
    place.delete()


@pytest.fixture
def process(  # noqa: PLR0917 - fixtures
    bed: Testbed, account: str, namespace: str, other: Place, pachd: MemoryPachd, tmp_path: Path
) -> Iterator[OperatorProcess]:
    """An operator for both namespaces that is not started yet."""
    grant(bed, account, namespace)
    process = OperatorProcess(
        kubeconfig=bed.kubeconfig_for_account("default", account),
        pachd_address=pachd.address,
        log=tmp_path / "operator.log",
        flags=(f"--namespace={namespace}", f"--namespace={other.name}"),
    )
    yield process
    process.kill()


def spouts_in(namespace: str, kube: client.ApiClient, process: OperatorProcess) -> Spouts:
    return Spouts(kube, namespace, process.log)


def readyz(process: OperatorProcess, said: str, *, seconds: float = TOLD) -> None:
    eventually(
        lambda: said in process.get("/readyz"),
        what=f"/readyz to say {said!r}",
        seconds=seconds,
        details=lambda: process.get("/readyz") + process.log.read_text(),
    )


def ends_soon(process: OperatorProcess) -> None:
    begun = time.monotonic()
    assert process.stop() == 0
    assert time.monotonic() - begun < 10


def test_a_namespace_that_loses_its_rights_affects_only_its_own_spouts(
    process: OperatorProcess, namespace: str, other: Place, kube: client.ApiClient
) -> None:
    here, there = spouts_in(namespace, kube, process), spouts_in(other.name, kube, process)
    process.start()
    for spouts, name in ((here, "here"), (there, "there")):
        spouts.create(name, SPEC)
        spouts.wait(name, "to be made", synced="True")

    other.revoke()
    # The API server lets a granted watch continue, and refuses all other requests at once.
    readyz(process, f"[-]watch {other.name}: could not read the namespace '{other.name}': the API server answered 403")
    assert f"[+]watch {namespace} ok" in process.get("/readyz")
    assert f'spout_operator_watch_up{{watched_namespace="{other.name}"}} 0.0' in process.get("/metrics")
    assert f'spout_operator_watch_up{{watched_namespace="{namespace}"}} 1.0' in process.get("/metrics")
    here.edit("here", {"transform": {"image": "i:2"}})
    here.wait("here", "to be updated", version=2)
    here.create("during", SPEC)
    here.wait("during", "to be made", synced="True")
    assert "[-]" not in process.get("/livez")

    other.grant()
    there.create("after", SPEC)
    there.wait("after", "to be made", synced="True", seconds=TAKEN_UP)
    readyz(process, f"[+]watch {other.name} ok")
    other.revoke()
    ends_soon(process)


def test_an_operator_that_starts_without_one_namespace_serves_the_others_and_picks_it_up_later(
    process: OperatorProcess, namespace: str, other: Place, kube: client.ApiClient
) -> None:
    other.revoke()
    here, there = spouts_in(namespace, kube, process), spouts_in(other.name, kube, process)
    process.launch()
    here.create("here", SPEC)
    there.create("there", SPEC)

    here.wait("here", "to be made", synced="True")
    readyz(
        process,
        f"[-]watch {other.name}: cannot watch the Spouts of the namespace '{other.name}': the API server answered 403",
    )
    other.grant()
    there.wait("there", "to be made", synced="True", seconds=TAKEN_UP)
    readyz(process, f"[+]watch {other.name} ok")
    ends_soon(process)


def test_a_namespace_that_is_deleted_and_created_again_needs_no_restart(
    process: OperatorProcess, namespace: str, other: Place, kube: client.ApiClient
) -> None:
    there = spouts_in(other.name, kube, process)
    process.start()
    there.create("one", SPEC)
    there.wait("one", "to be made", synced="True")
    there.delete("one")
    eventually(lambda: there.get("one") is None, what="the Spout to be gone")

    other.delete()
    readyz(process, f"[-]watch {other.name}")
    other.make()
    there.create("one", SPEC)

    there.wait("one", "to be made anew", synced="True", seconds=TAKEN_UP)
    readyz(process, f"[+]watch {other.name} ok")
    pid = process.pid
    assert f"[+]watch {namespace} ok" in process.get("/readyz")
    assert process.pid == pid
    ends_soon(process)


def test_a_revoked_token_is_logged_once_and_not_retried_in_a_loop(
    process: OperatorProcess, bed: Testbed, account: str, namespace: str
) -> None:
    process.start()
    # The API server no longer accepts its tokens.
    bed.kubectl("delete", "serviceaccount", account)

    readyz(process, "the API server answered 401 Unauthorized", seconds=120)
    before = refusals(process)
    # The requests within some seconds are counted: no event shows that a request is not made.
    time.sleep(10)
    assert refusals(process) - before < 20, "it was 60 a second"
    ends_soon(process)


def refusals(process: OperatorProcess) -> float:
    """How many requests the API server has answered with 401."""
    lines = process.get("/metrics").splitlines()
    wanted = [
        line for line in lines if line.startswith("spout_operator_kubernetes_requests_total{") and '"401"' in line
    ]
    return sum(float(line.rpartition(" ")[2]) for line in wanted)
