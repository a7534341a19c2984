"""The environment and the command of a container are resolved as a kubelet does."""

from collections.abc import Mapping
from typing import Any

import pytest

from spout_testbed.kubelet import environment
from spout_testbed.kubelet.environment import ConfigError

Json = dict[str, Any]

FIELDS = {"metadata.name": "p1", "status.podIP": "10.88.0.7"}
SERVICES = {"ETCD_SERVICE_HOST": "192.0.2.1", "POSTGRES_PORT": "tcp://192.0.2.1:5432"}


def read(kind: str, name: str) -> Mapping[str, bytes]:
    objects = {("secret", "kafka"): {"password": b"pass word"}, ("configmap", "topic"): {"name": b"orders"}}
    if (kind, name) not in objects:
        raise ConfigError(f'{kind} "{name}" not found')
    return objects[kind, name]


def resolved(**container: Any) -> dict[str, str]:
    return environment.environment({"name": "user", **container}, services=SERVICES, fields=FIELDS, read=read)


@pytest.mark.parametrize(
    ("source", "expected", "reason"),
    [
        ({"value": "plain"}, "plain", "a value"),
        ({}, "", "Kubernetes leaves out an empty value"),
        ({"valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}, "10.88.0.7", "the address of the Pod"),
        ({"valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}, "p1", "the name of the Pod"),
        ({"valueFrom": {"secretKeyRef": {"name": "kafka", "key": "password"}}}, "pass word", "from a Secret"),
        ({"valueFrom": {"configMapKeyRef": {"name": "topic", "key": "name"}}}, "orders", "from a ConfigMap"),
        ({"value": "http://$(ETCD_SERVICE_HOST):1"}, "http://192.0.2.1:1", "a reference to a known variable"),
        ({"value": "$(NONE) $$(ETCD_SERVICE_HOST)"}, "$(NONE) $(ETCD_SERVICE_HOST)", "neither is a reference"),
    ],
)
def test_a_variable_has_its_value_from_where_the_pod_says(source: Json, expected: str, reason: str) -> None:
    assert resolved(env=[{"name": "A", **source}])["A"] == expected, reason


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ({"name": "kafka", "key": "none"}, "the key is not there"),
        ({"name": "none", "key": "password"}, "the Secret is not there"),
    ],
)
def test_an_optional_reference_to_what_is_missing_sets_nothing(reference: Json, reason: str) -> None:
    entry = {"name": "A", "valueFrom": {"secretKeyRef": {**reference, "optional": True}}}
    assert "A" not in resolved(env=[entry]), reason


@pytest.mark.parametrize(
    ("source", "message", "reason"),
    [
        ({"secretKeyRef": {"name": "kafka", "key": "none"}}, "couldn't find key none in secret kafka", "no such key"),
        ({"secretKeyRef": {"name": "none", "key": "a"}}, 'secret "none" not found', "no such Secret"),
        ({"configMapKeyRef": {"name": "none", "key": "a"}}, 'configmap "none" not found', "no such ConfigMap"),
        ({"fieldRef": {"fieldPath": "spec.unknown"}}, "spec.unknown", "a field that the test bed does not know"),
        ({"resourceFieldRef": {"resource": "limits.memory"}}, "resourceFieldRef", "a source that it does not know"),
    ],
)
def test_what_cannot_be_resolved_is_an_error_that_names_it(source: Json, message: str, reason: str) -> None:
    with pytest.raises(ConfigError) as raised:
        resolved(env=[{"name": "A", "valueFrom": source}])
    assert message in str(raised.value), reason


def test_a_variable_of_the_container_replaces_one_of_a_service() -> None:
    assert resolved(env=[{"name": "POSTGRES_PORT", "value": ""}]) == {**SERVICES, "POSTGRES_PORT": ""}


def test_all_entries_of_an_object_become_variables() -> None:
    sources = [
        {"secretRef": {"name": "kafka"}, "prefix": "KAFKA_"},
        {"configMapRef": {"name": "topic"}},
        {"secretRef": {"name": "none", "optional": True}},
    ]
    found = resolved(envFrom=sources, env=[{"name": "name", "value": "own"}])
    assert found == {**SERVICES, "KAFKA_password": "pass word", "name": "own"}


def test_the_command_and_its_arguments_are_expanded() -> None:
    container = {"name": "user", "command": ["/pachd", "--mode"], "args": ["$(MODE)", "$(NONE)"]}
    assert environment.command(container, {"MODE": "sidecar"}) == ["/pachd", "--mode", "sidecar", "$(NONE)"]


def test_a_container_without_a_command_is_refused() -> None:
    with pytest.raises(ConfigError, match="container 'reader' has no command"):
        environment.command({"name": "reader", "args": ["x"]}, {})
