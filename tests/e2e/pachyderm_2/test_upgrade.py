"""Pachyderm is upgraded from 1.13 to 2.12 under one address: the old pipelines are not there, and the Spouts say so."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pachyderm_sdk import Client

from spout_testbed import Testbed
from spout_testbed.forward import Forwarder
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts, message
from spout_testbed.network import LOOPBACK
from spout_testbed.pachyderm import Pachyderm
from tests.e2e.conftest import a_spec

KEPT = ("pachyderm", "pipeline", "commits", "marker")


class Address:
    """One address, behind which each Pachyderm of a test bed can be put."""

    def __init__(self, bed: Testbed) -> None:
        self._bed = bed
        self._forwarder = self._forward("1.13", port=0)
        self.url = f"grpc://{LOOPBACK}:{self._forwarder.port}"

    def lead_to(self, version: str) -> None:
        """Put another Pachyderm behind the address."""
        self._forwarder.close()
        self._forwarder = self._forward(version, port=self._forwarder.port)

    def close(self) -> None:
        """Lead nowhere."""
        self._forwarder.close()

    def _forward(self, version: str, *, port: int) -> Forwarder:
        target = self._bed.pachyderm(version).address.rpartition(":")[2]
        return Forwarder((LOOPBACK, port), (LOOPBACK, int(target)))


@pytest.fixture
def address(bed: Testbed) -> Iterator[Address]:
    address = Address(bed)
    yield address
    address.close()


@pytest.fixture
def old(bed: Testbed) -> Iterator[Pachyderm]:
    pachyderm = bed.pachyderm("1.13")
    yield pachyderm
    pachyderm.pachctl("delete", "pipeline", "--all", "--force")


@pytest.fixture
def operator(bed: Testbed, address: Address, tmp_path: Path) -> Iterator[OperatorProcess]:
    process = OperatorProcess(
        kubeconfig=bed.kubeconfig_for_account("spout-operator", "spout-operator"),
        pachd_address=address.url,
        log=tmp_path / "operator.log",
    )
    with process:
        yield process


def pipelines(pachyderm: Client) -> set[str]:
    return {info.pipeline.name for info in pachyderm.pps.list_pipeline()}


def test_nothing_is_created_over_the_old_pipelines_in_silence(
    spouts: Spouts, name: str, pachyderm: Client, address: Address, old: Pachyderm
) -> None:
    with_marker, without = f"{name}-a", f"{name}-b"
    spouts.create(with_marker, a_spec())
    spouts.create(without, a_spec(spout={}))
    before = {each: spouts.wait(each, "ten commits", ready="True", total=10) for each in (with_marker, without)}

    address.lead_to("2.12")

    for each, status in before.items():
        after = spouts.wait(each, "to say so", ready="False", reason="PachydermReplaced", stalled="True")
        assert f"{each!r} was on Pachyderm 1.13.4 at {address.url}; now Pachyderm 2.12.2 answers" in message(after)
        assert [after.get(section) for section in KEPT] == [status.get(section) for section in KEPT]
    assert not pipelines(pachyderm)

    address.lead_to("1.13")
    for each, status in before.items():
        spouts.wait(each, "to go on where it was", ready="True", version=1, total=status["commits"]["total"])

    address.lead_to("2.12")
    spouts.wait(without, "to say so again", reason="PachydermReplaced")
    spouts.delete(without)
    spouts.wait_gone(without)
    spouts.create(without, a_spec(spout={}, suspend=True))
    status = spouts.wait(without, "to be there from nothing", ready="True", reason="Suspended", version=1)
    assert status["pachyderm"] == {"address": address.url, "version": "2.12.2"}
    assert pipelines(pachyderm) == {without}
    assert with_marker in old.pachctl("list", "pipeline").stdout
    assert without in old.pachctl("list", "pipeline").stdout
