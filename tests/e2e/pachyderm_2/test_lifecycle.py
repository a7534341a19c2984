"""A Spout from `kubectl apply` to `kubectl delete`, on a real Pachyderm 2.12.2 with its real worker and sidecar."""

import json
import os
from pathlib import Path

import pytest
from pachyderm_sdk import Client
from pachyderm_sdk.api import pfs, pps

from spout_testbed import Testbed
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts, message
from spout_testbed.waiting import eventually
from tests.e2e.pachyderm_2.conftest import a_spec, numbers, own_commits, raise_limit, up_to

#: How many are counted. A real 2.12.2 takes a few a second, so `make test` counts few of them, and
#: `COMMITS=200 pytest ...` as many as one likes.
COMMITS = int(os.environ.get("COMMITS", "40"))
UPDATES, SUSPENSIONS = 2, 3


def inspected(pachyderm: Client, name: str) -> pps.PipelineInfo:
    return pachyderm.pps.inspect_pipeline(pipeline=pps.Pipeline(name=name, project=pfs.Project(name="default")))


def has_settled(operator: OperatorProcess) -> bool:
    """Whether a reconcile has come to its end since the operator started."""
    lines = operator.get("/metrics").splitlines()
    return any(line.startswith('spout_operator_reconciles_total{result="settled"}') for line in lines)


def test_an_applied_spout_runs_and_shows_the_commits_of_its_code(
    spouts: Spouts, name: str, bed: Testbed, pachyderm: Client, source: Path
) -> None:
    spouts.create(name, a_spec(source))

    status = spouts.wait(name, "five commits", ready="True", synced="True", state="Running", total=5)

    assert status["commits"]["last"]["id"] == own_commits(pachyderm, name)[0]
    assert "marker" not in status
    assert status["pipeline"]["workersAvailable"] == 1
    assert status["pachyderm"] == {"address": bed.pachd_address, "version": "2.12.2"}
    assert numbers(pachyderm, name) == up_to(5)


def test_an_edit_makes_one_new_version_and_loses_nothing(
    spouts: Spouts, name: str, pachyderm: Client, source: Path
) -> None:
    spouts.create(name, a_spec(source))
    spouts.wait(name, "five commits", ready="True", total=5)

    spouts.edit(name, a_spec(source, limit=8))

    spouts.wait(name, "to go on from five", ready="True", version=2, total=8)
    assert numbers(pachyderm, name) == up_to(8)


@pytest.mark.timeout(1200)
def test_commits_two_updates_and_three_suspensions_are_counted_exactly(
    spouts: Spouts, name: str, pachyderm: Client, source: Path
) -> None:
    """pachd makes commits of its own at each of these, and leaves one open at each start; none counts.

    What the spout commits after a start would go into the open one, and nobody would see it.
    """
    spouts.create(name, a_spec(source))
    spouts.wait(name, "five commits", ready="True", total=5)
    limit = 5
    for cycle in range(1, SUSPENSIONS + 1):
        spouts.edit(name, {"suspend": True})
        spouts.wait(name, "to be suspended", ready="True", reason="Suspended", state="Paused")
        version = min(cycle, UPDATES) + 1
        if cycle <= UPDATES:
            spouts.edit(name, a_spec(source, suspend=True, description=f"update {cycle}"))
            spouts.wait(name, "the update to be taken", reason="Suspended", version=version)
        limit += 5
        raise_limit(source, limit)
        spouts.edit(name, {"suspend": False})
        spouts.wait(name, f"commit {limit}", ready="True", reason="Running", version=version, total=limit, seconds=90)

    raise_limit(source, COMMITS)
    status = spouts.wait(name, f"{COMMITS} commits", ready="True", total=COMMITS, seconds=60 + 4 * COMMITS)

    assert status["commits"]["total"] == COMMITS
    own = own_commits(pachyderm, name)
    assert len(own) == COMMITS
    assert status["commits"]["last"]["id"] == own[0]
    assert numbers(pachyderm, name) == up_to(COMMITS)


def test_a_pipeline_that_somebody_else_stops_and_starts_commits_again(
    spouts: Spouts, name: str, pachyderm: Client, source: Path, bed: Testbed
) -> None:
    spouts.create(name, a_spec(source, limit=1000))
    spouts.wait(name, "to run", ready="True")

    bed.pachctl("stop", "pipeline", name)
    bed.pachctl("start", "pipeline", name)
    before = len(own_commits(pachyderm, name))

    eventually(
        lambda: len(own_commits(pachyderm, name)) > before + 1,
        what="new commits of the spout's own",
        seconds=90,
        details=lambda: bed.pachctl("list", "commit", f"{name}@master", "-n", "5").stdout,
    )


def test_a_restart_of_the_operator_and_the_same_manifest_again_write_nothing(
    spouts: Spouts, name: str, pachyderm: Client, source: Path, operator: OperatorProcess
) -> None:
    spouts.create(name, a_spec(source))
    spouts.wait(name, "five commits", ready="True", total=5)
    before = spouts.get(name)

    operator.stop()
    operator.start()
    spouts.edit(name, a_spec(source))
    eventually(lambda: has_settled(operator), what="a reconcile after the restart", seconds=30)

    after = spouts.get(name)
    assert before is not None
    assert after is not None
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    assert inspected(pachyderm, name).version == 1


def test_a_pipeline_of_somebody_is_taken_over_without_a_new_version(
    spouts: Spouts, name: str, pachyderm: Client, source: Path, bed: Testbed
) -> None:
    spec = a_spec(source)
    transform = {"image": spec["transform"]["image"], "cmd": spec["transform"]["cmd"], "env": spec["transform"]["env"]}
    document = {
        "pipeline": {"name": name},
        "description": spec.get("description", ""),
        "transform": transform,
        "spout": {},
    }
    bed.pachctl("create", "pipeline", "-f", "-", input=json.dumps(document))
    eventually(lambda: source.exists() and source.read_text() == "5", what="five commits", seconds=60)

    spouts.create(name, spec)
    status = spouts.wait(name, "to be refused", ready="False", reason="PipelineNotOwned")
    assert "set spec.adoptionPolicy to IfUnowned" in message(status)
    spouts.edit(name, {"adoptionPolicy": "IfUnowned"})
    spouts.wait(name, "to be taken over", ready="True", reason="Running", total=5)

    assert inspected(pachyderm, name).version == 1
    spouts.edit(name, a_spec(source, limit=6))
    spouts.wait(name, "the owner to survive the update", ready="True", version=2, total=6)


@pytest.mark.parametrize(
    ("spout", "field"),
    [({"marker": "offset"}, "spec.spout.marker"), ({"overwrite": True}, "spec.spout.overwrite")],
    ids=["marker", "overwrite"],
)
def test_what_pachyderm_2_does_not_have_is_refused_by_name(  # noqa: PLR0917 - fixtures and a table
    spouts: Spouts, name: str, pachyderm: Client, source: Path, spout: dict[str, object], field: str
) -> None:
    spouts.create(name, a_spec(source, spout=spout))

    status = spouts.wait(name, "to be refused", ready="False", reason="UnsupportedByServer", stalled="True")

    assert message(status).startswith(f"{field}: this version of Pachyderm")
    assert not [info for info in pachyderm.pps.list_pipeline() if info.pipeline.name == name]


def test_a_spout_of_a_project(spouts: Spouts, name: str, pachyderm: Client, source: Path, bed: Testbed) -> None:
    project = f"p{name.removeprefix('spout-')}"
    spouts.create(name, a_spec(source, project=project))
    status = spouts.wait(name, "the project to be missed", ready="False", reason="ProjectNotFound", stalled="True")
    assert f"pachctl create project {project}" in message(status)

    bed.pachctl("create", "project", project)
    spouts.edit(name, a_spec(source, limit=6, project=project))

    status = spouts.wait(name, "six commits", ready="True", total=6)
    assert (status["pipeline"]["project"], status["pipeline"]["name"]) == (project, name)
    spouts.delete(name)
    eventually(
        lambda: not [info for info in pachyderm.pps.list_pipeline() if info.pipeline.name == name],
        what="the pipeline to be gone",
        seconds=30,
    )


@pytest.mark.parametrize(
    ("deletion_policy", "pipeline_stays", "repo_stays"),
    [
        pytest.param(None, False, False, id="the default is Delete"),
        pytest.param("KeepRepo", False, True, id="KeepRepo"),
        pytest.param("Orphan", True, True, id="Orphan"),
    ],
)
def test_a_deleted_spout_leaves_what_its_policy_says(  # noqa: PLR0917 - fixtures and a table
    spouts: Spouts,
    name: str,
    pachyderm: Client,
    source: Path,
    deletion_policy: str | None,
    pipeline_stays: bool,
    repo_stays: bool,
) -> None:
    spouts.create(name, a_spec(source) | ({"deletionPolicy": deletion_policy} if deletion_policy else {}))
    spouts.wait(name, "five commits", ready="True", total=5)

    spouts.delete(name)

    eventually(lambda: spouts.get(name) is None, what="the Spout to be gone", seconds=30)
    assert bool([info for info in pachyderm.pps.list_pipeline() if info.pipeline.name == name]) is pipeline_stays
    assert bool([info for info in pachyderm.pfs.list_repo(type="user") if info.repo.name == name]) is repo_stays
