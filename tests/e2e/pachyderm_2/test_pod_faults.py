"""A worker's Pod that does not come up, on a real Pachyderm 2.12.2: the reason says why."""

from pathlib import Path

from spout_testbed import Testbed
from spout_testbed.harness.spouts import Spouts
from tests.e2e.conftest import allows
from tests.e2e.failing_code import ready
from tests.e2e.pachyderm_2.conftest import a_spec


def test_an_image_that_cannot_be_pulled(spouts: Spouts, name: str, source: Path) -> None:
    spec = a_spec(source)
    spouts.create(name, {**spec, "transform": {**spec["transform"], "image": "registry.invalid/spout:1"}})

    status = spouts.wait(name, "its image to be missed", ready="False", reason="ImagePullBackOff")
    assert "registry.invalid" in ready(status)["message"]


def test_a_pod_that_no_node_fits(spouts: Spouts, name: str, source: Path) -> None:
    spouts.create(name, a_spec(source, schedulingSpec={"nodeSelector": {"disk": "ssd"}}))

    status = spouts.wait(name, "a node to be missed", ready="False", reason="Unschedulable")
    assert "0/1 nodes are available" in ready(status)["message"]


@allows(secrets=["*-late"])
def test_a_secret_that_is_gone(bed: Testbed, spouts: Spouts, name: str, source: Path) -> None:
    pachyderm = bed.pachyderm("2.12")
    place = ("-n", pachyderm.namespace)
    bed.kubectl("create", "secret", "generic", f"{name}-late", "--from-literal=password=x", *place)
    spec = a_spec(source)
    secret = {"name": f"{name}-late", "key": "password", "envVar": "PASSWORD"}
    spouts.create(name, {**spec, "transform": {**spec["transform"], "secrets": [secret]}})
    spouts.wait(name, "to run", ready="True")

    bed.kubectl("delete", "secret", f"{name}-late", *place)
    pachyderm.workers.kill(name)

    status = spouts.wait(name, "its Secret to be missed", ready="False", reason="CreateContainerConfigError")
    assert f'secret "{name}-late" not found' in ready(status)["message"]
