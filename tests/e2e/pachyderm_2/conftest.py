"""Pachyderm 2.12.2, and beside it 1.13.4, for the whole session.

The operator and the namespace of each test are those of `tests/e2e`.
"""

import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pachyderm_sdk import Client
from pachyderm_sdk.api import pfs

from spout_testbed import Testbed
from spout_testbed.harness import bodies
from spout_testbed.harness.cluster import install

USER_CODE = Path(__file__).with_name("user_code.py")


@pytest.fixture(scope="session")
def bed() -> Iterator[Testbed]:
    with Testbed.start(pachyderm=("2.12", "1.13")) as bed:
        install(bed)
        yield bed


@pytest.fixture(scope="session")
def pachyderm(bed: Testbed) -> Client:
    """The SDK's own client, which shows what pachd holds without the operator's adapter."""
    return Client.from_pachd_address(bed.pachd_address)


@pytest.fixture
def clear(pachyderm: Client) -> Callable[[], None]:
    """Deletes all pipelines and repos."""
    return functools.partial(delete_all, pachyderm)


def delete_all(pachyderm: Client) -> None:
    """Delete all pipelines and repos."""
    for info in list(pachyderm.pps.list_pipeline()):
        pachyderm.pps.delete_pipeline(pipeline=info.pipeline, force=True)
    for repo in list(pachyderm.pfs.list_repo(type="user")):
        pachyderm.pfs.delete_repo(repo=repo.repo, force=True)


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


def raise_limit(source: Path, limit: int) -> None:
    """Let the spout's code that runs commit the numbers up to this limit, without an edit of the Spout."""
    written = source.with_name("limit.new")
    written.write_text(str(limit))
    written.replace(source.with_name("limit"))


def own_commits(pachyderm: Client, name: str) -> list[str]:
    """The commits on the output branch that Pachyderm did not make by itself, newest first."""
    head = pfs.Commit.from_uri(f"{name}@master")
    return [
        info.commit.id
        for info in pachyderm.pfs.list_commit(repo=head.repo, to=head)
        if info.origin.kind != pfs.OriginKind.AUTO
    ]


def numbers(pachyderm: Client, name: str, *, project: str = "default") -> set[str]:
    """The content of every file at the head of the output branch."""
    head = pfs.Commit.from_uri(f"{project}/{name}@master")
    found = set()
    for info in pachyderm.pfs.list_file(file=pfs.File(commit=head, path="/")):
        with pachyderm.pfs.pfs_file(info.file) as opened:
            found.add(opened.read().decode())
    return found


def up_to(limit: int) -> set[str]:
    """The numbers that the spout's code commits."""
    return {str(number) for number in range(1, limit + 1)}
