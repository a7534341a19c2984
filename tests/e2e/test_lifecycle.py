"""A Spout from `kubectl apply` to `kubectl delete`, on a real pachd 1.13.4 with its real worker."""

import json

import pytest

from spout_operator.pachyderm.v1.sdk import Client
from spout_testbed import Testbed
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts, message
from spout_testbed.waiting import eventually
from tests.e2e.conftest import a_spec, allows


def test_an_applied_spout_runs_and_shows_its_commits_and_marker(
    spouts: Spouts, name: str, bed: Testbed, pachyderm: Client
) -> None:
    spouts.create(name, a_spec())

    status = spouts.wait(name, "five rounds", ready="True", synced="True", state="Running", marker="5", total=10)

    finished = [info for info in pachyderm.list_commit(name, to_commit=(name, "master")) if info.HasField("finished")]
    assert status["commits"]["total"] == len(finished)
    assert status["commits"]["last"]["id"] == finished[0].commit.id
    assert status["marker"]["commit"] == pachyderm.inspect_branch(name, "marker").head.id
    assert status["pipeline"]["workersAvailable"] == 1
    assert status["pachyderm"] == {"address": bed.pachd_address, "version": "1.13.4"}
    table = bed.kubectl("get", "spouts", "-n", spouts.namespace).stdout.splitlines()
    assert table[0].split() == ["NAME", "READY", "STATE", "COMMITS", "LAST", "COMMIT", "MARKER", "AGE"]
    assert table[1].split()[:4] == [name, "True", "Running", str(len(finished))]


def test_an_edit_makes_one_new_version_and_keeps_the_marker(spouts: Spouts, name: str, pachyderm: Client) -> None:
    spouts.create(name, a_spec())
    spouts.wait(name, "five rounds", ready="True", marker="5")

    spouts.edit(name, {"transform": {"env": {"LIMIT": "8"}}})

    status = spouts.wait(name, "to go on from five", ready="True", version=2, marker="8")
    assert status["commits"]["total"] == 16
    files = {info.file.path for info in pachyderm.walk_file((name, "master"), "/")}
    assert {f"/data-{number}" for number in range(1, 9)} <= files


def test_a_restart_nonce_restarts_the_spout_without_another_change(spouts: Spouts, name: str) -> None:
    spouts.create(name, a_spec())
    before = spouts.wait(name, "five rounds", ready="True", marker="5")

    spouts.edit(name, {"restartNonce": "2026-11-22"})

    after = spouts.wait(name, "the next version", ready="True", version=2, marker="5")
    assert after["marker"]["commit"] == before["marker"]["commit"]


def test_a_suspended_spout_is_stopped_and_an_edit_does_not_start_it(
    spouts: Spouts, name: str, pachyderm: Client
) -> None:
    spouts.create(name, a_spec())
    spouts.wait(name, "five rounds", ready="True", marker="5")

    spouts.edit(name, {"suspend": True})
    spouts.wait(name, "to be suspended", ready="True", reason="Suspended", state="Paused")
    spouts.edit(name, {"transform": {"env": {"LIMIT": "7"}}})
    spouts.wait(name, "the edit to be taken, and stopped", reason="Suspended", state="Paused", version=2, marker="5")
    assert pachyderm.inspect_pipeline(name).stopped

    spouts.edit(name, {"suspend": False})
    spouts.wait(name, "to go on where it was", ready="True", reason="Running", state="Running", version=2, marker="7")


def test_a_spout_can_be_made_suspended(spouts: Spouts, name: str) -> None:
    spouts.create(name, a_spec(suspend=True))

    spouts.wait(name, "to be made and stopped", reason="Suspended", state="Paused", version=1)


@pytest.mark.parametrize(
    ("policy", "pipeline_stays", "repo_stays"),
    [
        pytest.param(None, False, False, id="the default is Delete"),
        pytest.param("Delete", False, False, id="Delete takes the repo too"),
        pytest.param("KeepRepo", False, True, id="KeepRepo keeps the commits"),
        pytest.param("Orphan", True, True, id="Orphan touches nothing"),
    ],
)
def test_deletion_follows_the_policy(  # noqa: PLR0917 - fixtures
    policy: str | None, pipeline_stays: bool, repo_stays: bool, spouts: Spouts, name: str, pachyderm: Client
) -> None:
    spouts.create(name, a_spec(**({"deletionPolicy": policy} if policy else {})))
    spouts.wait(name, "five rounds", ready="True", marker="5")

    spouts.delete(name)

    spouts.wait_gone(name)
    assert (name in {info.pipeline.name for info in pachyderm.list_pipeline().pipeline_info}) == pipeline_stays
    assert (name in {info.repo.name for info in pachyderm.list_repo()}) == repo_stays
    if repo_stays:
        assert len(list(pachyderm.list_commit(name))) >= 10
    if pipeline_stays:
        assert not pachyderm.inspect_pipeline(name).stopped


def test_a_pipeline_that_others_read_is_not_deleted_until_they_are(
    spouts: Spouts, name: str, bed: Testbed, pachyderm: Client
) -> None:
    spouts.create(name, a_spec())
    spouts.wait(name, "to run", ready="True", marker="5")
    reader = {
        "pipeline": {"name": f"{name}-reader"},
        "transform": {"image": "i", "cmd": ["true"]},
        "input": {"pfs": {"repo": name, "glob": "/"}},
    }
    bed.pachctl("create", "pipeline", "-f", "-", input=json.dumps(reader))

    spouts.delete(name)

    status = spouts.wait(name, "to say what is in the way", stalled="True", reason="DeletionBlocked")
    assert "spec.deletionPolicy" in message(status)
    spouts.edit(name, {"deletionPolicy": "KeepRepo"})
    spouts.wait_gone(name)
    assert name in {info.repo.name for info in pachyderm.list_repo()}


@allows(podPatch=True)
def test_a_failed_pipeline_shows_why(spouts: Spouts, name: str) -> None:
    spouts.create(name, a_spec(podPatch='[{"op": "add", "path": "/containers/0/name", "value": "No Name"}]'))

    status = spouts.wait(name, "to fail", ready="False", stalled="True", reason="PipelineFailed", state="Failure")

    assert status["pipeline"]["reason"]
    assert status["pipeline"]["reason"] in message(status)


@allows(podPatch=True)
def test_a_spec_that_pachd_refuses_is_shown_and_an_edit_corrects_it(
    spouts: Spouts, name: str, operator: OperatorProcess
) -> None:
    spouts.create(name, a_spec(resourceRequests={"memory": "1Mi"}, podPatch="[]"))
    spouts.wait(name, "to run", ready="True")

    spouts.edit(name, {"podPatch": "[nonsense]"})

    status = spouts.wait(name, "to say what is wrong", stalled="True", synced="False", reason="InvalidSpec")
    assert "spec.podPatch" in message(status)
    spouts.edit(name, {"podPatch": None})
    spouts.wait(name, "to be well", ready="True", stalled=None)


def test_a_pipeline_that_somebody_else_deletes_is_created_again(spouts: Spouts, name: str, pachyderm: Client) -> None:
    spouts.create(name, a_spec())
    spouts.wait(name, "five rounds", ready="True", marker="5")

    pachyderm.delete_pipeline(name)

    eventually(
        lambda: name in {info.pipeline.name for info in pachyderm.list_pipeline().pipeline_info},
        what="the pipeline to be there again",
    )
    status = spouts.wait(name, "to have begun anew", ready="True", version=1, marker="5")
    assert status["commits"]["total"] == 10


def test_a_kept_repo_is_not_overwritten(spouts: Spouts, name: str, pachyderm: Client) -> None:
    spouts.create(name, a_spec())
    spouts.wait(name, "five rounds", ready="True", marker="5")
    heads = {branch.name: branch.head.id for branch in pachyderm.list_branch(name)}

    pachyderm.delete_pipeline(name, keep_repo=True)

    status = spouts.wait(name, "to refuse", stalled="True", reason="RepoExists")
    assert f"pachctl delete repo {name}" in message(status)
    assert {branch.name: branch.head.id for branch in pachyderm.list_branch(name)} == heads
