"""Copies a Kafka topic into Pachyderm: the user code of a Pachyderm 1.13 spout.

Each message becomes one file, named after its topic, partition and offset. The program writes messages in batches.
Each batch is one tar archive on the named pipe /pfs/out, and Pachyderm turns it into one commit. A second archive then
moves the marker, which is the position from which the next run continues. README.md says what this guarantees and what
it costs.
"""

import fcntl
import functools
import io
import os
import signal
import sys
import tarfile
import termios
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

PFS = Path("/pfs")
FILES_PER_FOLDER = 1000  # with every commit, Pachyderm 1.13 writes the whole list of names of a folder again
WRITE_ATTEMPTS = 8  # the pauses double, so these take 12.7 s from the first to the last
FIRST_PAUSE_SECONDS = 0.1
CHECK_SECONDS = 0.1
KAFKA_TIMEOUT_SECONDS = 10.0
NEW_PARTITIONS_SECONDS = 60.0
NO_ARCHIVE = b"\xff" * 512  # a worker that reads this starts over: it creates a new pipe and fetches the marker
LARGEST_SETTING = 100_000

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
    marker: str = "offset"
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
    settings = Settings(
        host=env["HOST"],
        port=whole(env, "PORT", ""),
        topic=env["TOPIC"],
        marker=env.get("MARKER") or "offset",
        batch_size=whole(env, "BATCH_SIZE", "100"),
        batch_seconds=positive(env, "BATCH_SECONDS", "1"),
        offset_reset=env.get("KAFKA_OFFSET_RESET") or "error",
        client={setting: env[name] for name, setting in CLIENT_SETTINGS.items() if env.get(name)},
    )
    if settings.offset_reset not in ("error", "earliest"):
        raise SpoutError(f"KAFKA_OFFSET_RESET is {settings.offset_reset!r}: set it to error or earliest")
    if settings.topic.startswith(settings.marker):
        raise SpoutError(
            f"the topic {settings.topic!r} begins with the name of the marker, {settings.marker!r}, and "
            "Pachyderm takes every file whose path begins with that name for the marker: choose another marker, in "
            "spec.spout.marker and in the variable MARKER"
        )
    return settings


def positive(env: Mapping[str, str], name: str, default: str) -> float:
    """Returns the number in the variable `name`. Raises SpoutError if it is not above 0, or above LARGEST_SETTING."""
    text = env.get(name) or default
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= LARGEST_SETTING:
        raise SpoutError(f"{name} is {text!r}: set it to a number above 0, at most {LARGEST_SETTING}")
    return number


def whole(env: Mapping[str, str], name: str, default: str) -> int:
    """Returns the whole number in the variable `name`, with the limits of `positive`."""
    number = positive(env, name, default)
    if number != int(number):
        raise SpoutError(f"{name} is {env[name]!r}: set it to a whole number")
    return int(number)


def format_marker(positions: Mapping[int, int]) -> str:
    """Returns the next offset of each partition in one line: `1041`, or `0:1041,1:977` for several partitions."""
    if positions.keys() == {0}:
        return str(positions[0])
    return ",".join(f"{partition}:{offset}" for partition, offset in sorted(positions.items()))


def parse_marker(text: str) -> dict[int, int]:
    """Returns the positions that format_marker wrote. An empty text means no positions: every partition's beginning."""
    text = text.strip()
    if not text:
        return {}
    entries = [f"0:{text}"] if ":" not in text else text.split(",")
    positions = {}
    for entry in entries:
        partition, _, offset = entry.partition(":")
        # isdecimal alone would accept digits of other scripts
        if not all(part.isascii() and part.isdecimal() for part in (partition, offset)):
            raise SpoutError(
                f"the marker holds {text[:100]!r}, which is not a position such as 1041, or 0:1041,1:977 for several "
                "partitions. Another program may have written it. Write a position into the marker, or make it empty "
                "to start at the beginning"
            )
        positions[int(partition)] = int(offset)
    return positions


def read_marker(path: Path) -> dict[int, int]:
    """Returns the positions to continue from, or none if there is no marker yet."""
    try:
        return parse_marker(path.read_text(encoding="utf-8", errors="replace"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SpoutError(f"cannot read {path}: {error}. The marker of this spout has to be one file") from error


def next_positions(messages: Iterable[Message]) -> dict[int, int]:
    """Returns the positions after `messages`, which are in the order of their offsets within each partition."""
    return {message.partition: message.offset + 1 for message in messages}


def file_name(topic: str, message: Message) -> str:
    """Returns the path of a message's file.

    It depends only on the message's place in Kafka, so that a message that is read twice makes one file.
    """
    folder = message.offset // FILES_PER_FOLDER
    return f"{topic}/{message.partition}/{folder:09d}/{message.offset:012d}"


def make_archive(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Returns a tar archive of `files`. Equal files make equal archives."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def write_archive(pipe: Path, archive: bytes, sleep: Callable[[float], object] = time.sleep) -> None:
    """Write one whole archive to `pipe`: open, write, close.

    The worker may close its end between two archives. This function then writes the whole archive again, up to
    WRITE_ATTEMPTS times, with pauses that double. After that it raises SpoutError.
    """
    for attempt in range(1, WRITE_ATTEMPTS + 1):
        try:
            # os.open instead of open, which would create a plain file if there is no pipe.
            with os.fdopen(os.open(pipe, os.O_WRONLY), "wb") as out:
                out.write(archive)
        except OSError as error:
            if attempt == WRITE_ATTEMPTS:
                raise SpoutError(
                    f"cannot write to {pipe} after {attempt} attempts: {error}. The worker no longer reads "
                    "its end of the pipe: see the worker's own log for the reason"
                ) from error
            log(f"cannot write to {pipe} ({error}): attempt {attempt + 1} of {WRITE_ATTEMPTS} follows")
            sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
        else:
            return


def wait_for_empty(pipe: Path, sleep: Callable[[float], object] = time.sleep) -> None:
    """Wait until the worker has read what an earlier run of this program left in `pipe`.

    A run that was killed while it wrote an archive leaves a piece of it in the pipe. A worker that is still busy with
    the previous commit would take new data for the rest of that piece. If this program writes nothing until the pipe is
    empty, the worker finds that the piece is incomplete, discards it and starts over.
    """
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # a reader does not hide the end of the data from the worker
    try:
        settled = True
        while (left := unread_bytes(reader)) or not settled:
            if settled:
                log(f"waiting until the worker has read {left} bytes that an earlier run left in {pipe}")
            settled = not left  # the worker needs a moment from the last byte to the end: check once more
            sleep(CHECK_SECONDS)
    finally:
        os.close(reader)


def unread_bytes(pipe: int) -> int:
    """Returns the number of bytes that wait in an open pipe."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def marker_is_old(pipe: Path) -> bool:
    """Returns whether the marker in /pfs is older than the data that was written to `pipe`.

    The worker creates the pipe, fetches the marker and then links both into /pfs. It does not fetch the marker again
    when it starts this program again. So if the pipe was written to after it was linked, an earlier run has written.
    """
    return pipe.stat().st_mtime_ns > pipe.lstat().st_mtime_ns


class Topic:
    """The messages of a Kafka topic, from given positions on.

    The caller keeps the positions. This class joins no consumer group and commits nothing to Kafka.
    """

    def __init__(self, settings: Settings, positions: Mapping[int, int]) -> None:
        self._settings = settings
        self._partitions: set[int] = set()
        self._consumer = Consumer(
            {
                **settings.client,
                "bootstrap.servers": settings.address,
                "group.id": "spout",  # the client requires a group, but this program does not use it
                "enable.auto.commit": False,
                "auto.offset.reset": settings.offset_reset,
                "error_cb": lambda error: log(f"kafka: {error.str()}; the client tries again"),
            },
        )
        self.add_partitions(positions)

    def add_partitions(self, positions: Mapping[int, int]) -> None:
        """Also read the partitions that this object does not read yet, from `positions` or from their beginning."""
        new = sorted(self._known_partitions() - self._partitions)
        if new:
            name = self._settings.topic
            starts = [TopicPartition(name, number, positions.get(number, OFFSET_BEGINNING)) for number in new]
            self._consumer.incremental_assign(starts)
            self._partitions.update(new)
            begins = ", ".join(f"{number} from {positions.get(number, 'its beginning')}" for number in new)
            log(f"reading partition {begins} of {name} at {self._settings.address}")

    def _known_partitions(self) -> set[int]:
        name = self._settings.topic
        try:
            topic = self._consumer.list_topics(name, timeout=KAFKA_TIMEOUT_SECONDS).topics[name]
        except KafkaException as error:
            raise SpoutError(
                f"no Kafka broker answers at {self._settings.address}: {error.args[0].str()}. "
                "Check HOST and PORT, and check that the worker can reach the broker"
            ) from error
        if topic.error is not None:
            raise SpoutError(f"topic {name!r}: {topic.error.str()}. Create the topic, or correct TOPIC")
        return set(topic.partitions)

    def read(self) -> list[Message]:
        """Returns the next batch: BATCH_SIZE messages, or those that arrive within BATCH_SECONDS."""
        settings = self._settings
        batch = self._consumer.consume(settings.batch_size, timeout=settings.batch_seconds)
        for message in batch:
            if message.error() is not None:
                self._refuse(message.partition(), message.error())
        return [Message(message.partition(), message.offset(), message.value() or b"") for message in batch]

    def _refuse(self, partition: int, error: KafkaError) -> None:
        if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - the client's public name for it
            raise SpoutError(
                f"partition {partition} of {self._settings.topic!r} does not hold what follows the marker: "
                f"{error.str()}. To continue with the oldest message that is left, set KAFKA_OFFSET_RESET to earliest"
            )
        raise SpoutError(f"partition {partition} of {self._settings.topic!r} cannot be read: {error.str()}")

    def close(self) -> None:
        """Close the connections to the brokers."""
        self._consumer.close()


def write_batch(pipe: Path, settings: Settings, messages: Iterable[Message], positions: Mapping[int, int]) -> None:
    """Commit `messages`, and after them the marker that counts them.

    They are two archives, because Pachyderm 1.13 refuses an archive that holds both. The worker commits the archives in
    this order, so the marker is never ahead of the data.
    """
    files = [(file_name(settings.topic, message), message.value) for message in messages]
    marker = format_marker(positions)
    write_archive(pipe, make_archive(files))
    log(f"wrote {len(files)} messages of {settings.topic}, up to {marker}")
    write_archive(pipe, make_archive([(settings.marker, marker.encode())]))
    log(f"wrote marker {marker}")


def run(settings: Settings, pfs: Path, stopped: threading.Event) -> None:
    """Write batch after batch until `stopped` is set. Raises SpoutError if it cannot continue."""
    pipe = pfs / "out"
    if not pipe.is_fifo():
        raise SpoutError(f"{pipe} is not a named pipe: run this program as a spout of Pachyderm 1.x")
    wait_for_empty(pipe)
    if marker_is_old(pipe):
        write_archive(pipe, NO_ARCHIVE)
        raise SpoutError(
            "an earlier run of this program moved the marker: the worker now starts over and reads it again, without "
            "any action of yours"
        )
    positions = read_marker(pfs / settings.marker)
    topic = Topic(settings, positions)
    partitions_due = time.monotonic() + NEW_PARTITIONS_SECONDS
    while not stopped.is_set():
        if messages := topic.read():
            positions |= next_positions(messages)
            write_batch(pipe, settings, messages, positions)
        if time.monotonic() >= partitions_due:
            partitions_due = time.monotonic() + NEW_PARTITIONS_SECONDS
            try:
                topic.add_partitions(positions)
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
        run(read_settings(os.environ), PFS, stop_on_sigterm())
    except SpoutError as error:
        log(f"error: {error}")
        return 1
    log("stopped by SIGTERM")
    return 128 + signal.SIGTERM


if __name__ == "__main__":
    sys.exit(main())
