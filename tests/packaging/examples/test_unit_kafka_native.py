"""The example of a spout for Pachyderm 2.x: what it commits, and what it acknowledges when."""

import importlib.util
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

PROGRAM = Path(__file__).parents[3] / "examples" / "kafka-native" / "spout.py"
TOKEN = "the-token-of-the-spout"  # noqa: S105 - no real one
ENV = {"HOST": "kafkahost", "PORT": "9092", "TOPIC": "mytopic", "PPS_PIPELINE_NAME": "my-spout"}


def _load() -> Any:
    spec = importlib.util.spec_from_file_location("example_kafka_native_spout", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


spout = _load()
Message = spout.Message


class RefusedError(grpc.RpcError):  # type: ignore[misc] # gRPC publishes no types
    """A call that failed."""

    def __init__(self, code: grpc.StatusCode) -> None:
        super().__init__()
        self._code = code

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return "why"


class Channel:
    """Takes ModifyFile, and fails as often as it is told to."""

    def __init__(self, *failures: grpc.StatusCode) -> None:
        self._failures = list(failures)
        self.calls: list[list[Any]] = []
        self.metadata: list[tuple[str, str]] = []

    def stream_unary(self, method: str, **_: object) -> Any:
        assert method == "/pfs_v2.API/ModifyFile"
        return self._modify

    def _modify(self, requests: Iterator[Any], *, timeout: float, metadata: list[tuple[str, str]]) -> None:
        assert timeout > 0
        self.metadata = metadata
        self.calls.append(list(requests))
        if self._failures:
            raise RefusedError(self._failures.pop(0))


def an_output(channel: Channel) -> Any:
    return spout.Output(spout.read_settings(ENV), channel, "")


def test_a_commit_is_one_call_that_replaces_each_file() -> None:
    channel = Channel()

    an_output(channel).commit([("/a", b"1"), ("/b", b"2")])

    [[head, *changes]] = channel.calls
    assert head.set_commit.branch.name == "master"
    assert head.set_commit.branch.repo.name == "my-spout"
    assert head.set_commit.branch.repo.project.name == "default"
    assert [(change.delete_file.path, change.add_file.path, change.add_file.raw or b"") for change in changes] == [
        ("/a", "", b""),
        ("", "/a", b"1"),
        ("/b", "", b""),
        ("", "/b", b"2"),
    ]


def test_the_token_of_the_spout_goes_with_each_call() -> None:
    channel = Channel()

    spout.Output(spout.read_settings(ENV), channel, TOKEN).commit([("/a", b"1")])

    assert channel.metadata == [("authn-token", TOKEN)]


def test_a_passing_failure_makes_the_whole_call_again() -> None:
    channel, pauses = Channel(grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED), list[float]()

    an_output(channel).commit(iter([("/a", b"1")]), pauses.append)

    assert [len(call) for call in channel.calls] == [3, 3, 3]
    assert pauses == [0.1, 0.2]


@pytest.mark.parametrize(
    ("failures", "calls"),
    [
        pytest.param([grpc.StatusCode.UNAUTHENTICATED], 1, id="a-lasting-one"),
        pytest.param([grpc.StatusCode.UNAVAILABLE] * 8, 8, id="a-passing-one-for-too-long"),
    ],
)
def test_a_failure_that_lasts_ends_the_spout_with_a_message(failures: list[grpc.StatusCode], calls: int) -> None:
    channel = Channel(*failures)

    with pytest.raises(spout.SpoutError, match=f"after {calls} attempts: {failures[0].name}, why"):
        an_output(channel).commit([("/a", b"1")], lambda _: None)
    assert len(channel.calls) == calls


def test_two_messages_never_share_a_file_and_one_that_is_read_again_keeps_its_file() -> None:
    names = {spout.file_name("t", Message(partition, offset, b"")) for partition in range(3) for offset in range(2001)}

    assert len(names) == 3 * 2001
    assert spout.file_name("t", Message(0, 1041, b"x")) == "/t/0/000000001/000000001041"


class FakeTopic:
    """Hands out one batch, and notes what is acknowledged after how many commits."""

    def __init__(self, channel: Channel, stopped: threading.Event) -> None:
        self._channel, self._stopped = channel, stopped
        self.acknowledged: list[tuple[int, dict[int, int]]] = []

    def read(self) -> list[Any]:
        self._stopped.set()
        return [Message(0, 7, b"a"), Message(1, 3, b"b"), Message(0, 8, b"c")]

    def acknowledge(self, positions: dict[int, int]) -> None:
        self.acknowledged.append((len(self._channel.calls), positions))

    def close(self) -> None:
        """Nothing is open."""


def test_a_batch_is_acknowledged_only_after_its_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    channel, stopped = Channel(), threading.Event()
    topic = FakeTopic(channel, stopped)
    monkeypatch.setattr(spout, "Topic", lambda _: topic)

    spout.run(spout.read_settings(ENV), an_output(channel), stopped)

    assert topic.acknowledged == [(1, {0: 9, 1: 4})]


def test_a_batch_that_is_not_committed_is_not_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    channel, stopped = Channel(grpc.StatusCode.NOT_FOUND), threading.Event()
    topic = FakeTopic(channel, stopped)
    monkeypatch.setattr(spout, "Topic", lambda _: topic)

    with pytest.raises(spout.SpoutError):
        spout.run(spout.read_settings(ENV), an_output(channel), stopped)

    assert topic.acknowledged == []


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({}, "HOST, PORT, TOPIC"),
        ({**ENV, "PPS_PIPELINE_NAME": ""}, "as a spout of Pachyderm 2.x"),
        ({**ENV, "PORT": "x"}, "PORT is 'x': set it to a whole number"),
        ({**ENV, "BATCH_SIZE": "1.5"}, "BATCH_SIZE is '1.5': set it to a whole number"),
        ({**ENV, "BATCH_SECONDS": "-1"}, "BATCH_SECONDS is '-1': set it to a number above 0"),
        ({**ENV, "KAFKA_OFFSET_RESET": "latest"}, "set it to error or earliest"),
    ],
)
def test_settings_that_are_refused(env: dict[str, str], message: str) -> None:
    with pytest.raises(spout.SpoutError) as error:
        spout.read_settings(env)
    assert message in str(error.value)


def test_the_group_is_named_after_the_pipeline_unless_it_is_set() -> None:
    assert spout.read_settings({**ENV, "PPS_PROJECT_NAME": "ingest"}).group == "pachyderm.ingest.my-spout"
    assert spout.read_settings({**ENV, "KAFKA_GROUP": "mine"}).group == "mine"


def test_the_token_is_read_from_the_configuration_that_pachyderm_mounts(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"v2": {"active_context": "a", "contexts": {"a": {"session_token": "secret"}}}}))
    assert spout.read_token(config) == "secret"
    config.write_text(json.dumps({"v2": {"active_context": "a", "contexts": {"a": {}}}}))
    assert not spout.read_token(config)


@pytest.mark.parametrize("content", [None, "", "{}", '{"v2": {"active_context": "a", "contexts": {}}}'])
def test_a_configuration_that_cannot_be_read_ends_the_spout_with_a_message(tmp_path: Path, content: str | None) -> None:
    config = tmp_path / "config.json"
    if content is not None:
        config.write_text(content)

    with pytest.raises(spout.SpoutError, match="which Pachyderm mounts into the worker of a spout"):
        spout.read_token(config)
