"""Both sides of the contract: Spouts in memory, and those of a real kube-apiserver."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client

from spout_operator.kubernetes.spouts import KubernetesSpouts
from spout_testbed import Testbed
from spout_testbed.harness.cluster import forwarded
from tests.contract.clients import an_api
from tests.contract.spouts.harness import MemoryUsers, RealUsers, Side
from tests.fakes.memory_spouts import MemorySpouts


@pytest.fixture
def memory_side() -> Side:
    spouts = MemorySpouts()
    return Side(port=spouts, users=MemoryUsers(spouts, "ingest"), namespace="ingest")


@pytest.fixture
def real_side(real_bed: Testbed, kube: client.ApiClient, namespace: str, tmp_path: Path) -> Iterator[Side]:
    with forwarded(real_bed.kubeconfig, tmp_path / "kubeconfig") as forwarder:
        port = KubernetesSpouts(an_api(tmp_path / "kubeconfig"))
        yield Side(port=port, users=RealUsers(real_bed, kube, namespace, forwarder), namespace=namespace)


@pytest.fixture(params=["memory", "real"])
def side(request: pytest.FixtureRequest) -> Side:
    found: Side = request.getfixturevalue(f"{request.param}_side")
    return found
