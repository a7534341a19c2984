"""Copies a Kafka topic into Pachyderm: the user code of a Pachyderm 2.x spout.

Each message becomes one file, named after its topic, partition and offset. The program writes messages in batches. Each
batch is one commit. Kafka keeps the position: the program acknowledges a batch only after its commit. README.md says
what this guarantees and what it costs.
"""

import functools
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import grpc
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from pachyderm_sdk.api import pfs

PACHCTL_CONFIG = Path("/pachctl/config.json")  # Pachyderm mounts it into the worker of each spout
OUTPUT_BRANCH = "master"
FILES_PER_FOLDER = 1000
KAFKA_TIMEOUT_SECONDS = 10.0
COMMIT_TIMEOUT_SECONDS = 60.0
NEW_PARTITIONS_SECONDS = 60.0
COMMIT_ATTEMPTS = 8  # the pauses double, so these take 12.7 s from the first to the last
FIRST_PAUSE_SECONDS = 0.1
LARGEST_SETTING = 100_000
PASSING = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
)

# The variables that can hold a setting of the Kafka client. The program does not read every KAFKA_*, because for a
# Service named "kafka" Kubernetes adds KAFKA_PORT and similar variables to each container.
CLIENT_SETTINGS = {
    "KAFKA_SECURITY_PROTOCOL": "security.protocol",
    "KAFKA_SASL_MECHANISM": "sasl.mechanism",
    "KAFKA_USERNAME": "sasl.username",
    "KAFKA_PASSWORD": "sasl.password",
    "KAFKA_CA_FILE": "ssl.ca.location",
}

log = functools.partial(print, flush=True)


class SpoutError(Exception):
    """An error that ends the spout. The message says what to do."""


class Message(NamedTuple):
    """The parts of a Kafka message that the spout keeps."""

    partition: int
    offset: int
    value: bytes


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings from the environment."""

    host: str
    port: int
    topic: str
    project: str
    pipeline: str
    group: str
    peer_port: int
    batch_size: int = 100
    batch_seconds: float = 1.0
    offset_reset: str = "error"
    client: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The address of the first broker, from which the client learns the others."""
        return f"{self.host}:{self.port}"


def read_settings(env: Mapping[str, str]) -> Settings:
    """Returns the settings in `env`. Raises SpoutError if a setting is missing or not valid."""
    missing = [name for name in ("HOST", "PORT", "TOPIC") if not env.get(name)]
    if missing:
        raise SpoutError(f"required, but not set in spec.transform.env of the Spout: {', '.join(missing)}")
    if not env.get("PPS_PIPELINE_NAME"):
        raise SpoutError("PPS_PIPELINE_NAME is not set: run this program as a spout of Pachyderm 2.x")
    project, pipeline = env.get("PPS_PROJECT_NAME") or "default", env["PPS_PIPELINE_NAME"]
    settings = Settings(
        host=env["HOST"],
        port=int(number(env, "PORT", "")),
        topic=env["TOPIC"],
        project=project,
        pipeline=pipeline,
        group=env.get("KAFKA_GROUP") or f"pachyderm.{project}.{pipeline}",
        peer_port=int(number(env, "PEER_PORT", "1653")),
        batch_size=int(number(env, "BATCH_SIZE", "100")),
        batch_seconds=number(env, "BATCH_SECONDS", "1"),
        offset_reset=env.get("KAFKA_OFFSET_RESET") or "error",
        client={setting: env[name] for name, setting in CLIENT_SETTINGS.items() if env.get(name)},
    )
    if settings.offset_reset not in ("error", "earliest"):
        raise SpoutError(f"KAFKA_OFFSET_RESET is {settings.offset_reset!r}: set it to error or earliest")
    return settings


def number(env: Mapping[str, str], name: str, default: str) -> float:
    """Returns the number in the variable `name`. Raises SpoutError if it is not above 0, or above LARGEST_SETTING."""
    text = env.get(name) or default
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found <= LARGEST_SETTING or (name != "BATCH_SECONDS" and found != int(found)):
        kind = "number" if name == "BATCH_SECONDS" else "whole number"
        raise SpoutError(f"{name} is {text!r}: set it to a {kind} above 0, at most {LARGEST_SETTING}")
    return found


def file_name(topic: str, message: Message) -> str:
    """Returns the path of a message's file.

    It depends only on the message's place in Kafka, so that a message that is read twice makes one file.
    """
    folder = message.offset // FILES_PER_FOLDER
    return f"/{topic}/{message.partition}/{folder:09d}/{message.offset:012d}"


def next_positions(messages: Iterable[Message]) -> dict[int, int]:
    """Returns the positions after `messages`, which are in the order of their offsets within each partition."""
    return {message.partition: message.offset + 1 for message in messages}


class Output:
    """The output branch of the spout's own repo."""

    def __init__(self, settings: Settings, channel: grpc.Channel, token: str) -> None:
        repo = pfs.Repo(name=settings.pipeline, type="user", project=pfs.Project(name=settings.project))
        self._head = pfs.Commit(branch=pfs.Branch(repo=repo, name=OUTPUT_BRANCH), repo=repo)
        # The method of the SDK has no deadline.
        self._modify_file = channel.stream_unary(
            "/pfs_v2.API/ModifyFile",
            request_serializer=pfs.ModifyFileRequest.SerializeToString,
            response_deserializer=bytes,
        )
        self._metadata = [("authn-token", token)] if token else []

    def commit(self, files: Iterable[tuple[str, bytes]], sleep: Callable[[float], object] = time.sleep) -> None:
        """Make one commit with these files. A file that is there already is replaced.

        One call makes the commit, writes and finishes it, so a program that is killed leaves no open commit. If the
        call fails, it is made again, up to COMMIT_ATTEMPTS times. Raises SpoutError after that.
        """
        files = list(files)
        for attempt in range(1, COMMIT_ATTEMPTS + 1):
            try:
                self._modify_file(self._requests(files), timeout=COMMIT_TIMEOUT_SECONDS, metadata=self._metadata)
            except grpc.RpcError as error:
                if error.code() not in PASSING or attempt == COMMIT_ATTEMPTS:
                    raise SpoutError(
                        f"Pachyderm did not take a commit after {attempt} attempts: {error.code().name}, "
                        f"{error.details()}"
                    ) from error
                log(f"the commit failed ({error.code().name}): attempt {attempt + 1} of {COMMIT_ATTEMPTS} follows")
                sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
            else:
                return

    def _requests(self, files: Iterable[tuple[str, bytes]]) -> Iterator[pfs.ModifyFileRequest]:
        yield pfs.ModifyFileRequest(set_commit=self._head)
        for path, content in files:
            # Without this, Pachyderm appends the content.
            yield pfs.ModifyFileRequest(delete_file=pfs.DeleteFile(path=path))
            yield pfs.ModifyFileRequest(add_file=pfs.AddFile(path=path, raw=content))


def read_token(config: Path = PACHCTL_CONFIG) -> str:
    """Returns the token of this spout, which is empty where Pachyderm has no authentication."""
    try:
        contexts = json.loads(config.read_text(encoding="utf-8"))["v2"]
        context = contexts["contexts"][contexts["active_context"]]
    except (OSError, ValueError, KeyError) as error:
        raise SpoutError(
            f"cannot read {config} ({error!r}), which Pachyderm mounts into the worker of a spout: run this program as "
            "a spout of Pachyderm 2.x"
        ) from error
    return str(context.get("session_token", ""))


class Topic:
    """The messages of a Kafka topic, from the positions on that the consumer group has acknowledged."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._partitions: set[int] = set()
        self._consumer = Consumer(
            {
                **settings.client,
                "bootstrap.servers": settings.address,
                "group.id": settings.group,
                "enable.auto.commit": False,
                "auto.offset.reset": settings.offset_reset,
                "error_cb": lambda error: log(f"kafka: {error.str()}; the client tries again"),
            },
        )
        self.add_partitions()

    def add_partitions(self) -> None:
        """Also read the partitions that this object does not read yet, from where the group is, or their beginning."""
        name = self._settings.topic
        try:
            topic = self._consumer.list_topics(name, timeout=KAFKA_TIMEOUT_SECONDS).topics[name]
            if topic.error is not None:
                raise SpoutError(f"topic {name!r}: {topic.error.str()}. Create the topic, or correct TOPIC")
            new = [TopicPartition(name, number) for number in sorted(set(topic.partitions) - self._partitions)]
            starts = self._consumer.committed(new, timeout=KAFKA_TIMEOUT_SECONDS) if new else []
        except KafkaException as error:
            raise SpoutError(
                f"no Kafka broker answers at {self._settings.address}: {error.args[0].str()}. "
                "Check HOST and PORT, and check that the worker can reach the broker"
            ) from error
        for start in starts:
            if start.offset < 0:
                start.offset = OFFSET_BEGINNING
            begin = "its beginning" if start.offset < 0 else start.offset
            log(f"reading partition {start.partition} of {name} at {self._settings.address} from {begin}")
        if starts:
            self._consumer.incremental_assign(starts)
            self._partitions.update(start.partition for start in starts)

    def read(self) -> list[Message]:
        """Returns the next batch: BATCH_SIZE messages, or those that arrive within BATCH_SECONDS."""
        settings = self._settings
        batch = self._consumer.consume(settings.batch_size, timeout=settings.batch_seconds)
        for message in batch:
            if message.error() is not None:
                self._refuse(message.partition(), message.error())
        return [Message(message.partition(), message.offset(), message.value() or b"") for message in batch]

    def acknowledge(self, positions: Mapping[int, int]) -> None:
        """Have Kafka keep these positions. Returns when Kafka has them."""
        name = self._settings.topic
        offsets = [TopicPartition(name, partition, offset) for partition, offset in sorted(positions.items())]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            raise SpoutError(
                f"Kafka did not keep the position of the group {self._settings.group!r}: {error.args[0].str()}. The "
                "next run reads the last batch again"
            ) from error

    def _refuse(self, partition: int, error: KafkaError) -> None:
        if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - the client's public name for it
            raise SpoutError(
                f"partition {partition} of {self._settings.topic!r} does not hold what follows the position of the "
                f"group {self._settings.group!r}: {error.str()}. To continue with the oldest message that is left, set "
                "KAFKA_OFFSET_RESET to earliest"
            )
        raise SpoutError(f"partition {partition} of {self._settings.topic!r} cannot be read: {error.str()}")

    def close(self) -> None:
        """Close the connections to the brokers."""
        self._consumer.close()


def run(settings: Settings, output: Output, stopped: threading.Event) -> None:
    """Commit batch after batch until `stopped` is set. Raises SpoutError if it cannot continue."""
    topic = Topic(settings)
    partitions_due = time.monotonic() + NEW_PARTITIONS_SECONDS
    while not stopped.is_set():
        if messages := topic.read():
            output.commit((file_name(settings.topic, message), message.value) for message in messages)
            positions = next_positions(messages)
            log(f"committed {len(messages)} messages of {settings.topic}")
            topic.acknowledge(positions)
        if time.monotonic() >= partitions_due:
            partitions_due = time.monotonic() + NEW_PARTITIONS_SECONDS
            try:
                topic.add_partitions()
            except SpoutError as error:
                log(f"cannot list the partitions, the program tries again in {NEW_PARTITIONS_SECONDS:.0f} s: {error}")
    topic.close()


def stop_on_sigterm() -> threading.Event:
    """Returns an event that SIGTERM sets, so that the program finishes its batch. A second SIGTERM ends it at once."""
    stopped = threading.Event()

    def stop(number: int, _frame: FrameType | None) -> None:
        stopped.set()
        signal.signal(number, signal.SIG_DFL)

    signal.signal(signal.SIGTERM, stop)
    return stopped


def main() -> int:
    """Run the spout. Never returns 0, because the worker starts user code again only if it failed."""
    try:
        settings = read_settings(os.environ)
        # Only through the storage container of its own Pod can a spout commit to its own repo.
        with grpc.insecure_channel(f"localhost:{settings.peer_port}") as channel:
            run(settings, Output(settings, channel, read_token()), stop_on_sigterm())
    except SpoutError as error:
        log(f"error: {error}")
        return 1
    log("stopped by SIGTERM")
    return 128 + signal.SIGTERM


if __name__ == "__main__":
    sys.exit(main())
