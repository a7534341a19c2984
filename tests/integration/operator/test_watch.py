"""The watch on a real kube-apiserver: it is counted, and restarted where its connection goes silent."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client

from spout_testbed import Testbed
from spout_testbed.forward import Forwarder
from spout_testbed.harness.bodies import a_spec
from spout_testbed.harness.cluster import forwarded
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually
from tests.memory_pachd import MemoryPachd

SPEC = a_spec({"spout.marker": "offset"})
#: Seconds: kopf gives up a watch that shows neither a change nor a bookmark for 70 (the API server sends those each
#: minute), and a pooled connection costs its deadline of 15.
MADE_ANEW = 120


@pytest.fixture
def way(bed: Testbed, rights: None, tmp_path: Path) -> Iterator[tuple[Path, Forwarder]]:
    """The operator's kubeconfig, by way of a forwarder to the API server."""
    direct = bed.kubeconfig_for_account("spout-operator", "spout-operator")
    with forwarded(direct, tmp_path / "kubeconfig") as forwarder:
        yield tmp_path / "kubeconfig", forwarder


def test_a_watch_is_counted_by_its_status_code(operator: OperatorProcess) -> None:
    wanted = 'spout_operator_kubernetes_requests_total{code="200",resource="spouts",verb="watch"} 1.0'
    eventually(lambda: wanted in operator.get("/metrics"), what="the watch to be counted")
    assert 'code="200",resource="discovery",verb="get"' in operator.get("/metrics")


def test_a_watch_on_a_silent_connection_is_restarted(
    way: tuple[Path, Forwarder], kube: client.ApiClient, namespace: str, pachd: MemoryPachd, tmp_path: Path
) -> None:
    kubeconfig, forwarder = way
    process = OperatorProcess(kubeconfig=kubeconfig, pachd_address=pachd.address, log=tmp_path / "operator.log")
    spouts = Spouts(kube, namespace, process.log)
    with process:
        spouts.create("one", SPEC)
        spouts.wait("one", "to be made", synced="True")

        forwarder.silence()
        spouts.create("two", SPEC)

        eventually(
            lambda: f"{namespace}/two" in process.log.read_text(),
            what="the Spout without a watch event to be seen",
            seconds=MADE_ANEW,
            details=lambda: process.get("/livez") + process.log.read_text(),
        )
        spouts.wait("two", "to be made", synced="True")
