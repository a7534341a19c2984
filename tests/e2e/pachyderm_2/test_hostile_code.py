"""What the code of a spout gets of Pachyderm 2, whatever the policy says: docs/security.md, and what makes it less."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pachyderm_sdk import Client

from spout_testbed import Testbed
from spout_testbed.harness.cluster import ROOT
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts
from tests.e2e.guide import a_person, steps
from tests.e2e.hostile_spout import HostileSpout

CODE = Path(__file__).with_name("hostile_code.py")
ROLE = "role/pachyderm-worker"

ALWAYS = {
    "the storage Secret": True,
    "the password of PostgreSQL": True,
    "Kubernetes: get Secrets": 403,
    "Pachyderm: commit": "OK",
}
WITHOUT_AUTHENTICATION = ALWAYS | {
    "Kubernetes: create a Pod with a Secret": 201,
    "Pachyderm: create a pipeline with a Secret": "OK",
    "Pachyderm: read another repo": "OK",
}
WITH_AUTHENTICATION = WITHOUT_AUTHENTICATION | {"Pachyderm: read another repo": "PERMISSION_DENIED"}
MADE_HARDER = ALWAYS | {
    "Kubernetes: create a Pod with a Secret": 403,
    "Pachyderm: create a pipeline with a Secret": "PERMISSION_DENIED",
    "Pachyderm: read another repo": "PERMISSION_DENIED",
}


@pytest.fixture
def root_token(bed: Testbed, request: pytest.FixtureRequest) -> Iterator[str | None]:
    """That of the administrator, where authentication is active; None where it is not."""
    if not request.param:
        yield None
        return
    token = uuid.uuid4().hex
    bed.pachctl("auth", "activate", "--only-activate", "--supply-root-token", input=f"{token}\n")
    yield token
    bed.pachctl("auth", "deactivate", input="y\n")


@pytest.fixture
def pachyderm(bed: Testbed, root_token: str | None) -> Client:
    return Client.from_pachd_address(bed.pachd_address, auth_token=root_token)


@pytest.fixture
def operator(bed: Testbed, tmp_path: Path, root_token: str | None) -> Iterator[OperatorProcess]:
    """An operator without a policy file: its Spouts get no Secret and no podPatch."""
    flags = []
    if root_token:
        file = tmp_path / "token"
        file.write_text(bed.pachctl("auth", "get-robot-token", "spouts", "--quiet").stdout)
        flags = [f"--pachd-token-file={file}"]
    process = OperatorProcess(
        kubeconfig=bed.kubeconfig_for_account("spout-operator", "spout-operator"),
        pachd_address=bed.pachd_address,
        log=tmp_path / "operator.log",
        flags=tuple(flags),
    )
    with process:
        yield process


@pytest.fixture
def worker_role(bed: Testbed) -> Iterator[None]:
    """The Role of the workers is as before at the end, as is the Secret that the code is after."""
    before = bed.kubectl("get", ROLE, "-n", bed.pachyderm_namespace, "-o", "json").stdout
    bed.kubectl("create", "secret", "generic", "private", "-n", bed.pachyderm_namespace)
    yield
    role = json.loads(before)
    del role["metadata"]["resourceVersion"]
    bed.kubectl("replace", "-f", "-", input=json.dumps(role))
    bed.kubectl("delete", "secret/private", "-n", bed.pachyderm_namespace)


@pytest.fixture
def spout(bed: Testbed, spouts: Spouts, name: str, tmp_path: Path, worker_role: None) -> HostileSpout:
    bed.pachctl("create", "repo", "other")
    bed.pachctl("put", "file", "other@master:/private", "-f", "-", input="theirs")
    return HostileSpout(spouts, name, code=CODE, folder=tmp_path / "answers")


@pytest.mark.parametrize("root_token", [False], indirect=True, ids=["without authentication"])
def test_without_authentication_the_code_gets_everything(spout: HostileSpout) -> None:
    assert spout.gets() == WITHOUT_AUTHENTICATION


@pytest.mark.parametrize("root_token", [True], indirect=True, ids=["with authentication"])
def test_what_the_page_says_takes_pods_and_pipelines_from_the_code(
    spout: HostileSpout, bed: Testbed, tmp_path: Path
) -> None:
    assert spout.gets() == WITH_AUTHENTICATION
    administrator = a_person(bed, tmp_path / "administrator", namespace="default")
    followed = [step for step in steps(ROOT / "docs" / "security.md") if step.section.startswith("Make it harder")]
    assert len(followed) == 3
    for step in followed:
        here = step.text.replace("--namespace pachyderm ", f"--namespace {bed.pachyderm_namespace} ")
        administrator.follow(step, here, details=str)
    bed.workers.kill(spout.name)
    assert spout.gets() == MADE_HARDER, "a worker that starts with the smaller Role"
