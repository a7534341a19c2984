"""Both sides of the contract: a Lease in memory, and one of a real kube-apiserver."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client

from spout_operator.kubernetes.leases import KubernetesLeases
from spout_testbed import Testbed
from spout_testbed.harness.cluster import forwarded
from tests.contract.clients import an_api
from tests.contract.leases.harness import MemoryOthers, RealOthers, Side
from tests.fakes.memory_leases import MemoryLeases, MemoryLeasesPort

NAME = "spout-operator"


@pytest.fixture
def memory_side() -> Side:
    leases = MemoryLeases()
    return Side(port=MemoryLeasesPort(leases), others=MemoryOthers(leases))


@pytest.fixture
def real_side(real_bed: Testbed, kube: client.ApiClient, namespace: str, tmp_path: Path) -> Iterator[Side]:
    with forwarded(real_bed.kubeconfig, tmp_path / "kubeconfig") as forwarder:
        port = KubernetesLeases(an_api(tmp_path / "kubeconfig"), namespace=namespace, name=NAME)
        yield Side(port=port, others=RealOthers(kube, namespace, NAME, forwarder))


@pytest.fixture(params=["memory", "real"])
def side(request: pytest.FixtureRequest) -> Side:
    found: Side = request.getfixturevalue(f"{request.param}_side")
    return found
