"""Two replicas: one acts, the other takes over, and a replica that was paused does no harm."""

import datetime
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kubernetes import client

from spout_testbed import Testbed
from spout_testbed.harness import audit
from spout_testbed.harness.bodies import a_spec
from spout_testbed.harness.operator_process import SECOND_HTTP_PORT, OperatorProcess
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually
from tests.memory_pachd import MemoryPachd

SPEC = a_spec({"spout.marker": "offset"})
#: Calls that change something in Pachyderm.
WRITES = ("CreatePipeline", "StartPipeline", "StopPipeline", "DeletePipeline")
LEASE = "--lease=spout-operator/spout-operator"
ROLES = {
    "clusterrolebinding": ("spout-operator", "spout-operator-crd"),
    "kube-system": ("spout-operator-cluster-id",),
    "spout-operator": ("spout-operator-lease",),
}


@pytest.fixture(scope="module")
def second_user(bed: Testbed, rights: None) -> str:
    """Another account with the same rights, so that the API server's log distinguishes the two replicas."""
    for place, roles in ROLES.items():
        for role in roles:
            if place == "clusterrolebinding":
                bed.kubectl(
                    "create", "clusterrolebinding", f"second-{role}", f"--clusterrole={role}", "--user=operator"
                )
            else:
                bed.kubectl("create", "rolebinding", f"second-{role}", f"--role={role}", "--user=operator", "-n", place)
    return "operator"


@pytest.fixture
def replicas(
    bed: Testbed, second_user: str, pachd: MemoryPachd, tmp_path: Path
) -> Iterator[tuple[OperatorProcess, OperatorProcess]]:
    """A leader under the operator's account, and a replica that waits."""
    bed.kubectl("delete", "lease", "--all", "-n", "spout-operator")
    first = OperatorProcess(
        kubeconfig=bed.kubeconfig_for_account("spout-operator", "spout-operator"),
        pachd_address=pachd.address,
        log=tmp_path / "first.log",
        flags=(LEASE,),
    )
    second = OperatorProcess(
        kubeconfig=bed.kubeconfig_for(second_user),
        pachd_address=pachd.address,
        log=tmp_path / "second.log",
        flags=(LEASE,),
        port=SECOND_HTTP_PORT,
    )
    with first:
        eventually(lambda: first.is_leading, what="the first to lead", details=first.log.read_text)
        with second:
            yield first, second


@pytest.fixture
def spouts(
    kube: client.ApiClient, namespace: str, replicas: tuple[OperatorProcess, OperatorProcess]
) -> Iterator[Spouts]:
    yield Spouts(kube, namespace, replicas[1].log)
    # Stopped first, so that they do not restore the finalizers that the end of the namespace removes.
    for process in replicas:
        process.stop()


def seconds_until(look: Callable[[], object], *, what: str, details: Callable[[], str]) -> float:
    begin = time.monotonic()
    eventually(lambda: bool(look()) or None, what=what, seconds=40, details=details)
    return time.monotonic() - begin


def lease_holder(bed: Testbed) -> str:
    query = "-o=jsonpath={.spec.holderIdentity}"
    return bed.kubectl("get", "lease", "spout-operator", "-n", "spout-operator", query).stdout


def test_the_leader_acts_while_the_other_replica_waits_and_is_ready(
    replicas: tuple[OperatorProcess, OperatorProcess], spouts: Spouts, pachd: MemoryPachd
) -> None:
    first, second = replicas
    spouts.create("one", SPEC)
    spouts.wait("one", "to be made", synced="True")

    assert pachd.calls["CreatePipeline"] == 1
    assert " leads) ok" in second.get("/readyz")
    assert second.get("/livez") == "[+]lease ok\n"
    assert "spout_operator_leader 1.0" in first.get("/metrics")
    assert "spout_operator_leader 0.0" in second.get("/metrics")
    assert 'name="one"' in first.get("/metrics")
    assert 'name="one"' not in second.get("/metrics"), "one that waits knows no Spouts"


def test_the_other_replica_leads_within_three_seconds_of_a_clean_stop(
    replicas: tuple[OperatorProcess, OperatorProcess], spouts: Spouts, bed: Testbed
) -> None:
    first, second = replicas

    begin = datetime.datetime.now()  # noqa: DTZ005 - as the log has it
    assert first.stop() == 0
    eventually(lambda: second.is_leading, what="the second to lead", details=second.log.read_text)

    leads = second.logged_at("leads: holds the Lease")
    assert leads is not None
    assert (leads - begin).total_seconds() < 3
    assert lease_holder(bed) != ""
    spouts.create("one", SPEC)
    spouts.wait("one", "to be made by the second", synced="True")


def test_the_last_replica_releases_the_lease_when_it_stops(
    replicas: tuple[OperatorProcess, OperatorProcess], bed: Testbed
) -> None:
    first, second = replicas
    second.stop()
    first.stop()

    assert lease_holder(bed) == ""


def test_a_leader_that_was_paused_writes_nothing_and_ends(
    replicas: tuple[OperatorProcess, OperatorProcess], spouts: Spouts, pachd: MemoryPachd, bed: Testbed
) -> None:
    first, second = replicas
    spouts.create("one", SPEC)
    spouts.wait("one", "to be made", synced="True")
    pachd.come_up("one")
    spouts.wait("one", "to be ready", ready="True")

    # It has work to do: an edit that it has read from the watch, or will read when it continues.
    first.pause()
    spouts.edit("one", {"transform": {"image": "i:2"}})
    took = seconds_until(lambda: second.is_leading, what="the second to lead", details=second.log.read_text)
    assert took < 20
    spouts.wait("one", "to be updated by the second", version=2, synced="True")
    spouts.create("two", SPEC)
    spouts.wait("two", "to be made by the second", synced="True")
    mark = audit.size(bed.audit_log)
    written = Counter({method: pachd.calls[method] for method in WRITES})
    spouts.edit("one", {"transform": {"image": "i:3"}})
    spouts.wait("one", "to be updated by the second", version=3, synced="True")

    first.resume()

    assert first.wait() == 1
    assert "no longer holds the Lease" in first.log.read_text()
    account = "system:serviceaccount:spout-operator:spout-operator"
    writes = [request for request in audit.requests(bed.audit_log, since=mark) if request.is_write]
    assert {request.user for request in writes} <= {account}, "only the first is in this log"
    assert [request for request in writes if request.resource != "leases"] == []
    assert all(request.status == 409 for request in writes), "its renewal came too late"
    written["CreatePipeline"] += 1
    assert {method: pachd.calls[method] for method in WRITES} == written, "the second's update, and no other"
    assert spouts.wait("one", "to stay so", version=3)


def test_a_leader_that_is_killed_in_the_middle_of_a_create_leaves_neither_two_pipelines_nor_none(
    replicas: tuple[OperatorProcess, OperatorProcess], spouts: Spouts, pachd: MemoryPachd
) -> None:
    first, second = replicas
    names = [f"spout-{number}" for number in range(4)]
    pachd.hang("CreatePipeline")
    for name in names:
        spouts.create(name, SPEC)
    eventually(lambda: pachd.calls["CreatePipeline"] == len(names), what="the calls to be under way")

    first.kill()
    pachd.release("CreatePipeline")

    took = seconds_until(lambda: second.is_leading, what="the second to lead", details=second.log.read_text)
    assert took < 20
    for name in names:
        spouts.wait(name, "to be made", synced="True", version=1)


def test_a_lease_that_the_operator_may_not_read_is_named_by_readyz(
    bed: Testbed, rights: None, pachd: MemoryPachd, tmp_path: Path
) -> None:
    process = OperatorProcess(
        kubeconfig=bed.kubeconfig_for_account("spout-operator", "spout-operator"),
        pachd_address=pachd.address,
        log=tmp_path / "operator.log",
        flags=("--lease=default/other",),
    )
    process.launch()
    try:
        said = "could not get the Lease default/other: the API server answered 403"
        eventually(lambda: said in process.get("/readyz"), what="/readyz to say so", details=process.log.read_text)
    finally:
        code = process.stop()
    assert code == 0, "and it can be ended while it waits"
