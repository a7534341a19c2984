"""Both sides of the contract: Events in memory, and those of a real kube-apiserver."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client

from spout_operator.kubernetes.events import KubernetesEvents
from spout_operator.ports import Events
from spout_testbed import Testbed
from spout_testbed.harness.cluster import forwarded
from tests.contract.clients import an_api
from tests.contract.events.harness import MemoryOthers, RealOthers, Side
from tests.fakes.memory_events import MemoryEvents


@pytest.fixture
def memory_side() -> Side:
    events = MemoryEvents()
    return Side(port=events, others=MemoryOthers(events), namespace="ingest")


@pytest.fixture
def real_side(real_bed: Testbed, kube: client.ApiClient, namespace: str, tmp_path: Path) -> Iterator[Side]:
    def refused() -> Events:
        return KubernetesEvents(an_api(real_bed.kubeconfig_for("operator")), instance="this-replica")

    with forwarded(real_bed.kubeconfig, tmp_path / "kubeconfig") as forwarder:
        port = KubernetesEvents(an_api(tmp_path / "kubeconfig"), instance="this-replica")
        yield Side(port=port, others=RealOthers(kube, namespace, forwarder, refused), namespace=namespace)


@pytest.fixture(params=["memory", "real"])
def side(request: pytest.FixtureRequest) -> Side:
    found: Side = request.getfixturevalue(f"{request.param}_side")
    return found
