"""What is true of Pachyderm 2 alone: projects, defaults of the cluster, and commits that pachd makes by itself."""

import dataclasses
import json
import uuid
from typing import Any

import pytest

from spout_operator.core.errors import Retryable, Stalled
from spout_operator.core.marker import MarkerLimits
from spout_operator.core.model import Heads, PipelineName, PipelineState
from spout_operator.core.reasons import Reason
from spout_operator.pachyderm.v2.backend import CAPABILITIES
from spout_testbed import Testbed
from spout_testbed.pachyderm import Pachyderm
from spout_testbed.waiting import eventually
from tests.contract.conftest import RUNS_FOR_REAL
from tests.contract.pachyderm.conftest import the_two
from tests.contract.pachyderm.harness import HEIR, MANY, NO_COMMIT, OWNER, PLAIN
from tests.contract.pachyderm.sides_2 import SideTwo
from tests.contract.pachyderm.specs import EVERYTHING

CHANGED = dataclasses.replace(PLAIN, description="changed")


@pytest.fixture
def pachyderm(real_bed: Testbed) -> Pachyderm:
    """The real Pachyderm 2, for pachctl."""
    return real_bed.pachyderm(the_two())


def new_project(pachyderm: Pachyderm, length: int = 8) -> str:
    project = f"p{uuid.uuid4().hex}"[:length]
    pachyderm.pachctl("create", "project", project)
    return project


def test_it_keeps_no_marker_and_has_projects(two: SideTwo) -> None:
    limits = MarkerLimits(longest_file=1, longest_listed_file=1, most_files=1, most_counted=1)

    with pytest.raises(Stalled, match="keeps no marker") as caught:
        two.port.marker(two.created(), "offset", NO_COMMIT, limits=limits)

    assert caught.value.reason is Reason.UNSUPPORTED_BY_SERVER
    assert (CAPABILITIES.marker, CAPABILITIES.overwrite, CAPABILITIES.projects) == (False, False, True)


def test_a_worker_comes_up(real_two: SideTwo) -> None:
    name = real_two.new_name(RUNS_FOR_REAL)

    real_two.port.create(name, PLAIN, OWNER)

    eventually(lambda: real_two.observed(name).state is PipelineState.RUNNING, what="the state Running", seconds=120)
    eventually(lambda: real_two.observed(name).workers == (1, 1), what="one worker of one", seconds=120)


def test_cluster_and_project_defaults_are_no_difference(real_two: SideTwo, pachyderm: Pachyderm) -> None:
    before, project = real_two.created(), new_project(pachyderm)
    defaults = json.dumps({"createPipelineRequest": {"resourceRequests": {"memory": "99Mi"}, "datumTries": 2}})
    former = pachyderm.pachctl("inspect", "defaults", "--cluster").stdout
    pachyderm.pachctl("create", "defaults", "--cluster", input=defaults)
    try:
        pachyderm.pachctl("create", "defaults", "--project", project, input=defaults)
        after = real_two.in_project(project)
        real_two.port.create(after, PLAIN, OWNER)

        assert real_two.observed(before).spec == real_two.observed(after).spec == PLAIN
        effective = pachyderm.pachctl("inspect", "pipeline", after.name, "--project", project, "--raw").stdout
        assert "99Mi" in effective
    finally:
        pachyderm.pachctl("update", "defaults", "--cluster", input=former)


def test_a_pipeline_that_has_an_owner_is_not_taken_over(two: SideTwo) -> None:
    name = two.someones_pipeline(spout={}, resource_requests={"cpu": 0.1, "memory": None})
    two.port.take_over(name, OWNER)

    with pytest.raises(Stalled) as caught:
        two.port.take_over(name, HEIR)

    assert caught.value.reason is Reason.PIPELINE_NOT_OWNED
    assert two.observed(name).owner == OWNER


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"input": {"cron": {"name": "tick", "spec": "@yearly"}}}, id="cron"),
        pytest.param(
            {"input": {"cron": {"name": "tick", "spec": "@yearly"}}, "service": {"internal_port": 80}}, id="service"
        ),
    ],
)
def test_a_pipeline_of_another_kind_has_no_spec(two: SideTwo, fields: dict[str, Any]) -> None:
    name = two.someones_pipeline(**fields)

    found = two.observed(name)

    assert (found.spec, found.owner) == (None, None)
    assert two.port.create(name, PLAIN, OWNER) is None


def test_a_project_that_does_not_exist_is_named_with_the_command_that_creates_it(real_two: SideTwo) -> None:
    name = PipelineName(project="nowhere", name="a")

    with pytest.raises(Stalled, match="pachctl create project nowhere") as caught:
        real_two.port.create(name, PLAIN, OWNER)

    assert caught.value.reason is Reason.PROJECT_NOT_FOUND
    assert real_two.port.observe(name) is None
    assert real_two.port.heads(name) == Heads()


def test_the_same_name_in_two_projects_is_two_pipelines(real_two: SideTwo, pachyderm: Pachyderm) -> None:
    name = real_two.created()
    other = real_two.in_project(new_project(pachyderm), name)

    real_two.port.create(other, CHANGED, HEIR)

    listed = real_two.port.list()
    assert (listed[name].spec, listed[str(other)].spec) == (PLAIN, CHANGED)
    real_two.port.delete(other, keep_repo=False)
    assert real_two.port.observe(other) is None
    assert real_two.observed(name).owner == OWNER


@pytest.mark.parametrize(
    ("project_length", "name_length", "is_accepted"),
    [
        pytest.param(0, 51, True, id="51 in the default project"),
        pytest.param(0, 52, False, id="52 in the default project"),
        pytest.param(12, 46, True, id="58 with the project"),
        pytest.param(12, 47, False, id="59 with the project"),
    ],
)
def test_project_and_name_share_the_length_of_a_kubernetes_name(
    real_two: SideTwo, pachyderm: Pachyderm, project_length: int, name_length: int, is_accepted: bool
) -> None:
    project = new_project(pachyderm, project_length) if project_length else "default"
    name = real_two.in_project(project, f"n{uuid.uuid4().hex}{uuid.uuid4().hex}"[:name_length])

    if is_accepted:
        assert real_two.port.create(name, PLAIN, OWNER) == 1
    else:
        with pytest.raises(Stalled) as caught:
            real_two.port.create(name, PLAIN, OWNER)
        assert caught.value.reason is Reason.PIPELINE_REJECTED


def test_a_secret_that_is_missing_is_waited_for(real_two: SideTwo) -> None:
    secrets = tuple(dataclasses.replace(secret, name=f"no-{secret.name}") for secret in EVERYTHING.transform.secrets)
    spec = dataclasses.replace(PLAIN, transform=dataclasses.replace(PLAIN.transform, secrets=secrets))

    with pytest.raises(Retryable, match=r"spec\.transform\.secrets") as caught:
        real_two.port.create(real_two.new_name(), spec, OWNER)

    assert not isinstance(caught.value, Stalled)
    assert "missing Kubernetes secret no-kafka" in caught.value.said


def test_only_what_the_code_committed_is_not_automatic(two: SideTwo) -> None:
    name = two.committing()
    before = two.own_commits(name)
    own = [two.commit(name), *before]
    # A start right after the stop restarts no worker; one in the state Paused does.
    for waits in (False, True):
        two.wait_begun(name)
        two.port.stop(name)
        if waits:
            two.wait_paused(name)
        two.port.start(name)
        own = [two.commit(name), *own]
    two.port.update(name, dataclasses.replace(PLAIN, description=uuid.uuid4().hex), OWNER)
    own = [two.commit(name), *own]

    assert two.own_commits(name) == own
    commits = two.port.commits(name, own[0], since=None, most=MANY)
    assert [commit.parent for commit in commits[:-1]] == [commit.id for commit in commits[1:]]
    assert commits[-1].parent is None


def test_the_first_commit_is_not_left_open(two: SideTwo) -> None:
    """pachd finishes it by itself, some time after it was asked to: another FinishCommit would be in vain."""
    name = two.created()

    (commit,) = two.port.commits(name, two.port.heads(name).output, since=None, most=1)

    assert (commit.is_automatic, commit.is_left_open) == (True, False)


def test_a_spout_that_somebody_started_is_mended_by_starting_it_again(two: SideTwo) -> None:
    """StartPipeline leaves an open commit on the output branch, which takes in whatever the spout writes."""
    name = two.created()
    two.port.stop(name)
    two.someones_start(name)
    head = two.port.heads(name).output
    (commit,) = two.port.commits(name, head, since=None, most=1)
    assert (commit.is_automatic, commit.finished_at, commit.is_left_open) == (True, None, True)

    two.port.start(name)

    eventually(
        lambda: two.port.commits(name, head, since=None, most=1)[0].finished_at is not None,
        what="the automatic commit to be finished",
    )


def test_an_automatic_commit_that_is_open_is_finished_once_and_again_without_harm(two: SideTwo) -> None:
    name = two.created()
    two.port.stop(name)
    two.someones_start(name)
    head = two.port.heads(name).output

    for _ in range(2):
        two.port.finish(name, head)

    assert not two.port.commits(name, head, since=None, most=1)[0].is_left_open
