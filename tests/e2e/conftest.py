"""Real servers for the whole session, an operator and a namespace for each test."""

import functools
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from spout_operator.pachyderm.v1.sdk import Client
from spout_testbed import Testbed
from spout_testbed.harness import bodies
from spout_testbed.harness.cluster import a_namespace, administrator, install
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts
from tests.e2e.failing_code import Installation

ROOT = Path(__file__).parents[2]
USER_CODE = Path(__file__).with_name("user_code.py")


@pytest.fixture(scope="session")
def bed() -> Iterator[Testbed]:
    with Testbed.start(pachyderm="1.13") as bed:
        install(bed)
        yield bed


@pytest.fixture(scope="session")
def pachyderm(bed: Testbed) -> Client:
    """The SDK's own client, which shows what pachd holds without the operator's adapter."""
    return Client.new_from_pachd_address(bed.pachd_address)


@pytest.fixture
def clear(pachyderm: Client) -> Callable[[], None]:
    """Deletes all pipelines and repos."""
    return functools.partial(delete_all, pachyderm)


def delete_all(pachyderm: Client) -> None:
    """Delete all pipelines and repos."""
    for info in pachyderm.list_pipeline(allow_incomplete=True).pipeline_info:
        pachyderm.delete_pipeline(info.pipeline.name, force=True)
    for repo in pachyderm.list_repo():
        pachyderm.delete_repo(repo.repo.name, force=True)


@pytest.fixture
def policy_text() -> str | None:
    """That of the operator's policy file; none, unless a test `allows` something."""
    return None


def allows(**permissions: object) -> pytest.MarkDecorator:
    """Run the test with a policy: every name is allowed, as without a policy, and these fields of a rule."""
    rule = {"namespaces": ["*"], "pipelineNames": ["*"], "projects": ["*"], **permissions}
    return pytest.mark.parametrize("policy_text", [yaml.safe_dump({"rules": [rule]})], ids=["+".join(permissions)])


@pytest.fixture
def operator(bed: Testbed, tmp_path: Path, policy_text: str | None) -> Iterator[OperatorProcess]:
    """A running operator with the rights of deploy/overlays/cluster-wide, and no more."""
    process = OperatorProcess(
        kubeconfig=bed.kubeconfig_for_account("spout-operator", "spout-operator"),
        pachd_address=bed.pachd_address,
        log=tmp_path / "operator.log",
        policy=policy_text,
    )
    with process:
        yield process


@pytest.fixture
def spouts(bed: Testbed, operator: OperatorProcess, clear: Callable[[], None]) -> Iterator[Spouts]:
    """The Spouts of a new namespace. What is left of them at the end is deleted, with all pipelines and repos."""
    with administrator(bed) as api_client, a_namespace(api_client, "e2e") as name:
        yield Spouts(api_client, name, operator.log)
        # First, so that it does not restore what is deleted here.
        operator.stop()
        clear()


@pytest.fixture
def name() -> str:
    """A unique pipeline name: one Pachyderm serves all tests."""
    return f"spout-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def installation(bed: Testbed, operator: OperatorProcess, spouts: Spouts, name: str) -> Installation:
    """All of these."""
    return Installation(bed, operator, spouts, name)


def a_spec(**overrides: Any) -> bodies.Body:
    """A spec whose code counts: it writes one archive of data and one with the marker, every 200 ms."""
    spec = bodies.a_spec(
        {
            "transform.image": "python:3.13",
            "transform.cmd": [sys.executable, str(USER_CODE)],
            "transform.env": {"LIMIT": "5"},
            "spout.marker": "offset",
        }
    )
    spec["transform"] |= overrides.pop("transform", {})
    return {**spec, **overrides}
