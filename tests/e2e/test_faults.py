"""Outages of pachd, of the operator and of the worker."""

from spout_operator.pachyderm.v1.sdk import Client
from spout_testbed import Testbed
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts, message
from tests.e2e.conftest import a_spec


def test_a_spout_is_unknown_while_pachd_is_down_and_recovers_after_it(
    spouts: Spouts, name: str, bed: Testbed, pachyderm: Client
) -> None:
    spouts.create(name, a_spec())
    before = spouts.wait(name, "five rounds", ready="True", marker="5")

    bed.pachd.kill()
    try:
        lost = spouts.wait(name, "to say that nothing is known", ready="Unknown", reason="PachydermUnreachable")
        assert bed.pachd_address in message(lost)
        assert lost["marker"] == before["marker"]
        assert lost["commits"]["total"] == before["commits"]["total"]
    finally:
        bed.pachd.start()

    spouts.wait(name, "to be well again", ready="True", version=1, marker="5", seconds=90)


def test_a_spout_created_while_pachd_is_down_gets_its_pipeline_when_it_is_back(
    spouts: Spouts, name: str, bed: Testbed
) -> None:
    bed.pachd.kill()
    try:
        spouts.create(name, a_spec())
        spouts.wait(name, "to say so", ready="Unknown", reason="PachydermUnreachable", reconciling="True")
    finally:
        bed.pachd.start()

    spouts.wait(name, "to run", ready="True", version=1, seconds=90)


def test_a_killed_operator_goes_on_where_it_was(
    spouts: Spouts, name: str, operator: OperatorProcess, pachyderm: Client
) -> None:
    spouts.create(name, a_spec())
    spouts.wait(name, "five rounds", ready="True", marker="5", total=10)

    operator.kill()
    spouts.edit(name, {"transform": {"env": {"LIMIT": "9"}}})
    operator.start()

    status = spouts.wait(name, "the edit", ready="True", version=2, marker="9", total=18)
    finished = [info for info in pachyderm.list_commit(name, to_commit=(name, "master")) if info.HasField("finished")]
    assert status["commits"]["total"] == len(finished)


def test_a_spout_deleted_while_the_operator_is_down_takes_its_pipeline_along(
    spouts: Spouts, name: str, operator: OperatorProcess, pachyderm: Client
) -> None:
    spouts.create(name, a_spec())
    spouts.wait(name, "to run", ready="True")

    operator.kill()
    spouts.delete(name)
    held = spouts.get(name)
    assert held is not None
    assert held["metadata"]["finalizers"] == ["spout-operator.io/pipeline"]
    operator.start()

    spouts.wait_gone(name)
    assert name not in {info.pipeline.name for info in pachyderm.list_pipeline().pipeline_info}


def test_a_killed_worker_resumes_from_the_marker(spouts: Spouts, name: str, bed: Testbed, pachyderm: Client) -> None:
    spouts.create(name, a_spec(transform={"env": {"LIMIT": "30"}}))
    spouts.wait(name, "to be under way", ready="True", total=4)

    bed.workers.kill(name)

    spouts.wait(name, "to reach its end", marker="30", seconds=120)
    files = [info.file.path for info in pachyderm.walk_file((name, "master"), "/") if info.file.path != "/"]
    assert sorted(files) == sorted(f"/data-{number}" for number in range(1, 31))


def test_an_orphan_can_be_deleted_while_pachd_is_down(spouts: Spouts, name: str, bed: Testbed) -> None:
    spouts.create(name, a_spec(deletionPolicy="Orphan"))
    spouts.wait(name, "to run", ready="True")

    bed.pachd.kill()
    try:
        spouts.delete(name)
        spouts.wait_gone(name)
    finally:
        bed.pachd.start()
