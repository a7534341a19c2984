"""The port over a real Pachyderm 2, whose spouts commit for real: only a worker can write to its output branch."""

import dataclasses
import functools
import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from spout_operator.core.errors import Missing, Retryable, Stalled
from spout_operator.core.model import (
    Commit,
    Heads,
    MarkerLimits,
    Pipeline,
    PipelineName,
    PipelineSpec,
    PipelineState,
    Resources,
    Service,
    SpoutOptions,
    Toleration,
    Transform,
)
from spout_operator.core.reasons import Reason
from spout_operator.core.spec.quantity import Quantity, cores
from spout_operator.pachyderm.selection import SelectedPachyderm
from spout_operator.pachyderm.v1.backend import PachydermV1
from spout_operator.pachyderm.v2.backend import PachydermV2
from spout_testbed import Testbed
from spout_testbed.pachyderm import Pachyderm
from spout_testbed.versions import is_pachyderm_2, under_test
from spout_testbed.waiting import eventually
from tests.contract.calls import Synchronous
from tests.contract.pachyderm.harness import NO_COMMIT, OWNER, connection_to
from tests.contract.pachyderm.specs import EVERYTHING

SPEC = PipelineSpec(transform=Transform(image="none:1", cmd=("sleep", "1000000")))
CHANGED = dataclasses.replace(SPEC, description="changed")
HEIR = dataclasses.replace(OWNER, cluster="another")
PACHCTL = "/pach-bin/pachctl"


@dataclasses.dataclass
class Two:
    """The port, and what other people and the spouts do."""

    pachyderm: Pachyderm
    port: Synchronous
    names: list[PipelineName] = dataclasses.field(default_factory=list)

    def new_name(self, project: str = "default") -> PipelineName:
        self.names.append(PipelineName(project=project, name=f"two-{uuid.uuid4().hex[:8]}"))
        return self.names[-1]

    def created(self, spec: PipelineSpec = SPEC) -> PipelineName:
        name = self.new_name()
        assert self.port.create(name, spec, OWNER) == 1
        return name

    def observed(self, name: PipelineName) -> Pipeline:
        found: Pipeline | None = self.port.observe(name)
        assert found is not None
        return found

    def someones(self, **fields: Any) -> PipelineName:
        """A pipeline that somebody made with pachctl."""
        name = self.new_name()
        spec = {"pipeline": {"name": name.name}, "transform": {"image": "none:1", "cmd": ["true"]}, **fields}
        self.pachyderm.pachctl("create", "pipeline", input=json.dumps(spec))
        return name

    def running(self, script: str) -> PipelineName:
        """A spout whose code is a shell script; NAME in it is the spout's name."""
        name = self.new_name()
        self.port.create(name, script_spec(name, script), OWNER)
        return name

    def own_commits(self, name: PipelineName) -> list[Commit]:
        head = self.port.heads(name).output
        commits: list[Commit] = self.port.commits(name, head, since=None, most=1000)
        return [commit for commit in commits if not commit.is_automatic]

    def wait_for_commits(self, name: PipelineName, count: int) -> None:
        """Wait until a spout made so many commits, or more: a worker that starts twice runs the code twice."""

        def told() -> str:
            return f"{self.own_commits(name)}\n{self.pachyderm.workers.log(name.name, 'user').read_text()[-2000:]}"

        eventually(lambda: len(self.own_commits(name)) >= count, what=f"{count} commits", details=told, seconds=120)


def script_spec(name: PipelineName, script: str) -> PipelineSpec:
    cmd = ("sh", "-c", script.replace("NAME", name.name))
    return dataclasses.replace(SPEC, transform=dataclasses.replace(SPEC.transform, cmd=cmd))


COMMIT_ONCE = f"echo x | {PACHCTL} put file NAME@master:/$(cat /proc/sys/kernel/random/uuid) -f -; sleep 1000000"


@pytest.fixture
def two(real_bed: Testbed) -> Iterator[Two]:
    pachyderm = real_bed.pachyderm(next(filter(is_pachyderm_2, under_test())))
    found = Two(pachyderm, Synchronous(PachydermV2(connection_to(pachyderm.address))))
    try:
        yield found
    finally:
        for name in reversed(found.names):
            pachyderm.pachctl("delete", "pipeline", name.name, "--project", name.project, "--force", check=False)
            pachyderm.pachctl("delete", "repo", name.name, "--project", name.project, "--force", check=False)


def refused(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Stalled:
    with pytest.raises(Stalled) as caught:
        call(*args, **kwargs)
    return caught.value


def test_the_server_tells_its_version_and_what_it_can(two: Two) -> None:
    server = two.port.server()

    assert server.version == two.pachyderm.version
    assert (server.capabilities.marker, server.capabilities.overwrite, server.capabilities.projects) == (
        False,
        False,
        True,
    )


def test_the_version_decides_which_adapter_serves(real_bed: Testbed) -> None:
    for version in under_test():
        connection = connection_to(real_bed.pachyderm(version).address)
        first, second = functools.partial(PachydermV1, connection), functools.partial(PachydermV2, connection)
        port = Synchronous(SelectedPachyderm([first, second]))

        assert port.server().capabilities.projects is is_pachyderm_2(version)


@pytest.mark.parametrize("version", under_test())
def test_an_adapter_writes_nothing_to_a_server_of_another_major_version(real_bed: Testbed, version: str) -> None:
    other = PachydermV1 if is_pachyderm_2(version) else PachydermV2
    port = Synchronous(other(connection_to(real_bed.pachyderm(version).address)))

    error = refused(port.stop, PipelineName(name="any"))

    assert error.reason is Reason.UNSUPPORTED_PACHYDERM


def test_a_pipeline_is_created_once_and_runs(two: Two) -> None:
    name = two.created()

    assert two.port.create(name, CHANGED, HEIR) is None
    found = two.observed(name)
    assert (found.version, found.spec, found.owner, found.stopped) == (1, SPEC, OWNER, False)
    eventually(lambda: two.observed(name).state is PipelineState.RUNNING, what="the state Running")
    eventually(lambda: two.observed(name).workers == (1, 1), what="one worker of one")


def test_every_field_is_read_back_as_it_was_written(two: Two) -> None:
    resources = Resources(cpu=cores("100m"), memory=Quantity.parse("64Mi"), disk=Quantity.parse("1Gi"))
    spec = dataclasses.replace(
        EVERYTHING,
        # A Secret has to be there when the pipeline is created.
        transform=dataclasses.replace(EVERYTHING.transform, secrets=()),
        spout=SpoutOptions(service=Service(internal_port=8080, type="ClusterIP")),
        sidecar_resource_requests=resources,
        sidecar_resource_limits=resources,
        tolerations=(
            Toleration(key="ingest", operator="Exists", effect="NoExecute", toleration_seconds=0),
            Toleration(key="disk", value="ssd", effect="NoSchedule"),
            Toleration(operator="Exists"),
        ),
    )
    name = two.created(spec)

    assert two.observed(name).spec == spec
    assert two.port.list()[name].spec == spec


def test_cluster_and_project_defaults_are_no_difference(two: Two) -> None:
    before, project = two.created(), f"p-{uuid.uuid4().hex[:6]}"
    two.pachyderm.pachctl("create", "project", project)
    defaults = json.dumps({"createPipelineRequest": {"resourceRequests": {"memory": "99Mi"}, "datumTries": 2}})
    two.pachyderm.pachctl("create", "defaults", "--cluster", input=defaults)
    try:
        two.pachyderm.pachctl("create", "defaults", "--project", project, input=defaults)
        after = two.new_name(project)
        two.port.create(after, SPEC, OWNER)

        assert two.observed(before).spec == two.observed(after).spec == SPEC
        effective = two.pachyderm.pachctl("inspect", "pipeline", after.name, "--project", project, "--raw").stdout
        assert "99Mi" in effective
    finally:
        two.pachyderm.pachctl("delete", "defaults", "--cluster")


def test_an_update_keeps_the_owner_and_the_head_and_an_equal_one_makes_a_version_too(two: Two) -> None:
    name = two.created()
    head = two.port.heads(name)

    assert two.port.update(name, CHANGED, OWNER) == 2
    assert two.port.update(name, CHANGED, OWNER) == 3

    found = two.observed(name)
    assert (found.version, found.spec, found.owner) == (3, CHANGED, OWNER)
    assert two.port.heads(name) == head


def test_an_update_of_a_pipeline_that_is_gone_makes_none(two: Two) -> None:
    name = two.new_name()

    with pytest.raises(Retryable, match="is gone"):
        two.port.update(name, SPEC, OWNER)

    assert two.port.observe(name) is None


def test_a_stopped_pipeline_stays_stopped_in_an_update_and_starts(two: Two) -> None:
    name = two.created()
    for _ in range(2):
        two.port.stop(name)
    two.port.update(name, CHANGED, OWNER)
    assert two.observed(name).stopped
    for _ in range(2):
        two.port.start(name)

    assert (two.observed(name).stopped, two.observed(name).version) == (False, 2)


def test_a_pipeline_without_an_owner_is_taken_over_without_a_new_version(two: Two) -> None:
    name = two.someones(spout={}, resource_requests={"cpu": 0.1, "memory": None})
    before = two.observed(name)
    assert before.owner is None

    for _ in range(2):
        two.port.take_over(name, OWNER)

    after = two.observed(name)
    assert (after.owner, after.version, after.spec_commit) == (OWNER, before.version, before.spec_commit)
    assert two.port.list()[name].owner == OWNER
    assert refused(two.port.take_over, name, HEIR).reason is Reason.PIPELINE_NOT_OWNED
    two.port.update(name, SPEC, OWNER)
    assert two.observed(name).owner == OWNER


def test_an_update_by_somebody_else_takes_the_owner_away(two: Two) -> None:
    name = two.created()
    spec = {"pipeline": {"name": name.name}, "transform": {"image": "none:1"}, "spout": {}}

    two.pachyderm.pachctl("update", "pipeline", input=json.dumps(spec))

    assert two.observed(name).owner is None


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"input": {"cron": {"name": "tick", "spec": "@yearly"}}}, id="cron"),
        pytest.param(
            {"input": {"cron": {"name": "tick", "spec": "@yearly"}}, "service": {"internal_port": 80}}, id="service"
        ),
    ],
)
def test_a_pipeline_of_another_kind_has_no_spec(two: Two, fields: dict[str, Any]) -> None:
    name = two.someones(**fields)

    found = two.observed(name)

    assert (found.spec, found.owner) == (None, None)
    assert two.port.create(name, SPEC, OWNER) is None


def test_a_project_that_does_not_exist_is_named_with_the_command_that_creates_it(two: Two) -> None:
    name = PipelineName(project="nowhere", name="a")

    error = refused(two.port.create, name, SPEC, OWNER)

    assert error.reason is Reason.PROJECT_NOT_FOUND
    assert "pachctl create project nowhere" in error.message
    assert two.port.observe(name) is None
    assert two.port.heads(name) == Heads()


def test_the_same_name_in_two_projects_is_two_pipelines(two: Two) -> None:
    project = f"p-{uuid.uuid4().hex[:6]}"
    two.pachyderm.pachctl("create", "project", project)
    name = two.created()
    other = PipelineName(project=project, name=name.name)
    two.names.append(other)

    two.port.create(other, CHANGED, HEIR)

    listed = two.port.list()
    assert (listed[name].spec, listed[other].spec) == (SPEC, CHANGED)
    two.port.delete(other, keep_repo=False)
    assert two.port.observe(other) is None
    assert two.observed(name).owner == OWNER


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
    two: Two, project_length: int, name_length: int, is_accepted: bool
) -> None:
    project = uuid.uuid4().hex[:project_length] or "default"
    if project_length:
        two.pachyderm.pachctl("create", "project", project)
    name = PipelineName(project=project, name=f"n{uuid.uuid4().hex}{uuid.uuid4().hex}"[:name_length])
    two.names.append(name)

    if is_accepted:
        assert two.port.create(name, SPEC, OWNER) == 1
    else:
        assert refused(two.port.create, name, SPEC, OWNER).reason is Reason.PIPELINE_REJECTED


def test_a_secret_that_is_missing_is_waited_for(two: Two) -> None:
    with pytest.raises(Retryable, match=r"spec\.transform\.secrets") as caught:
        two.port.create(two.new_name(), EVERYTHING, OWNER)

    assert not isinstance(caught.value, Stalled)
    assert "missing Kubernetes secret kafka" in caught.value.said


def test_marker_and_overwrite_are_not_written(two: Two) -> None:
    name = two.created()
    limits = MarkerLimits(longest_file=1, longest_listed_file=1, most_files=1, most_counted=1)

    error = refused(two.port.marker, name, "offset", NO_COMMIT, limits=limits)

    assert error.reason is Reason.UNSUPPORTED_BY_SERVER


def test_delete_keeps_the_repo_or_not_and_counts_what_is_gone(two: Two) -> None:
    name = two.created()

    for _ in range(2):
        two.port.delete(name, keep_repo=True)

    assert two.port.observe(name) is None
    assert two.port.heads(name).output is not None
    assert refused(two.port.create, name, SPEC, OWNER).reason is Reason.REPO_EXISTS


def test_a_pipeline_that_others_read_is_deleted_only_without_its_repo(two: Two) -> None:
    name = two.created()
    two.someones(input={"pfs": {"repo": name.name, "glob": "/"}})

    assert refused(two.port.delete, name, keep_repo=False).reason is Reason.DELETION_BLOCKED
    two.port.delete(name, keep_repo=True)

    assert two.port.observe(name) is None


def test_starting_and_stopping_what_is_not_there_is_tried_again(two: Two) -> None:
    for method in (two.port.start, two.port.stop):
        with pytest.raises(Missing):
            method(PipelineName(name="nothing"))


def test_only_what_the_code_committed_is_not_automatic(two: Two) -> None:
    name = two.running(COMMIT_ONCE)
    two.wait_for_commits(name, 1)

    for number in (2, 3):
        two.port.stop(name)
        # A start right after the stop restarts no worker.
        eventually(lambda: two.observed(name).state is PipelineState.PAUSED, what="the state Paused")
        two.port.start(name)
        two.wait_for_commits(name, number)
    two.port.update(name, dataclasses.replace(script_spec(name, COMMIT_ONCE), description="new"), OWNER)
    two.wait_for_commits(name, 4)

    commits = two.port.commits(name, two.port.heads(name).output, since=None, most=100)
    assert [commit.parent for commit in commits[:-1]] == [commit.id for commit in commits[1:]]
    assert commits[-1].parent is None

    def listed(**how: Any) -> list[str]:
        # The size of a commit is known some time after it is finished.
        return [commit.id for commit in two.port.commits(name, commits[0].id, **how)]

    ids = [commit.id for commit in commits]
    assert listed(since=ids[2], most=100) == ids[:2]
    assert listed(since=NO_COMMIT, most=100) == ids
    assert listed(since=None, most=1) == ids[:1]
    with pytest.raises(Missing):
        two.port.commits(name, NO_COMMIT, since=None, most=1)


def test_a_spout_that_somebody_started_is_mended_by_starting_it_again(two: Two) -> None:
    """StartPipeline leaves an open commit on the output branch, which takes in whatever the spout writes."""
    name = two.created()
    two.port.stop(name)
    two.pachyderm.pachctl("start", "pipeline", name.name)
    head = two.port.heads(name).output
    assert [(c.is_automatic, c.finished_at) for c in two.port.commits(name, head, since=None, most=1)] == [(True, None)]

    two.port.start(name)

    eventually(
        lambda: two.port.commits(name, head, since=None, most=1)[0].finished_at is not None,
        what="the automatic commit to be finished",
    )


def test_an_open_commit_is_told_of_until_it_is_finished(two: Two, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    name = two.running(
        f"{PACHCTL} start commit NAME@master; until [ -e {gate} ]; do sleep 0.1; done; "
        f"{PACHCTL} finish commit NAME@master; sleep 1000000"
    )
    eventually(lambda: [c.finished_at for c in two.own_commits(name)] == [None], what="an open commit", seconds=60)
    other = two.running(COMMIT_ONCE)
    two.wait_for_commits(other, 1)

    for _ in range(3):
        assert name in two.port.recently_committed()
    gate.touch()

    eventually(lambda: two.own_commits(name)[0].finished_at is not None, what="the commit to finish")
    eventually(lambda: name not in two.port.recently_committed(), what="an answer without it")


def test_pipelines_at_rest_are_not_told_of_again(two: Two) -> None:
    name = two.created()
    assert name in two.port.recently_committed()

    def rests() -> bool:
        two.own_commits(name)
        return name not in two.port.recently_committed()

    eventually(rests, what="an answer without it")
    before = two.port.heads(name)
    two.port.stop(name)
    two.port.start(name)
    eventually(lambda: two.port.heads(name) != before, what="the automatic commit of the start")
    assert name in two.port.recently_committed()
