"""Specs that the API server accepts, each as it is written: it drops nothing and adds nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from spout_testbed.harness.bodies import a_spout
from spout_testbed.harness.spouts import Spouts


@dataclass(frozen=True)
class Row:
    """A spec that is accepted."""

    id: str
    reason: str
    changes: Mapping[str, object]
    name: str = "my-spout"


DIGEST = "sha256:" + "0123456789abcdef" * 4
KAFKA_SPOUT = {
    "name": "my-spout",
    "description": 'Kafka topic "mytopic" into Pachyderm',
    "transform.image": "myaccount/myimage:0.1",
    "transform.cmd": ["go", "run", "./main.go"],
    "transform.stdin": ["exec ./consume"],
    "transform.env": {"HOST": "kafkahost", "TOPIC": "mytopic", "PORT": "9092"},
    "transform.secrets": [
        {"name": "kafka", "key": "password", "envVar": "KAFKA_PASSWORD"},
        {"name": "kafka-tls", "mountPath": "/etc/kafka"},
    ],
    "transform.imagePullSecrets": ["registry"],
    "transform.workingDir": "/app",
    "transform.user": "1000",
    "spout.overwrite": False,
    "spout.marker": "offset",
    "spout.service": {"internalPort": 8080, "externalPort": 30080, "type": "NodePort"},
    "resourceRequests": {"cpu": "500m", "memory": "256Mi", "disk": "1Gi"},
    "resourceLimits": {"cpu": 1, "memory": "512Mi", "gpu": {"type": "nvidia.com/gpu", "number": 1}},
    "schedulingSpec": {"nodeSelector": {"disktype": "ssd"}, "priorityClassName": "ingest"},
    "podPatch": '[{"op": "add", "path": "/hostNetwork", "value": true}]',
    "suspend": False,
    "restartNonce": "2026-01-31",
    "deletionPolicy": "KeepRepo",
    "project": "ingest",
    "sidecarResourceRequests": {"cpu": "250m", "memory": "128Mi", "disk": "1Gi"},
    "sidecarResourceLimits": {"cpu": 1, "memory": "256Mi", "disk": "1Gi"},
    "tolerations": [
        {
            "key": "example.com/ingest",
            "operator": "Equal",
            "value": "yes",
            "effect": "NoExecute",
            "tolerationSeconds": 60,
        }
    ],
    "adoptionPolicy": "IfUnowned",
}

ROWS = [
    Row("smallest", "an image, a command and an empty spout are enough", {}),
    Row("everything", "every field there is, together", KAFKA_SPOUT),
    # The pipeline's name
    Row("shortest-name", "one letter", {"name": "a"}),
    Row("name-of-a-digit", "or one digit", {"name": "2"}),
    Row("name-from-digit", "the first character may be a digit", {"name": "2nd"}),
    Row("name-with-dashes", "any number of them inside", {"name": "my--spout-2"}),
    Row("longest-name", "pipeline-NAME-v1 just fits into a label", {"name": "n" * 51}),
    Row("longest-default-name", "the same for the name of the object", {}, "n" * 51),
    Row("long-object-short-name", "spec.name stands in", {"name": "short"}, "n" * 200),
    Row("dotted-object-plain-name", "spec.name stands in", {"name": "plain"}, "a.b"),
    # The project
    Row("project-of-51", "the longest", {"project": "P_" + "p" * 49}),
    Row("project-default", "written out", {"project": "default"}),
    Row("project-of-one-letter", "the shortest", {"project": "p"}),
    # Tolerations
    Row("every-taint", "no key", {"tolerations": [{"operator": "Exists"}]}),
    Row(
        "any-value-of-a-key",
        "Exists",
        {"tolerations": [{"key": "ingest", "operator": "Exists", "effect": "NoSchedule"}]},
    ),
    Row("a-value", "Equal is the default", {"tolerations": [{"key": "ingest", "value": "yes"}]}),
    Row(
        "zero-seconds", "leaves at once", {"tolerations": [{"key": "a", "effect": "NoExecute", "tolerationSeconds": 0}]}
    ),
    # The image
    Row("image-alone", "the registry's latest", {"transform.image": "ubuntu"}),
    Row("image-by-digest", "pinned", {"transform.image": f"ubuntu@{DIGEST}"}),
    Row("image-tag-and-digest", "what kustomize writes", {"transform.image": f"ubuntu:24.04@{DIGEST}"}),
    Row("image-port", "a registry with a port", {"transform.image": f"localhost:5000/a/b__c:v1@{DIGEST}"}),
    Row("image-ipv6", "a registry with an address", {"transform.image": "[fd00::1]:5000/team/app:V1"}),
    # The command and its input
    Row("empty-argument", "only the first entry must name something", {"transform.cmd": ["sh", ""]}),
    Row("no-env", "empty says nothing", {"transform.env": {}, "transform.secrets": []}),
    Row("odd-env", "Kubernetes takes dots and dashes", {"transform.env": {"_a.b-c": "", "-X": "\n"}}),
    Row(
        "one-secret-many-uses",
        "a Secret may be mounted once and fill any number of variables",
        {
            "transform.secrets": [
                {"name": "kafka", "mountPath": "/etc/kafka", "key": "user", "envVar": "KAFKA_USER"},
                {"name": "kafka", "key": "password", "envVar": "KAFKA_PASSWORD"},
            ]
        },
    ),
    Row(
        "dotted-secret-as-variable",
        "only a mounted Secret must be without dots",
        {"transform.secrets": [{"name": "a.b", "key": "tls.crt", "envVar": "CERTIFICATE"}]},
    ),
    Row(
        "secrets-in-places-of-their-own",
        "also below each other, at a name that only begins like one of Pachyderm's, and with a slash at the end",
        {
            "transform.secrets": [
                {"name": "a", "mountPath": "/etc/kafka"},
                {"name": "b", "mountPath": "/etc/kafka/tls/"},
                {"name": "c", "mountPath": "/pach-binary"},
                {"name": "d", "mountPath": "/..data/.hidden/a..b"},
            ]
        },
    ),
    Row(
        "variable-from-a-secret-of-pachyderms",
        "only volumes have names",
        {"transform.secrets": [{"name": "docker", "key": "password", "envVar": "PASSWORD"}]},
    ),
    # The spout
    Row("marker-with-dots", "a plain file name", {"spout.marker": "..offset_v1.json"}),
    Row("marker-like-out", "only out itself is taken", {"spout.marker": "outbox"}),
    Row("service-inside", "the operator need not reach it", {"spout.service": {"internalPort": 1}}),
    Row(
        "service-any-port",
        "only node ports have a range",
        {"spout.service": {"internalPort": 65535, "externalPort": 80, "type": "ClusterIP"}},
    ),
    # Resources
    Row("whole-numbers", "as they come out of YAML", {"resourceLimits": {"cpu": 2, "memory": 536870912}}),
    Row("fractions", "quoted", {"resourceLimits": {"cpu": "0.5", "memory": "1.5Gi", "disk": "1e9"}}),
    Row("memory-of-64M", "just what Pachyderm requests", {"resourceLimits": {"memory": "64M"}}),
    Row(
        "little-memory",
        "what is requested is not Pachyderm's then",
        {"resourceLimits.memory": "8Mi", "resourceRequests.memory": "8Mi"},
    ),
    Row("requests-only", "no limit to be above", {"resourceRequests": {"cpu": 2, "memory": "8Mi", "disk": "1Gi"}}),
    Row(
        "requests-at-the-limit",
        "by value, however they are written",
        {
            "resourceRequests": {"cpu": "1000m", "memory": "1Gi", "disk": "1024Mi"},
            "resourceLimits": {"cpu": 1, "memory": 1073741824, "disk": "1Gi"},
        },
    ),
    Row(
        "gpu-in-both",
        "the same number",
        {
            "resourceRequests.gpu": {"type": "nvidia.com/gpu", "number": 2},
            "resourceLimits.gpu": {"type": "nvidia.com/gpu", "number": 2},
        },
    ),
    Row(
        "node-labels",
        "with a domain and without a value",
        {"schedulingSpec.nodeSelector": {"node-role.kubernetes.io/ingest": "", "zone": "a.1_b"}},
    ),
    Row("indented-patch", "as a YAML block gives it", {"podPatch": "\n  [ ]\n"}),
    Row(
        "patch-that-appends",
        "a dash alone is the end of a list, and a number with one is no index elsewhere",
        {
            "podPatch": '[{"op": "add", "path": "/containers/-", "value": {"name": "a", "args": ["/-1", "/-1/x"]}},'
            ' {"op": "add", "path": "/nodeSelector/-1a", "value": "x"}]'
        },
    ),
    # Freshness
    Row("no-opinion", "everything has a default", {"freshness": {}}),
    Row("age", "with the default grace", {"freshness": {"maxCommitAge": "10m"}}),
    Row("shortest-age", "just as long as a poll", {"freshness": {"maxCommitAge": "10s", "startupGrace": "0s"}}),
    Row("longest-age", "three parts", {"freshness": {"maxCommitAge": "99999h59m59s"}}),
    Row(
        "switched-off",
        "both conditions",
        {"freshness": {"markerStalledAfter": "0s", "outputStalledAfter": "0m"}},
    ),
    # What the operator does
    Row("suspended", "from the start", {"suspend": True}),
    Row("delete", "the default, spelled out", {"deletionPolicy": "Delete"}),
    Row("orphan", "leave the pipeline alone", {"deletionPolicy": "Orphan"}),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_the_api_server_accepts_the_spec(spouts: Spouts, row: Row) -> None:
    spout = a_spout(row.changes, name=row.name)
    assert spouts.try_create(spout)["spec"] == spout["spec"], row.reason
