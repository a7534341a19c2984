"""Two replicas on a real Pachyderm: the leader is killed while it creates pipelines."""

import datetime
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from spout_operator.pachyderm.v1.sdk import Client
from spout_testbed import Testbed
from spout_testbed.harness.operator_process import HTTP_PORT, SECOND_HTTP_PORT, OperatorProcess
from spout_testbed.harness.requests import pachd_calls
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually
from tests.e2e.conftest import a_spec

LEASE = "--lease=spout-operator/spout-operator"
NAMES = [f"takeover-{number}" for number in range(10)]


@pytest.fixture
def operator(bed: Testbed, tmp_path: Path) -> Iterator[OperatorProcess]:
    """The replica that leads."""
    process = _replica(bed, tmp_path / "first.log", HTTP_PORT)
    with process:
        eventually(lambda: process.is_leading, what="the first to lead", details=process.log.read_text)
        yield process


@pytest.fixture
def second(bed: Testbed, operator: OperatorProcess, tmp_path: Path) -> Iterator[OperatorProcess]:
    """The replica that waits."""
    with _replica(bed, tmp_path / "second.log", SECOND_HTTP_PORT) as process:
        yield process


def test_a_killed_leader_leaves_no_spout_without_a_pipeline_and_none_with_two_versions(
    bed: Testbed, operator: OperatorProcess, spouts: Spouts, second: OperatorProcess, pachyderm: Client
) -> None:
    def answered() -> int:
        return pachd_calls(bed.pachd.log)["pps.API.CreatePipeline"]

    before = answered()
    with ThreadPoolExecutor(1) as beside:
        creating = beside.submit(lambda: [spouts.create(name, a_spec()) for name in NAMES])
        eventually(lambda: answered() > before, what="a first answered create", interval=0.005)
        killed = datetime.datetime.now()  # noqa: DTZ005 - as the log has it
        operator.kill()
        creating.result()
    assert answered() - before < len(NAMES), "it was killed in the middle"
    eventually(lambda: second.is_leading, what="the second to lead", details=second.log.read_text)

    leads = second.logged_at("leads: holds the Lease")
    assert leads is not None
    assert (leads - killed).total_seconds() < 20
    for name in NAMES:
        spouts.wait(name, "to be made by one of the two", seconds=90, synced="True", version=1)
    infos = {info.pipeline.name: info for info in pachyderm.list_pipeline().pipeline_info}
    assert {name: infos[name].version for name in NAMES} == dict.fromkeys(NAMES, 1)
    second.stop()


def _replica(bed: Testbed, log: Path, port: int) -> OperatorProcess:
    return OperatorProcess(
        kubeconfig=bed.kubeconfig_for_account("spout-operator", "spout-operator"),
        pachd_address=bed.pachd_address,
        log=log,
        flags=(LEASE,),
        port=port,
    )
