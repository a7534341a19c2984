"""Pods that do not come up say why, as in a cluster, and come up when the reason is gone."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from spout_testbed import Testbed
from spout_testbed.pachyderm import Pachyderm
from spout_testbed.waiting import eventually

Json = dict[str, Any]

VERSIONS = ("1.13", "2.12")


@pytest.fixture(scope="module")
def bed() -> Iterator[Testbed]:
    with Testbed.start(pachyderm=VERSIONS) as started:
        yield started


@pytest.fixture(params=VERSIONS)
def pachyderm(bed: Testbed, request: pytest.FixtureRequest) -> Pachyderm:
    return bed.pachyderm(request.param)


@pytest.fixture
def spout(pachyderm: Pachyderm) -> Iterator[Callable[..., None]]:
    """Creates or updates a spout that sleeps."""
    names = set()

    def create(name: str, *, verb: str = "create", scheduling: Json | None = None, **transform: object) -> None:
        spec = {
            "pipeline": {"name": name},
            "transform": {"image": "none:1", "cmd": ["sleep", "1000"], **transform},
            "spout": {},
            **({"schedulingSpec": scheduling} if scheduling else {}),
        }
        pachyderm.pachctl(verb, "pipeline", "-f", "-", input=json.dumps(spec))
        names.add(name)

    yield create
    for name in names:
        pachyderm.pachctl("delete", "pipeline", name)


def status_of(bed: Testbed, pachyderm: Pachyderm, name: str) -> Json:
    """The status of the newest Pod of the pipeline."""
    listed = bed.kubectl("get", "pods", "-n", pachyderm.namespace, "-l", f"pipelineName={name}", "-o", "json")
    pods: list[Json] = json.loads(listed.stdout)["items"]
    return dict(pods[-1]["status"]) if pods else {}


def waiting(bed: Testbed, pachyderm: Pachyderm, name: str) -> Json:
    """Why the user container of the pipeline waits."""
    for each in status_of(bed, pachyderm, name).get("containerStatuses", []):
        if each["name"] == "user":
            return dict(each["state"].get("waiting", {}))
    return {}


def test_an_image_that_does_not_exist(bed: Testbed, pachyderm: Pachyderm, spout: Callable[..., None]) -> None:
    spout("imageless", image="registry.invalid/spout:1")
    eventually(
        lambda: waiting(bed, pachyderm, "imageless").get("reason") == "ImagePullBackOff",
        what="the user container to back off",
        details=lambda: str(status_of(bed, pachyderm, "imageless")),
    )
    assert "registry.invalid: no such host" in waiting(bed, pachyderm, "imageless")["message"]
    assert status_of(bed, pachyderm, "imageless")["phase"] == "Pending"
    pod = bed.kubectl("get", "pods", "-n", pachyderm.namespace, "-l", "pipelineName=imageless", "-o", "name").stdout
    refused = bed.kubectl("logs", "-n", pachyderm.namespace, pod.strip(), "-c", "user", check=False).stderr
    assert "is waiting to start: trying and failing to pull image" in refused

    spout("imageless", verb="update", image="none:1")
    assert pachyderm.workers.wait_running("imageless").version == 2


def test_a_secret_that_is_missing(bed: Testbed, pachyderm: Pachyderm, spout: Callable[..., None]) -> None:
    secret = ("secret", "generic", "late", "--from-literal=password=x", "-n", pachyderm.namespace)
    # Pachyderm 2.12 refuses a pipeline whose Secret is not there, so it goes away later.
    bed.kubectl("create", *secret)
    spout("secretless", secrets=[{"name": "late", "key": "password", "envVar": "PASSWORD"}])
    pachyderm.workers.wait_running("secretless")
    bed.kubectl("delete", "secret", "late", "-n", pachyderm.namespace)
    pachyderm.workers.kill("secretless")
    eventually(
        lambda: waiting(bed, pachyderm, "secretless").get("reason") == "CreateContainerConfigError",
        what="the missing Secret to be reported",
        details=lambda: str(status_of(bed, pachyderm, "secretless")),
    )
    assert waiting(bed, pachyderm, "secretless")["message"] == 'secret "late" not found'
    bed.kubectl("create", *secret)
    pachyderm.workers.wait_running("secretless")


def test_a_pod_that_no_node_fits(bed: Testbed, pachyderm: Pachyderm, spout: Callable[..., None]) -> None:
    spout("homeless", scheduling={"nodeSelector": {"disk": "ssd"}})

    def scheduled() -> Json:
        conditions: list[Json] = status_of(bed, pachyderm, "homeless").get("conditions", [])
        return next((each for each in conditions if each["type"] == "PodScheduled"), {})

    eventually(scheduled, what="the scheduler to say something")
    assert (scheduled()["status"], scheduled()["reason"]) == ("False", "Unschedulable")
    assert "0/1 nodes are available" in scheduled()["message"]

    spout("homeless", verb="update")
    assert pachyderm.workers.wait_running("homeless").version == 2


def test_a_container_that_dies_waits_before_it_starts_again(
    bed: Testbed, pachyderm: Pachyderm, spout: Callable[..., None]
) -> None:
    spout("dying")
    pachyderm.workers.wait_running("dying")
    pachyderm.workers.kill("dying")
    eventually(
        lambda: waiting(bed, pachyderm, "dying").get("reason") == "CrashLoopBackOff",
        what="the pause before the restart",
        interval=0.01,
    )
    assert pachyderm.workers.wait_running("dying").restarts == 1
