"""The operator never touches a pipeline that another Spout or another client owns."""

from spout_operator.pachyderm.v1.sdk import Client, pps_pb2
from spout_testbed.harness.spouts import Spouts, message
from tests.e2e.conftest import a_spec


def test_a_pipeline_without_an_owner_is_left_alone(spouts: Spouts, name: str, pachyderm: Client) -> None:
    pachyderm.create_pipeline(name, pps_pb2.Transform(image="theirs", cmd=["sleep", "1000"]), spout=pps_pb2.Spout())
    before = pachyderm.inspect_pipeline(name)

    spouts.create(name, a_spec())

    status = spouts.wait(name, "to refuse", ready="False", stalled="True", reason="PipelineNotOwned")
    assert "set spec.adoptionPolicy to IfUnowned" in message(status)
    assert "pipeline" not in status
    spouts.edit(name, {"suspend": True})
    spouts.wait(name, "to refuse an edit too", stalled="True", reason="PipelineNotOwned")
    spouts.delete(name)
    spouts.wait_gone(name)
    after = pachyderm.inspect_pipeline(name)
    assert after.spec_commit == before.spec_commit
    assert after.version == before.version


def test_a_pipeline_that_differs_is_taken_over_with_the_update(spouts: Spouts, name: str, pachyderm: Client) -> None:
    pachyderm.create_pipeline(name, pps_pb2.Transform(image="theirs", cmd=["sleep", "1000"]), spout=pps_pb2.Spout())

    spouts.create(name, a_spec(adoptionPolicy="IfUnowned"))

    spouts.wait(name, "to take it and make it as asked for", ready="True", version=2, marker="5")


def test_a_pipeline_that_is_as_asked_for_is_taken_over_when_a_restart_is_welcome(
    spouts: Spouts, name: str, pachyderm: Client
) -> None:
    spec = a_spec(adoptionPolicy="IfUnowned")
    transform = {key: spec["transform"][key] for key in ("image", "cmd", "env")}
    options = pps_pb2.Spout(marker=spec["spout"]["marker"])
    description = spec.get("description", "")
    pachyderm.create_pipeline(name, pps_pb2.Transform(**transform), spout=options, description=description)

    spouts.create(name, spec)

    status = spouts.wait(name, "to wait", ready="False", stalled="True", reason="AdoptionRestarts")
    assert "set spec.restartNonce" in message(status)
    assert pachyderm.inspect_pipeline(name).version == 1
    spouts.edit(name, {"restartNonce": "1"})
    spouts.wait(name, "to take it over", ready="True", version=2, marker="5")


def test_the_older_of_two_spouts_that_name_one_pipeline_wins(spouts: Spouts, name: str, pachyderm: Client) -> None:
    spouts.create(name, a_spec())
    spouts.wait(name, "to run", ready="True")

    spouts.create(f"{name}-b", a_spec(name=name))

    status = spouts.wait(f"{name}-b", "to be told", stalled="True", reason="PipelineNotOwned")
    assert f"{spouts.namespace}/{name}" in message(status)
    spouts.delete(f"{name}-b")
    spouts.wait_gone(f"{name}-b")
    assert pachyderm.inspect_pipeline(name).version == 1

    spouts.create(f"{name}-c", a_spec(name=name))
    spouts.wait(f"{name}-c", "to be told too", stalled="True")
    spouts.delete(name)
    spouts.wait_gone(name)
    spouts.wait(f"{name}-c", "to take its place", ready="True", stalled=None, version=1)
