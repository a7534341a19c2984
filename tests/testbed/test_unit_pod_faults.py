"""What cannot come up is reported in the words of a kubelet and a scheduler."""

import pytest

from spout_testbed.kubelet import image_pull, replicas, status
from spout_testbed.kubelet.replicas import NODE

NO_SUCH_HOST = (
    'failed to pull and unpack image "registry.invalid/team/spout:1": failed to resolve reference '
    '"registry.invalid/team/spout:1": failed to do request: '
    'Head "https://registry.invalid/v2/team/spout/manifests/1": dial tcp: lookup registry.invalid: no such host'
)
NOW = "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("image", "problem"),
    [
        ("none:1", ""),
        ("pachyderm/worker:1.13.4", ""),
        ("registry.example/invalid:1", ""),
        (
            "registry.invalid/team/spout:1",
            NO_SUCH_HOST,
        ),
    ],
)
def test_only_a_registry_that_cannot_exist_lacks_its_images(image: str, problem: str) -> None:
    assert image_pull.pull_problem(image) == problem


def test_an_image_without_a_tag_is_the_latest() -> None:
    assert "/v2/spout/manifests/latest" in image_pull.pull_problem("registry.invalid/spout")


def test_the_back_off_repeats_what_the_pull_said() -> None:
    assert image_pull.back_off("registry.invalid/spout", "why") == (
        'Back-off pulling image "registry.invalid/spout": ErrImagePull: why'
    )


@pytest.mark.parametrize(
    ("selector", "fits"),
    [(None, True), ({}, True), ({"kubernetes.io/os": "linux"}, True), ({"disk": "ssd"}, False)],
)
def test_only_a_pod_that_the_node_fits_is_assigned_to_it(selector: dict[str, str] | None, *, fits: bool) -> None:
    spec = {"containers": [], **({"nodeSelector": selector} if selector is not None else {})}
    controller = {"metadata": {"name": "one", "uid": "1"}, "spec": {"template": {"metadata": {}, "spec": spec}}}
    pod = replicas.new_pod(controller, name="one-abc")
    assert pod["spec"].get("nodeName") == (NODE if fits else None)
    assert replicas.is_new_and_unscheduled(pod) is not fits


def test_an_unscheduled_pod_is_reported_once() -> None:
    reported = status.unscheduled(NOW)
    assert (reported["phase"], reported["conditions"][0]["reason"]) == ("Pending", "Unschedulable")
    assert not replicas.is_new_and_unscheduled({"metadata": {}, "spec": {}, "status": reported})
