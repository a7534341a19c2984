"""A worker's Pod that does not come up, on a real Pachyderm 1.13.4: the reason says why, and an edit mends it."""

from spout_testbed.harness.spouts import Spouts
from tests.e2e.conftest import a_spec
from tests.e2e.failing_code import ready


def test_an_image_that_cannot_be_pulled(spouts: Spouts, name: str) -> None:
    spouts.create(name, a_spec(transform={"image": "registry.invalid/spout:1"}))

    status = spouts.wait(name, "its image to be missed", ready="False", reason="ImagePullBackOff")
    assert "lookup registry.invalid: no such host" in ready(status)["message"]

    spouts.edit(name, a_spec())
    spouts.wait(name, "to run", ready="True", reason="Running", version=2)


def test_a_pod_that_no_node_fits(spouts: Spouts, name: str) -> None:
    spouts.create(name, a_spec(schedulingSpec={"nodeSelector": {"disk": "ssd"}}))

    status = spouts.wait(name, "a node to be missed", ready="False", reason="Unschedulable")
    assert "0/1 nodes are available" in ready(status)["message"]
