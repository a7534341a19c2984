"""Real servers for the whole session, an operator and a namespace for each test."""

import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from spout_operator.pachyderm.v1.sdk import Client
from spout_testbed import Testbed
from tests.support.kube import administrator
from tests.support.operator_process import OperatorProcess
from tests.support.spouts import Spouts

ROOT = Path(__file__).parents[2]
RESOURCE = ("spout-operator.io", "v1alpha1")
USER_CODE = Path(__file__).with_name("user_code.py")


@pytest.fixture(scope="session")
def bed() -> Iterator[Testbed]:
    with Testbed.start(pachyderm=True) as bed:
        bed.kubectl("apply", "-k", str(ROOT / "deploy" / "overlays" / "cluster-wide"))
        bed.kubectl("wait", "--for=condition=Established", "crd/spouts.spout-operator.io", "--timeout=30s")
        yield bed


@pytest.fixture(scope="session")
def pachyderm(bed: Testbed) -> Client:
    """The SDK's own client: a second witness of what pachd holds."""
    return Client.new_from_pachd_address(bed.pachd_address)


@pytest.fixture
def operator(bed: Testbed, tmp_path: Path) -> Iterator[OperatorProcess]:
    """A running operator with the rights of deploy/overlays/cluster-wide, and no more."""
    process = OperatorProcess(
        kubeconfig=bed.kubeconfig_for_account("spout-operator", "spout-operator"),
        pachd_address=bed.pachd_address,
        log=tmp_path / "operator.log",
    )
    with process:
        yield process


@pytest.fixture
def spouts(bed: Testbed, operator: OperatorProcess, pachyderm: Client) -> Iterator[Spouts]:
    """A namespace of the test's own; what is left in it is deleted, with the pipelines."""
    name = f"e2e-{uuid.uuid4().hex[:8]}"
    with administrator(bed) as api_client:
        core = client.CoreV1Api(api_client)
        core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name)))
        yield Spouts(api_client, name, operator.log)
        # First, so that it does not put back what is cleared away here.
        operator.stop()
        listed: Any = client.CustomObjectsApi(api_client).list_namespaced_custom_object(*RESOURCE, name, "spouts")
        release = ("--type=merge", '--patch={"metadata":{"finalizers":null}}')
        for spout in (item["metadata"]["name"] for item in listed["items"]):
            bed.kubectl("delete", "spout", spout, "-n", name, "--wait=false")
            bed.kubectl("patch", "spout", spout, "-n", name, *release, check=False)
        for info in pachyderm.list_pipeline(allow_incomplete=True).pipeline_info:
            pachyderm.delete_pipeline(info.pipeline.name, force=True)
        for repo in pachyderm.list_repo():
            pachyderm.delete_repo(repo.repo.name, force=True)


@pytest.fixture
def name() -> str:
    """A pipeline name of the test's own: one Pachyderm serves them all."""
    return f"spout-{uuid.uuid4().hex[:8]}"


def a_spec(**overrides: Any) -> dict[str, Any]:
    """A spec whose code counts: it writes one archive of data and one with the marker, every 200 ms."""
    spec: dict[str, Any] = {
        "transform": {"image": "python:3.13", "cmd": [sys.executable, str(USER_CODE)], "env": {"LIMIT": "5"}},
        "spout": {"marker": "offset"},
    }
    spec["transform"] = {**spec["transform"], **overrides.pop("transform", {})}
    return {**spec, **overrides}


Make = Callable[..., dict[str, Any]]
