"""The Kafka spout of examples/kafka, without Kafka and without Pachyderm."""

import importlib.util
import io
import os
import signal
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException
from hypothesis import given
from hypothesis import strategies as st

PROGRAM = Path(__file__).parents[3] / "examples" / "kafka" / "spout.py"
ENV = {"HOST": "kafkahost", "PORT": "9092", "TOPIC": "mytopic"}
MORE_THAN_A_PIPE_HOLDS = 200_000


def _load() -> Any:
    spec = importlib.util.spec_from_file_location("example_kafka_spout", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


spout = _load()
Message = spout.Message


def files_in(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {entry.name: content.read() for entry in tar if (content := tar.extractfile(entry))}


class Reader(threading.Thread):
    """Opens a pipe and reads up to `limit` bytes of it; by default all."""

    def __init__(self, pipe: Path, limit: int = -1) -> None:
        super().__init__(daemon=True)
        self._pipe = pipe
        self._limit = limit
        self._data = b""
        self.start()

    def run(self) -> None:
        with self._pipe.open("rb", buffering=0) as pipe:
            self._data = pipe.read(self._limit)

    def data(self) -> bytes:
        self.join(timeout=10)
        assert not self.is_alive(), "nobody closed the other end"
        return self._data


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "out"
    os.mkfifo(path)
    return path


def no_sleep(seconds: float) -> None:
    pytest.fail(f"slept {seconds} s")


# --- the marker --------------------------------------------------------------------------------------------------

positions = st.dictionaries(st.integers(0, 999), st.integers(0, 2**63 - 1))


@given(positions)
def test_a_marker_is_read_as_it_was_written_and_fits_one_line(expected: dict[int, int]) -> None:
    marker = spout.format_marker(expected)
    assert spout.parse_marker(marker) == expected
    assert len(marker.splitlines()) <= 1


@pytest.mark.parametrize(
    ("text", "expected", "reason"),
    [
        ("1041", {0: 1041}, "a topic with one partition shows its position only"),
        ("1041\n", {0: 1041}, "echo 1041 | pachctl put file ... ends in a newline"),
        ("0:1041,1:977", {0: 1041, 1: 977}, "several partitions"),
        ("3:7", {3: 7}, "of several partitions only one had messages"),
        ("", {}, "nothing means the beginning"),
    ],
)
def test_a_marker_is_parsed(text: str, expected: dict[int, int], reason: str) -> None:
    assert spout.parse_marker(text) == expected, reason


@pytest.mark.parametrize(
    "text", ["abc", "-1", "1.5", "0:1041,", "0:1:2", "1041,977", "0:", "\u0661\u0660", "1\n2", "0: 1"]
)
def test_a_malformed_marker_is_refused(text: str) -> None:
    with pytest.raises(spout.SpoutError, match="the marker holds"):
        spout.parse_marker(text)


def test_a_missing_marker_is_empty(tmp_path: Path) -> None:
    (tmp_path / "offset").symlink_to(tmp_path / "nowhere")  # the worker links it like this before the first marker
    assert spout.read_marker(tmp_path / "offset") == {}


def test_a_marker_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(spout.SpoutError, match="has to be one file"):
        spout.read_marker(tmp_path)


# --- files and archives ------------------------------------------------------------------------------------------

places = st.tuples(st.integers(0, 999), st.integers(0, 2**63 - 1))


@given(places, places)
def test_two_messages_never_share_a_file(one: tuple[int, int], other: tuple[int, int]) -> None:
    names = {spout.file_name("mytopic", Message(*place, b"")) for place in (one, other)}
    assert len(names) == len({one, other})


def test_file_names_sort_as_offsets_do() -> None:
    names = [spout.file_name("mytopic", Message(0, offset, b"")) for offset in (0, 9, 10, 999, 1000, 123_456_789)]
    assert names == sorted(names)
    assert names[-1] == "mytopic/0/000123456/000123456789"


@given(st.dictionaries(st.text("abc-", min_size=1, max_size=300), st.binary(max_size=3000), max_size=8))
def test_an_archive_holds_its_files(expected: dict[str, bytes]) -> None:
    archive = spout.make_archive(expected.items())
    assert files_in(archive) == expected
    assert archive == spout.make_archive(expected.items())


# --- the guarantee -----------------------------------------------------------------------------------------------


class Crash(Exception):  # noqa: N818 - it stands for a SIGKILL
    """Interrupts a run of the spout."""


class Repo:
    """A worker's repo: it overwrites files by name and keeps the marker apart. `archives_left` ends a run early."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.marker = ""
        self.archives_left = 0

    def write(self, _pipe: Path, archive: bytes) -> None:
        if not self.archives_left:
            raise Crash
        self.archives_left -= 1
        files = files_in(archive)
        assert len(files.keys() & {"offset"}) in (0, len(files)), "1.13 refuses marker and data in one archive"
        self.marker = files.pop("offset", self.marker.encode()).decode()
        self.files |= files


@given(
    sent=st.lists(st.tuples(st.integers(0, 2), st.binary(max_size=5)), max_size=30),
    lives=st.lists(st.tuples(st.integers(0, 6), st.integers(1, 7)), max_size=6),
)
def test_every_message_is_written_exactly_once_across_restarts(
    sent: list[tuple[int, bytes]], lives: list[tuple[int, int]]
) -> None:
    settings = spout.read_settings(ENV)
    log: dict[int, list[bytes]] = {}
    for partition, value in sent:
        log.setdefault(partition, []).append(value)
    repo = Repo()
    endless = (len(sent) * 2, 4)
    for archives, batch_size in [*lives, endless]:
        repo.archives_left = archives
        at = spout.parse_marker(repo.marker)
        unread = [
            Message(partition, offset, value)
            for partition, values in log.items()
            for offset, value in enumerate(values)
            if offset >= at.get(partition, 0)
        ]
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(spout, "write_archive", repo.write)
                for start in range(0, len(unread), batch_size):
                    batch = unread[start : start + batch_size]
                    at |= spout.next_positions(batch)
                    spout.write_batch(Path("out"), settings, batch, at)
        except Crash:
            continue
    expected = [Message(partition, offset, value) for partition, v in log.items() for offset, value in enumerate(v)]
    assert repo.files == {spout.file_name("mytopic", message): message.value for message in expected}
    assert spout.parse_marker(repo.marker) == {partition: len(values) for partition, values in log.items()}


# --- the pipe ----------------------------------------------------------------------------------------------------


def test_an_archive_goes_through_the_pipe_whole(pipe: Path) -> None:
    archive = spout.make_archive([("big", os.urandom(MORE_THAN_A_PIPE_HOLDS))])
    reader = Reader(pipe)
    spout.write_archive(pipe, archive, no_sleep)
    assert reader.data() == archive


def test_a_broken_pipe_makes_the_whole_archive_go_again(pipe: Path) -> None:
    archive = spout.make_archive([("big", os.urandom(MORE_THAN_A_PIPE_HOLDS))])
    readers = [Reader(pipe, limit=10)]
    spout.write_archive(pipe, archive, sleep=lambda _: readers.append(Reader(pipe)))
    assert [reader.data() for reader in readers] == [archive[:10], archive]


def test_a_write_that_never_succeeds_ends_with_a_message(tmp_path: Path) -> None:
    pauses: list[float] = []
    with pytest.raises(spout.SpoutError, match=r"cannot write to .*/out after 8 attempts: .*see the worker's own log"):
        spout.write_archive(tmp_path / "out", b"", pauses.append)
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4])
    assert not (tmp_path / "out").exists(), "a plain file where the pipe should be would swallow everything"


def test_an_empty_pipe_is_not_waited_for(pipe: Path) -> None:
    spout.wait_for_empty(pipe, no_sleep)


def test_the_rest_of_an_earlier_run_is_waited_for(pipe: Path) -> None:
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with pipe.open("wb") as writer:
        writer.write(b"piece of an archive")
    looks: list[bytes] = []
    spout.wait_for_empty(pipe, lambda _: looks.append(os.read(reader, 10)))
    os.close(reader)
    # After the last byte the worker gets one more moment, in which it reads the end of the file.
    assert looks == [b"piece of a", b"n archive", b""]


# --- a run -------------------------------------------------------------------------------------------------------


@pytest.fixture
def pfs(tmp_path: Path) -> Path:
    """A /pfs as the worker creates it: a pipe, then a link to it."""
    (tmp_path / "scratch").mkdir()
    os.mkfifo(tmp_path / "scratch" / "out")
    os.utime(tmp_path / "scratch" / "out", ns=(1, 1))
    (tmp_path / "pfs").mkdir()
    (tmp_path / "pfs" / "out").symlink_to(tmp_path / "scratch" / "out")
    return tmp_path / "pfs"


def test_a_run_goes_on_from_the_marker_and_ends_after_a_whole_batch(
    pfs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (pfs / "offset").write_text("1041")
    stopped = threading.Event()

    class FakeTopic:
        def __init__(self, _settings: object, positions: dict[int, int]) -> None:
            assert positions == {0: 1041}

        def read(self) -> list[Any]:
            stopped.set()
            return [Message(0, 1041, b"payload"), Message(0, 1042, b"")]

        def close(self) -> None: ...

    monkeypatch.setattr(spout, "Topic", FakeTopic)
    written: list[dict[str, bytes]] = []
    monkeypatch.setattr(spout, "write_archive", lambda _, archive: written.append(files_in(archive)))
    spout.run(spout.read_settings(ENV), pfs, stopped)
    folder = "mytopic/0/000000001"
    assert written == [
        {f"{folder}/000000001041": b"payload", f"{folder}/000000001042": b""},
        {"offset": b"1043"},
    ]
    assert capsys.readouterr().out.splitlines() == [
        "wrote 2 messages of mytopic, up to 1043",
        "wrote marker 1043",
    ]


def test_a_run_after_another_at_the_same_pipe_asks_for_the_marker_anew(pfs: Path) -> None:
    linked = (pfs / "out").lstat().st_mtime_ns
    os.utime(pfs / "out", ns=(linked, linked + 1))  # as a write does
    reader = Reader(pfs / "out")
    with pytest.raises(spout.SpoutError, match="reads it again"):
        spout.run(spout.read_settings(ENV), pfs, threading.Event())
    with pytest.raises(tarfile.ReadError):
        files_in(reader.data())


def test_a_missing_pipe_ends_the_run_with_a_message(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(spout.SpoutError, match="is not a named pipe: run this program as a spout"):
        spout.run(spout.read_settings(ENV), tmp_path, threading.Event())


@pytest.fixture
def sigterm() -> Iterator[Callable[[], None]]:
    before = signal.getsignal(signal.SIGTERM)
    yield lambda: os.kill(os.getpid(), signal.SIGTERM)
    signal.signal(signal.SIGTERM, before)


def test_the_second_sigterm_does_not_wait(sigterm: Callable[[], None]) -> None:
    stopped = spout.stop_on_sigterm()
    sigterm()
    assert stopped.is_set()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.usefixtures("sigterm")
def test_the_exit_status_is_never_0(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ENV:
        monkeypatch.delenv(name, raising=False)
    assert spout.main() == 1
    assert (
        "error: required, but not set in spec.transform.env of the Spout: HOST, PORT, TOPIC" in capsys.readouterr().out
    )
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(spout, "run", lambda *_: None)
    assert spout.main() == 143


# --- settings ----------------------------------------------------------------------------------------------------


def test_settings_of_the_client_come_from_the_listed_variables_only() -> None:
    env = {**ENV, "KAFKA_USERNAME": "me", "KAFKA_PASSWORD": "secret", "KAFKA_PORT": "tcp://10.0.0.1:9092"}
    settings = spout.read_settings(env)
    assert settings.client == {"sasl.username": "me", "sasl.password": "secret"}
    assert settings.address == "kafkahost:9092"


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"TOPIC": ""}, "required, but not set in spec.transform.env of the Spout: TOPIC"),
        ({"PORT": "http"}, "PORT is 'http': set it to a number"),
        ({"BATCH_SIZE": "0"}, "BATCH_SIZE is '0': set it to a number above 0"),
        ({"BATCH_SIZE": "1.5"}, "BATCH_SIZE is '1.5': set it to a whole number"),
        ({"BATCH_SECONDS": "nan"}, "BATCH_SECONDS is 'nan'"),
        ({"KAFKA_OFFSET_RESET": "latest"}, "set it to error or earliest"),
        ({"TOPIC": "offsets-of-cars"}, "begins with the name of the marker, 'offset'"),
        ({"MARKER": "my"}, "begins with the name of the marker, 'my'"),
    ],
)
def test_settings_that_are_refused(env: dict[str, str], message: str) -> None:
    with pytest.raises(spout.SpoutError, match=message):
        spout.read_settings({**ENV, **env})


# --- Kafka -------------------------------------------------------------------------------------------------------


class FakeConsumer:
    """The part of confluent_kafka.Consumer that the spout uses."""

    def __init__(self, config: dict[str, object]) -> None:
        self.config = config
        self.partitions = [0, 1]
        self.topic_error: KafkaError | None = None
        self.away: KafkaError | None = None
        self.messages: list[object] = []
        self.assigned: list[tuple[int, int]] = []

    def list_topics(self, name: str, timeout: float) -> object:
        assert timeout > 0
        if self.away:
            raise KafkaException(self.away)
        topic = SimpleNamespace(error=self.topic_error, partitions=dict.fromkeys(self.partitions))
        return SimpleNamespace(topics={name: topic})

    def incremental_assign(self, partitions: list[Any]) -> None:
        self.assigned += [(each.partition, each.offset) for each in partitions]

    def consume(self, _count: int, timeout: float) -> list[object]:
        assert timeout > 0
        return self.messages


@pytest.fixture
def consumer(monkeypatch: pytest.MonkeyPatch) -> FakeConsumer:
    fake = FakeConsumer({})

    def take(config: dict[str, object]) -> FakeConsumer:
        fake.config = config
        return fake

    monkeypatch.setattr(spout, "Consumer", take)
    return fake


def kafka_message(*, value: bytes | None = None, error: KafkaError | None = None) -> object:
    return SimpleNamespace(partition=lambda: 1, offset=lambda: 5, value=lambda: value, error=lambda: error)


def test_partitions_are_read_from_the_marker_or_from_their_beginning(consumer: FakeConsumer) -> None:
    topic = spout.Topic(spout.read_settings(ENV), {0: 1041})
    assert consumer.assigned == [(0, 1041), (1, OFFSET_BEGINNING)]
    assert consumer.config["enable.auto.commit"] is False
    consumer.partitions.append(2)
    topic.add_partitions({0: 1100, 1: 7})
    assert consumer.assigned[2:] == [(2, OFFSET_BEGINNING)]


def test_a_message_without_a_value_is_a_message(consumer: FakeConsumer) -> None:
    consumer.messages = [kafka_message(value=None)]
    assert spout.Topic(spout.read_settings(ENV), {}).read() == [Message(1, 5, b"")]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (KafkaError._AUTO_OFFSET_RESET, "partition 1 of 'mytopic' does not hold what follows the marker"),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "partition 1 of 'mytopic' cannot be read"),
    ],
)
def test_a_partition_that_cannot_be_read_ends_the_run(consumer: FakeConsumer, code: int, message: str) -> None:
    consumer.messages = [kafka_message(error=KafkaError(code))]
    topic = spout.Topic(spout.read_settings(ENV), {})
    with pytest.raises(spout.SpoutError, match=message):
        topic.read()


def test_an_unknown_topic_is_named(consumer: FakeConsumer) -> None:
    consumer.topic_error = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
    with pytest.raises(spout.SpoutError, match=r"topic 'mytopic': .*Create the topic, or correct TOPIC"):
        spout.Topic(spout.read_settings(ENV), {})


def test_a_broker_that_is_away_is_named(consumer: FakeConsumer) -> None:
    consumer.away = KafkaError(KafkaError._TRANSPORT)
    with pytest.raises(spout.SpoutError, match=r"no Kafka broker answers at kafkahost:9092: .*Check HOST and PORT"):
        spout.Topic(spout.read_settings(ENV), {})
