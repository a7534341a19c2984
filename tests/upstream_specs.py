"""The spout examples of Pachyderm, release 1.13.4 and 2.12.2: what people have, and what they started from.

The values are those of the examples; the layout is ours. `path` is where the example is in the source of the release.
One more, examples/spouts/SQS-S3/sqs-spout.json of 1.13.4, is no JSON: a comma is missing in it.
"""

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True, kw_only=True)
class Example:
    path: str
    document: dict[str, Any]

    def __str__(self) -> str:
        return self.path.removeprefix("examples/spouts/")


def _rabbitmq(variable: str) -> dict[str, Any]:
    """The two releases differ in the spelling of one field."""
    return {
        "pipeline": {"name": "rabbitmq-spout"},
        "spout": {},
        "description": "A spout that reads from rabbitmq and writes files to a repo",
        "transform": {
            "cmd": ["/bin/app", "-topic", "test-topic", "-overwrite", "true"],
            "image": "pachyderm/example-rabbitmq-spout:1.12.2",
            "env": {
                "PREFETCH": "2000",
                "FLUSH_INTERVAL_MS": "10000",
                "SWITCH_INTERVAL_MS": "60000",
                "EXTENSION": "ndjson",
                "TEST": "false",
                "RABBITMQ_HOST": "rabbitmq.default.svc.cluster.local:5672",
                "RABBITMQ_USER": "peter",
                "RABBITMQ_PROTOCOL": "amqps",
                "SWITCH_BRANCH": "master",
                "COMMIT_BRANCH": "staging",
            },
            "secrets": [{"name": "rabbitmq-password", "key": "rabbitmq-password", variable: "RABBITMQ_PASSWORD"}],
        },
    }


V1 = (
    Example(path="examples/spouts/go-rabbitmq-spout/pipelines/spout.pipeline.json", document=_rabbitmq("env_var")),
    Example(
        path="examples/spouts/spout-marker/spout-marker-pipeline.json",
        document={
            "pipeline": {"name": "spoutmarker"},
            "transform": {
                "cmd": ["python3", "/spout-marker-example.py"],
                "image": "spout-marker:v1",
                "env": {"OUTPUT_CHARACTER": "."},
            },
            "spout": {"marker": "mymark", "overwrite": True},
        },
    ),
    Example(
        path="examples/spouts/spout101/pipelines/spout.json",
        document={
            "pipeline": {"name": "spout"},
            "spout": {},
            "description": "A spout pipeline that emulates the reception of data from an external source.",
            "transform": {"cmd": ["python", "consumer/main.py"], "image": "pachyderm/example-spout101:1.12.5"},
        },
    ),
    Example(
        path="examples/spouts/go-kafka-spout/pipelines/kafka_spout.pipeline",
        document={
            "pipeline": {"name": "kafka_spout"},
            "spout": {"overwrite": True},
            "description": "A spout pipeline that connects to a Kafka queue and reads a topic.",
            "transform": {
                "cmd": ["go", "run", "./main.go"],
                "image": "pachyderm/kafka_spout:1.9.8",
                "env": {
                    "KAFKA_HOST": "kafka.kafka",
                    "KAFKA_PORT": "9092",
                    "KAFKA_TOPIC": "test_topic",
                    "KAFKA_GROUP_ID": "test_group",
                    "KAFKA_TIMEOUT": "5",
                    "NAMED_PIPE": "/pfs/out",
                    "VERBOSE_LOGGING": "true",
                },
            },
        },
    ),
    Example(
        path="examples/spouts/EmailSentimentAnalyzer/imap_spout.json",
        document={
            "pipeline": {"name": "imap_spout"},
            "spout": {"overwrite": False},
            "description": "A spout pipeline that connects to an IMAP mail account, collects the incoming email, "
            "and stores it in the `imap_spout` repo.",
            "transform": {
                "cmd": ["python3", "/imap_spout.py"],
                "image": "pachyderm/imap_spout:1.11",
                "secrets": [
                    {"name": "imap-credentials", "key": "IMAP_LOGIN", "env_var": "IMAP_LOGIN"},
                    {"name": "imap-credentials", "key": "IMAP_PASSWORD", "env_var": "IMAP_PASSWORD"},
                ],
            },
        },
    ),
)

_SPOUT101 = {
    "description": "A spout pipeline that emulates the reception of data from an external source",
    "transform": {"cmd": ["python", "consumer/main.py"], "image": "pachyderm/example-spout101:2.0.1"},
}
V2 = (
    Example(path="examples/spouts/go-rabbitmq-spout/pipelines/spout.pipeline.json", document=_rabbitmq("envVar")),
    Example(
        path="examples/spouts/spout101/pipelines/spout.pipeline.json",
        document={"pipeline": {"name": "spout"}, "spout": {}, **_SPOUT101},
    ),
    Example(
        path="console/cypress/fixtures/spout-service.pipeline.json",
        document={
            "pipeline": {"name": "spout-service"},
            "spout": {"service": {"externalPort": 30088, "internalPort": 8888}},
            "description": "A spout and service pipeline that emulates the reception of data from an external source",
            "transform": _SPOUT101["transform"],
        },
    ),
)
