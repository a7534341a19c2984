"""The operator as a process, on a real kube-apiserver and an in-memory pachd that can fail."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client

from spout_testbed import Testbed
from spout_testbed.harness.cluster import install
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts
from tests.memory_pachd import MemoryPachd


@pytest.fixture(scope="session")
def rights(bed: Testbed, crd: str) -> None:
    """Install the rights that deploy/overlays/cluster-wide grants to the operator's account."""
    install(bed)


@pytest.fixture
def pachd() -> Iterator[MemoryPachd]:
    with MemoryPachd() as pachd:
        yield pachd


@pytest.fixture
def policy() -> str | None:
    """The text of the operator's policy file; none, unless a test module has one."""
    return None


@pytest.fixture
def stopped_operator(
    bed: Testbed, rights: None, pachd: MemoryPachd, tmp_path: Path, policy: str | None
) -> Iterator[OperatorProcess]:
    """An operator that is not started yet."""
    process = OperatorProcess(
        kubeconfig=bed.kubeconfig_for_account("spout-operator", "spout-operator"),
        pachd_address=pachd.address,
        log=tmp_path / "operator.log",
        policy=policy,
    )
    yield process
    process.stop()


@pytest.fixture
def operator(stopped_operator: OperatorProcess) -> OperatorProcess:
    """An operator that runs."""
    return stopped_operator.start()


@pytest.fixture
def spouts(kube: client.ApiClient, namespace: str, stopped_operator: OperatorProcess) -> Iterator[Spouts]:
    """The Spouts of the test's own namespace."""
    yield Spouts(kube, namespace, stopped_operator.log)
    # Stopped first, so that it does not restore the finalizers that the end of the namespace removes.
    stopped_operator.stop()
