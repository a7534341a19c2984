"""Pachyderm 2.12.2 for the whole session, with an operator and a namespace for each test."""

import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pachyderm_sdk import Client
from pachyderm_sdk.api import pfs

from spout_testbed import Testbed
from spout_testbed.harness import bodies
from spout_testbed.harness.cluster import a_namespace, administrator, install
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts

USER_CODE = Path(__file__).with_name("user_code.py")


@pytest.fixture(scope="session")
def bed() -> Iterator[Testbed]:
    with Testbed.start(pachyderm="2.12") as bed:
        install(bed)
        yield bed


@pytest.fixture(scope="session")
def pachyderm(bed: Testbed) -> Client:
    """The SDK's own client, which shows what pachd holds without the operator's adapter."""
    return Client.from_pachd_address(bed.pachd_address)


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
    """The Spouts of a new namespace. What is left of them at the end is deleted, with all pipelines and repos."""
    with administrator(bed) as api_client, a_namespace(api_client, "e2e") as name:
        yield Spouts(api_client, name, operator.log)
        # First, so that it does not restore what is deleted here.
        operator.stop()
        for info in list(pachyderm.pps.list_pipeline()):
            pachyderm.pps.delete_pipeline(pipeline=info.pipeline, force=True)
        for repo in list(pachyderm.pfs.list_repo(type="user")):
            pachyderm.pfs.delete_repo(repo=repo.repo, force=True)


@pytest.fixture
def name() -> str:
    """A unique pipeline name: one Pachyderm serves all tests."""
    return f"spout-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The file in which the spout's code acknowledges what it has committed."""
    return tmp_path / "position"


def a_spec(source: Path, *, limit: int = 5, **overrides: Any) -> bodies.Body:
    """A spec whose code commits the numbers from 1 to `limit`."""
    spec = bodies.a_spec(
        {
            "transform.image": "python:3.13",
            "transform.cmd": [sys.executable, str(USER_CODE)],
            "transform.env": {"LIMIT": str(limit), "POSITION": str(source)},
        }
    )
    return {**spec, **overrides}


def numbers(pachyderm: Client, name: str) -> set[str]:
    """The content of every file at the head of the output branch."""
    head = pfs.Commit.from_uri(f"{name}@master")
    found = set()
    for info in pachyderm.pfs.list_file(file=pfs.File(commit=head, path="/")):
        with pachyderm.pfs.pfs_file(info.file) as opened:
            found.add(opened.read().decode())
    return found


def up_to(limit: int) -> set[str]:
    """The numbers that the spout's code commits."""
    return {str(number) for number in range(1, limit + 1)}
