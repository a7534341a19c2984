"""The test bed makes Pods from ReplicationControllers as a cluster does."""

from typing import Any

import pytest

from spout_testbed.kubelet import replicas

Json = dict[str, Any]


def controller_of(*, uid: str = "u1", deleted: bool = False, **spec: Any) -> Json:
    template = {
        "metadata": {"labels": {"pipelineName": "my-spout"}, "annotations": {"pipelineName": "my-spout"}},
        "spec": {"containers": [{"name": "user", "image": "image:1"}]},
    }
    metadata = {"name": "default-my-spout-v3", "uid": uid, "generation": 4}
    return {
        "metadata": metadata | ({"deletionTimestamp": "2026-01-01T00:00:00Z"} if deleted else {}),
        "spec": {"replicas": 1, "template": template, **spec},
    }


def pod_of(uid: str, *, ready: bool = True, deleted: bool = False) -> Json:
    pod = replicas.new_pod(controller_of(uid=uid), name="p1")
    if deleted:
        pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return {**pod, "status": {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}]}}


@pytest.mark.parametrize(
    ("controller", "pods", "missing", "surplus", "reason"),
    [
        (controller_of(), [], 1, 0, "a new pipeline has no Pod yet"),
        (controller_of(), [pod_of("u1")], 0, 0, "its Pod is there"),
        (controller_of(replicas=2), [], 1, 0, "one worker stands for them all"),
        (controller_of(replicas=2), [pod_of("u1")], 0, 0, "one worker stands for them all"),
        (controller_of(replicas=0), [pod_of("u1")], 0, 1, "the pipeline was stopped"),
        (controller_of(deleted=True), [pod_of("u1")], 0, 1, "the pipeline is being deleted"),
        (controller_of(deleted=True), [], 0, 0, "the pipeline is being deleted"),
        (
            controller_of(),
            [pod_of("u1", deleted=True)],
            0,
            1,
            "somebody deleted the Pod; the next step creates another",
        ),
        (controller_of(uid="u2"), [pod_of("u1")], 1, 1, "pachd replaced the controller with one of the same name"),
    ],
)
def test_pods_are_created_and_deleted_as_the_controllers_ask(
    controller: Json, pods: list[Json], missing: int, surplus: int, reason: str
) -> None:
    assert len(replicas.missing([controller], pods)) == missing, reason
    assert len(replicas.surplus([controller], pods)) == surplus, reason


def test_a_pod_of_nobody_is_left_alone() -> None:
    assert replicas.surplus([], [{"metadata": {"name": "pachd-0"}}]) == []


@pytest.mark.parametrize("name", ["pipeline-my-spout-v3", "default-my-spout-v3", "default-my-v2-spout-v3"])
def test_a_controller_names_its_pipeline_and_version(name: str) -> None:
    assert replicas.pipeline_of({"pipelineName": "my-spout"}, name) == ("my-spout", 3)


def test_the_pod_belongs_to_its_controller_and_is_found_by_pachd() -> None:
    pod = replicas.new_pod(controller_of(), name="p1")
    assert pod["metadata"]["annotations"] == {"pipelineName": "my-spout"}
    assert replicas.owner_of(pod) == "u1"
    assert pod["spec"]["nodeName"] == replicas.NODE


@pytest.mark.parametrize(
    ("pods", "counts"),
    [([], (0, 0)), ([pod_of("u1", ready=False)], (1, 0)), ([pod_of("u1")], (1, 1)), ([{"metadata": {}}], (1, 0))],
)
def test_the_status_of_a_controller_counts_its_pods(pods: list[Json], counts: tuple[int, int]) -> None:
    status = replicas.status_of(controller_of(), pods)
    assert (status["replicas"], status["readyReplicas"]) == counts
    assert status["observedGeneration"] == 4
