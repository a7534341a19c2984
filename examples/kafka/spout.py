"""A Kafka topic into Pachyderm: user code of a Pachyderm 1.13 spout.

Each message becomes one file, named by its topic, partition and offset. Messages are written in
batches: a batch is one tar archive on the named pipe /pfs/out, and Pachyderm turns it into one commit.
A second archive then moves the marker, the position from which the next run goes on. README.md
says what this guarantees and what it costs.
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
FILES_PER_FOLDER = 1000  # Pachyderm 1.13 writes a folder's whole list of names anew with every commit
WRITE_ATTEMPTS = 8  # with the pauses doubling, 12.7 s from the first to the last
FIRST_PAUSE_SECONDS = 0.1
LOOK_SECONDS = 0.1
KAFKA_TIMEOUT_SECONDS = 10.0
NEW_PARTITIONS_SECONDS = 60.0
NO_ARCHIVE = b"\xff" * 512  # a worker that reads this starts over: it makes a new pipe and fetches the marker
LARGEST_SETTING = 100_000

# The variables that may hold a setting of the Kafka client. A list, and not every KAFKA_*: next to a Service
# called "kafka", Kubernetes puts KAFKA_PORT and its like into each container.
CLIENT_SETTINGS = {
    "KAFKA_SECURITY_PROTOCOL": "security.protocol",
    "KAFKA_SASL_MECHANISM": "sasl.mechanism",
    "KAFKA_USERNAME": "sasl.username",
    "KAFKA_PASSWORD": "sasl.password",
    "KAFKA_CA_FILE": "ssl.ca.location",
}

log = functools.partial(print, flush=True)


class SpoutError(Exception):
    """What ends the spout, and what to do about it."""


class Message(NamedTuple):
    """What the spout keeps of a Kafka message."""

    partition: int
    offset: int
    value: bytes


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the environment asks for."""

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
        """The broker that tells the client about the others."""
        return f"{self.host}:{self.port}"


def read_settings(env: Mapping[str, str]) -> Settings:
    """The settings in `env`; raises SpoutError for what is missing or makes no sense."""
    missing = [name for name in ("HOST", "PORT", "TOPIC") if not env.get(name)]
    if missing:
        raise SpoutError(f"no {' and no '.join(missing)}: set it in spec.transform.env of the Spout")
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
        raise SpoutError(f"KAFKA_OFFSET_RESET is {settings.offset_reset!r}: make it error or earliest")
    if settings.topic.startswith(settings.marker):
        raise SpoutError(
            f"the topic {settings.topic!r} begins with the name of the marker, {settings.marker!r}, and "
            "Pachyderm takes every file that begins so for the marker: choose another name for it, in "
            "spec.spout.marker and in the variable MARKER"
        )
    return settings


def positive(env: Mapping[str, str], name: str, default: str) -> float:
    """The number in `name`, which is above 0 and not absurd."""
    text = env.get(name) or default
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= LARGEST_SETTING:
        raise SpoutError(f"{name} is {text!r}: make it a number above 0, at most {LARGEST_SETTING}")
    return number


def whole(env: Mapping[str, str], name: str, default: str) -> int:
    """The whole number in `name`, which is above 0 and not absurd."""
    number = positive(env, name, default)
    if number != int(number):
        raise SpoutError(f"{name} is {env[name]!r}: make it a whole number")
    return int(number)


def format_marker(positions: Mapping[int, int]) -> str:
    """The next offset of each partition in one readable line: `1041`, or `0:1041,1:977` for several."""
    if positions.keys() == {0}:
        return str(positions[0])
    return ",".join(f"{partition}:{offset}" for partition, offset in sorted(positions.items()))


def parse_marker(text: str) -> dict[int, int]:
    """The positions that format_marker wrote; none, which is the beginning, for an empty text."""
    text = text.strip()
    if not text:
        return {}
    entries = [f"0:{text}"] if ":" not in text else text.split(",")
    positions = {}
    for entry in entries:
        partition, _, offset = entry.partition(":")
        # isdecimal alone would let other scripts' digits through
        if not all(part.isascii() and part.isdecimal() for part in (partition, offset)):
            raise SpoutError(
                f"the marker holds {text[:100]!r}, which is no position such as 1041, or 0:1041,1:977 "
                "for several partitions. Was it written by another program? Put a position into it, or nothing "
                "to start at the beginning"
            )
        positions[int(partition)] = int(offset)
    return positions


def read_marker(path: Path) -> dict[int, int]:
    """The positions to go on from; none where there is no marker yet."""
    try:
        return parse_marker(path.read_text(encoding="utf-8", errors="replace"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SpoutError(f"cannot read {path}: {error}. The marker of this spout is one file") from error


def next_positions(messages: Iterable[Message]) -> dict[int, int]:
    """Where to go on after `messages`, which come in the order of their offsets within each partition."""
    return {message.partition: message.offset + 1 for message in messages}


def file_name(topic: str, message: Message) -> str:
    """Where a message goes: depends on its place in Kafka only, so that a message read twice is one file."""
    folder = message.offset // FILES_PER_FOLDER
    return f"{topic}/{message.partition}/{folder:09d}/{message.offset:012d}"


def make_archive(files: Iterable[tuple[str, bytes]]) -> bytes:
    """A tar archive of `files`, equal for equal files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def write_archive(pipe: Path, archive: bytes, sleep: Callable[[float], object] = time.sleep) -> None:
    """Write one whole archive to `pipe`: open, write, close.

    The worker may close its end between two archives. The whole archive is then written again, up to
    WRITE_ATTEMPTS times with a doubling pause between; after that SpoutError is raised.
    """
    for attempt in range(1, WRITE_ATTEMPTS + 1):
        try:
            # Not open(): it would make a plain file where there is no pipe.
            with os.fdopen(os.open(pipe, os.O_WRONLY), "wb") as out:
                out.write(archive)
        except OSError as error:
            if attempt == WRITE_ATTEMPTS:
                raise SpoutError(
                    f"cannot write to {pipe} after {attempt} attempts: {error}. The worker no longer reads "
                    "its end of the pipe: see the worker's own log"
                ) from error
            log(f"writing to {pipe} failed ({error}): attempt {attempt + 1} of {WRITE_ATTEMPTS} follows")
            sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
        else:
            return


def wait_for_empty(pipe: Path, sleep: Callable[[float], object] = time.sleep) -> None:
    """Wait until the worker has read what an earlier run of this program left in `pipe`.

    A run that was killed within an archive leaves a piece of it behind. A worker that is busy with the commit
    before would take what we write for the rest of that piece. If nothing is written until the pipe is empty, it
    finds the piece cut short instead, throws it away and starts over.
    """
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # as a reader we do not hide the end from the worker
    try:
        settled = True
        while (left := unread_bytes(reader)) or not settled:
            if settled:
                log(f"waiting until the worker has read {left} bytes that an earlier run left in {pipe}")
            settled = not left  # the worker needs a moment from the last byte to the end: look once more
            sleep(LOOK_SECONDS)
    finally:
        os.close(reader)


def unread_bytes(pipe: int) -> int:
    """How many bytes wait in an open pipe."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def marker_is_old(pipe: Path) -> bool:
    """Whether the marker that the worker shows is older than what was written to `pipe`.

    The worker makes the pipe, fetches the marker and then links both into /pfs. It does not fetch the marker again
    when it starts this program again, so a pipe that was written to after it was linked tells of an earlier run.
    """
    return pipe.stat().st_mtime_ns > pipe.lstat().st_mtime_ns


class Topic:
    """The messages of a Kafka topic from given positions on.

    The positions are the caller's: no consumer group is joined and nothing is committed to Kafka.
    """

    def __init__(self, settings: Settings, positions: Mapping[int, int]) -> None:
        self._settings = settings
        self._partitions: set[int] = set()
        self._consumer = Consumer(
            {
                **settings.client,
                "bootstrap.servers": settings.address,
                "group.id": "spout",  # the client insists on one; it is not used
                "enable.auto.commit": False,
                "auto.offset.reset": settings.offset_reset,
                "error_cb": lambda error: log(f"kafka: {error.str()}; the client goes on trying"),
            },
        )
        self.add_partitions(positions)

    def add_partitions(self, positions: Mapping[int, int]) -> None:
        """Read also the partitions that are not read yet: from `positions`, or else from their beginning."""
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
                "Check HOST and PORT, and that the broker can be reached from the worker"
            ) from error
        if topic.error is not None:
            raise SpoutError(f"topic {name!r}: {topic.error.str()}. Create the topic, or mend TOPIC")
        return set(topic.partitions)

    def read(self) -> list[Message]:
        """The next batch: as many messages as asked for, or those that come in the time given."""
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
                f"{error.str()}. To go on with the oldest message left, set KAFKA_OFFSET_RESET to earliest"
            )
        raise SpoutError(f"partition {partition} of {self._settings.topic!r} cannot be read: {error.str()}")

    def close(self) -> None:
        """Leave the brokers."""
        self._consumer.close()


def write_batch(pipe: Path, settings: Settings, messages: Iterable[Message], positions: Mapping[int, int]) -> None:
    """Commit `messages`, and after them the marker that says so.

    In two archives: Pachyderm 1.13 refuses one that holds both. The worker commits them in this order, so the
    marker never runs ahead of the data.
    """
    files = [(file_name(settings.topic, message), message.value) for message in messages]
    marker = format_marker(positions)
    write_archive(pipe, make_archive(files))
    log(f"wrote {len(files)} messages of {settings.topic}, up to {marker}")
    write_archive(pipe, make_archive([(settings.marker, marker.encode())]))
    log(f"wrote marker {marker}")


def run(settings: Settings, pfs: Path, stopped: threading.Event) -> None:
    """Write batch after batch until `stopped`; raises SpoutError when it cannot go on."""
    pipe = pfs / "out"
    if not pipe.is_fifo():
        raise SpoutError(f"{pipe} is not a named pipe: run this program as a spout of Pachyderm 1.x")
    wait_for_empty(pipe)
    if marker_is_old(pipe):
        write_archive(pipe, NO_ARCHIVE)
        raise SpoutError("an earlier run of this program moved the marker: the worker starts over and reads it again")
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
                log(f"looking for new partitions failed, which is tried again: {error}")
    topic.close()


def stop_on_sigterm() -> threading.Event:
    """An event that SIGTERM sets, so that the batch at hand is finished; a second SIGTERM ends it at once."""
    stopped = threading.Event()

    def stop(number: int, _frame: FrameType | None) -> None:
        stopped.set()
        signal.signal(number, signal.SIG_DFL)

    signal.signal(signal.SIGTERM, stop)
    return stopped


def main() -> int:
    """Run the spout; the exit status is never 0, because the worker starts only failed user code again."""
    try:
        run(read_settings(os.environ), PFS, stop_on_sigterm())
    except SpoutError as error:
        log(f"error: {error}")
        return 1
    log("stopped by SIGTERM")
    return 128 + signal.SIGTERM


if __name__ == "__main__":
    sys.exit(main())
