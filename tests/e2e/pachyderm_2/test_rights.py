"""A Pachyderm with authentication, and an operator whose token lacks a right: the condition names it and its command.

Pachyderm 2.12 activates authentication without a licence. What each right is needed for is in
docs/guides/rights-on-pachyderm-2.md.
"""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pachyderm_sdk import Client

from spout_testbed import Testbed
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts, message
from tests.e2e.pachyderm_2.conftest import a_spec, numbers, up_to

ROBOT = "spouts"


@pytest.fixture(scope="module")
def root_token(bed: Testbed) -> Iterator[str]:
    """Authentication is active; pachctl is the administrator's."""
    token = uuid.uuid4().hex
    bed.pachctl("auth", "activate", "--only-activate", "--supply-root-token", input=f"{token}\n")
    yield token
    bed.pachctl("auth", "deactivate", input="y\n")


@pytest.fixture
def pachyderm(bed: Testbed, root_token: str) -> Client:
    return Client.from_pachd_address(bed.pachd_address, auth_token=root_token)


@pytest.fixture
def project(bed: Testbed, root_token: str) -> str:
    """A project in which the operator has no role."""
    name = f"p{uuid.uuid4().hex[:8]}"
    bed.pachctl("create", "project", name)
    return name


@pytest.fixture
def token_file(bed: Testbed, root_token: str, tmp_path: Path) -> Path:
    """A file with the token of a robot that nobody gave a role."""
    file = tmp_path / "token"
    file.write_text(bed.pachctl("auth", "get-robot-token", ROBOT, "--quiet").stdout)
    return file


@pytest.fixture
def operator(bed: Testbed, tmp_path: Path, token_file: Path) -> Iterator[OperatorProcess]:
    process = OperatorProcess(
        kubeconfig=bed.kubeconfig_for_account("spout-operator", "spout-operator"),
        pachd_address=bed.pachd_address,
        log=tmp_path / "operator.log",
        flags=(f"--pachd-token-file={token_file}",),
    )
    with process:
        yield process


def granted(bed: Testbed, said: str) -> None:
    """Run the command that a message gives to the administrator, word for word."""
    _, _, command = said.partition("To grant it: pachctl ")
    bed.pachctl(*command.partition(" (")[0].split())


def test_a_right_is_named_with_the_command_that_grants_it_and_a_spout_then_lives_to_its_end(  # noqa: PLR0917 - fixtures
    spouts: Spouts, name: str, pachyderm: Client, source: Path, bed: Testbed, project: str, token_file: Path
) -> None:
    spouts.create(name, a_spec(source, project=project))
    status = spouts.wait(name, "to be refused", ready="False", reason="Unauthorized", stalled="True")
    assert (
        f"the operator's token lacks PROJECT_CREATE_REPO on project {project}. "
        f"To grant it: pachctl auth set project {project} projectWriter robot:{ROBOT}" in message(status)
    )
    granted(bed, message(status))
    spouts.edit(name, a_spec(source, limit=6, project=project))
    spouts.wait(name, "six commits", ready="True", version=1, total=6)

    good = token_file.read_text()
    token_file.write_text("nobody")
    status = spouts.wait(name, "to tell of a token that Pachyderm does not know", ready="False", reason="Unauthorized")
    assert "put a valid token into the file of --pachd-token-file" in message(status)
    assert status["commits"]["total"] == 6
    token_file.write_text(good)
    spouts.wait(name, "to be well again without a restart", ready="True", version=1, total=6)

    spouts.edit(name, {"suspend": True})
    spouts.wait(name, "to be suspended", ready="True", reason="Suspended")
    spouts.edit(name, a_spec(source, limit=7, project=project, suspend=False))
    spouts.wait(name, "to go on", ready="True", reason="Running", version=2, total=7, seconds=90)
    assert numbers(pachyderm, name, project=project) == up_to(7)
    spouts.delete(name)
    spouts.wait_gone(name)


def test_what_is_missing_to_take_a_pipeline_over_is_named_with_the_command_that_grants_it(
    spouts: Spouts, name: str, source: Path, bed: Testbed, project: str
) -> None:
    transform = a_spec(source)["transform"]
    document = {"pipeline": {"name": name, "project": {"name": project}}, "transform": transform, "spout": {}}
    bed.pachctl("create", "pipeline", "-f", "-", input=json.dumps(document))
    spouts.create(name, a_spec(source, project=project, adoptionPolicy="IfUnowned"))
    status = spouts.wait(name, "to be refused", ready="False", reason="Unauthorized", stalled="True")
    assert (
        f"the operator's token lacks REPO_WRITE on repo {project}/{name}. "
        f"To grant it: pachctl auth set repo {name} repoOwner robot:{ROBOT} --project {project}" in message(status)
    )

    granted(bed, message(status))
    # A Spout that waits for a person is reconciled as soon as its spec changes.
    spouts.edit(name, {"deletionPolicy": "KeepRepo"})

    spouts.wait(name, "to be taken over", synced="True", version=1)
