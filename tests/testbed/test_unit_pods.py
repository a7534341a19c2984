"""The test bed makes a Pod and its container from a ReplicationController as a cluster does."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import pytest

from spout_testbed import pods

Json = dict[str, Any]


def controller_of(*, env: list[Json] | None = None, volumes: dict[str, Json] | None = None, **spec: Any) -> Json:
    named = volumes or {}
    template = {
        "metadata": {"labels": {"app": "pipeline-my-spout-v3"}, "annotations": {"pipelineName": "my-spout"}},
        "spec": {
            "containers": [
                {
                    "name": "user",
                    "image": "image:1",
                    "env": env or [],
                    "volumeMounts": [{"name": name, "mountPath": f"/etc/{name}"} for name in named],
                },
                {"name": "storage", "image": "pachd:1"},
            ],
            "volumes": [{"name": name, **volume} for name, volume in named.items()],
        },
    }
    return {
        "metadata": {"name": "pipeline-my-spout-v3", "uid": "u1", "labels": {"pipelineName": "my-spout"}},
        "spec": {"replicas": 1, "template": template, **spec},
    }


def secret(name: str) -> Mapping[str, bytes]:
    return {"kafka": {"password": b"pass word"}}[name]


def resolved(env: list[Json]) -> dict[str, str]:
    pod = pods.new_pod(controller_of(env=env), name="p1")
    return pods.user_container(pod, address="127.1.0.7", secret=secret).env


@pytest.mark.parametrize(
    ("change", "wanted", "reason"),
    [
        ({}, True, "one replica"),
        ({"replicas": 0}, False, "a stopped pipeline"),
        ({"replicas": 2}, True, "one worker stands for them all"),
    ],
)
def test_a_worker_is_wanted_by_the_state_of_its_controller(change: Json, *, wanted: bool, reason: str) -> None:
    assert pods.wants_worker(controller_of(**change)) is wanted, reason


def test_a_controller_that_is_being_deleted_wants_no_worker() -> None:
    controller = controller_of()
    controller["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert not pods.wants_worker(controller)


def test_a_controller_names_its_pipeline_and_version() -> None:
    assert pods.pipeline_of(controller_of()) == ("my-spout", 3)


def test_the_pod_belongs_to_its_controller_and_is_found_by_pachd() -> None:
    pod = pods.new_pod(controller_of(), name="p1")
    assert pod["metadata"]["annotations"] == {"pipelineName": "my-spout"}
    assert pod["metadata"]["ownerReferences"][0]["uid"] == "u1"
    assert pod["spec"]["nodeName"] == pods.NODE


@pytest.mark.parametrize(
    ("entry", "expected", "reason"),
    [
        ({"name": "A", "value": "plain"}, {"A": "plain"}, "a value"),
        ({"name": "A"}, {"A": ""}, "Kubernetes leaves out an empty value"),
        (
            {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"A": "127.1.0.7"},
            "the worker's own address",
        ),
        (
            {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"A": "p1"},
            "the Pod's name",
        ),
        (
            {"name": "A", "valueFrom": {"secretKeyRef": {"name": "kafka", "key": "password"}}},
            {"A": "pass word"},
            "from a Secret",
        ),
        (
            {"name": "A", "valueFrom": {"secretKeyRef": {"name": "kafka", "key": "no", "optional": True}}},
            {},
            "an optional key that is not there sets nothing",
        ),
    ],
)
def test_the_environment_of_the_container_is_resolved(entry: Json, expected: dict[str, str], reason: str) -> None:
    assert resolved([entry]) == expected, reason


@pytest.mark.parametrize("reference", [{"name": "kafka", "key": "no"}, {"name": "none", "key": "password"}])
def test_a_secret_that_is_missing_is_an_error(reference: Json) -> None:
    with pytest.raises(KeyError):
        resolved([{"name": "A", "valueFrom": {"secretKeyRef": reference}}])


def test_only_secrets_are_mounted() -> None:
    controller = controller_of(volumes={"tls": {"secret": {"secretName": "kafka-tls"}}, "scratch": {"emptyDir": {}}})
    container = pods.user_container(pods.new_pod(controller, name="p1"), address="127.1.0.7", secret=secret)
    assert container.secret_mounts == {PurePosixPath("/etc/tls"): "kafka-tls"}


def test_a_running_pod_has_a_ready_status() -> None:
    pod = pods.new_pod(controller_of(), name="p1")
    status = pods.running_status(pod, address="127.1.0.7", restarts=2, now="2026-01-01T00:00:00Z")["status"]
    assert status["phase"] == "Running"
    assert status["podIP"] == "127.1.0.7"
    assert {condition["type"]: condition["status"] for condition in status["conditions"]}["Ready"] == "True"
    assert [each["restartCount"] for each in status["containerStatuses"]] == [2, 0]


def test_a_pod_that_cannot_run_has_a_pending_status_with_the_reason() -> None:
    pod = pods.new_pod(controller_of(), name="p1")
    status = pods.waiting_status(
        pod, reason="CreateContainerConfigError", message="no Secret", restarts=0, now="2026-01-01T00:00:00Z"
    )["status"]
    assert status["phase"] == "Pending"
    assert status["containerStatuses"][0]["state"]["waiting"]["message"] == "no Secret"
    assert {condition["type"]: condition["status"] for condition in status["conditions"]}["Ready"] == "False"
