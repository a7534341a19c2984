"""A worker's Pod that does not come up, on a real Pachyderm 1.13.4: the reason says why, and an edit mends it."""

from spout_testbed import Testbed
from spout_testbed.harness.spouts import Spouts
from tests.e2e.conftest import a_spec, allows
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


@allows(secrets=["*-late"])
def test_a_secret_that_is_missing(bed: Testbed, spouts: Spouts, name: str) -> None:
    """The server says nothing of it, so the reason comes from the kubelet's answer to who asks for the log."""
    secret = {"name": f"{name}-late", "key": "password", "envVar": "PASSWORD"}
    spouts.create(name, a_spec(transform={"secrets": [secret]}))

    status = spouts.wait(
        name, "its Secret to be missed", seconds=90, ready="False", reason="CreateContainerConfigError"
    )
    assert "is waiting to start: CreateContainerConfigError" in ready(status)["message"]
    assert "each Secret of spec.transform.secrets" in ready(status)["message"], "what to look for"

    place = ("--namespace", bed.pachyderm("1.13").namespace)
    bed.kubectl("create", "secret", "generic", f"{name}-late", "--from-literal=password=x", *place)
    spouts.wait(name, "to run", ready="True", reason="Running")
