"""The watch on a real kube-apiserver: counted, and made anew where its connection goes silent."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client

from spout_testbed import Testbed
from tests.memory_pachd import MemoryPachd
from tests.support.operator_process import OperatorProcess
from tests.support.spouts import Spouts
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import eventually

SPEC: dict[str, Any] = {"transform": {"image": "i:1", "cmd": ["run"]}, "spout": {"marker": "offset"}}
#: Seconds: kopf gives up a watch that shows neither a change nor a bookmark for 70 (the API server sends those each
#: minute), and a pooled connection costs its deadline of 15.
MADE_ANEW = 120


@pytest.fixture
def proxied(bed: Testbed, rights: None, tmp_path: Path) -> Iterator[tuple[Path, TcpProxy]]:
    """The operator's kubeconfig, by way of a proxy to the API server."""
    direct = bed.kubeconfig_for_account("spout-operator", "spout-operator")
    settings = yaml.safe_load(direct.read_text())
    cluster = settings["clusters"][0]["cluster"]
    host, _, port = cluster["server"].removeprefix("https://").partition(":")
    with TcpProxy((host, int(port or 443))) as proxy:
        cluster["server"] = f"https://127.0.0.1:{proxy.port}"
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(yaml.safe_dump(settings))
        yield kubeconfig, proxy


def test_a_watch_is_counted_by_how_it_was_answered(operator: OperatorProcess) -> None:
    wanted = 'spout_operator_kubernetes_requests_total{code="200",resource="spouts",verb="watch"} 1.0'
    eventually(lambda: wanted in operator.get("/metrics"), what="the watch to be counted")
    assert 'code="200",resource="discovery",verb="get"' in operator.get("/metrics")


def test_a_watch_whose_connection_went_silent_is_made_anew(
    proxied: tuple[Path, TcpProxy], kube: client.ApiClient, namespace: str, pachd: MemoryPachd, tmp_path: Path
) -> None:
    kubeconfig, proxy = proxied
    process = OperatorProcess(kubeconfig=kubeconfig, pachd_address=pachd.address, log=tmp_path / "operator.log")
    spouts = Spouts(kube, namespace, process.log)
    with process:
        spouts.create("one", SPEC)
        spouts.wait("one", "to be made", synced="True")

        proxy.silence()
        spouts.create("two", SPEC)

        eventually(
            lambda: f"{namespace}/two" in process.log.read_text(),
            what="the Spout that nothing told of to be seen",
            seconds=MADE_ANEW,
            details=lambda: process.get("/livez") + process.log.read_text(),
        )
        spouts.wait("two", "to be made", synced="True")
