"""A container's log keeps when each line was written, and is read as a kubelet reads it."""

import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spout_testbed.kubelet.log import LONGEST, ContainerLog
from spout_testbed.kubelet.log_options import LogOptions, log_options, stamp

SECOND = 1_000_000_000
NOON = 1_767_268_800 * SECOND
"""2026-01-01T12:00:00Z."""
STAMP = "2026-01-01T12:00:0{}.000000000Z"
SECONDS = 10.0


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., ContainerLog]]:
    """Makes a log in which one line is written each second from noon on."""
    logs: list[ContainerLog] = []

    def log(*lines: bytes, most_bytes: int = 1_000_000) -> ContainerLog:
        ticks = iter(range(NOON, NOON + 60 * SECOND, SECOND))
        made = ContainerLog(tmp_path / "user" / "0.log", most_bytes=most_bytes, clock=lambda: next(ticks))
        logs.append(made)
        for line in lines:
            made.write(line)
        return made

    yield log
    for each in logs:
        each.close()


@pytest.mark.parametrize(
    ("query", "expected", "reason"),
    [
        ({}, "zero one two three ", "all"),
        ({"tailLines": "2"}, "two three ", "the last lines"),
        ({"tailLines": "9"}, "zero one two three ", "there are not as many"),
        ({"tailLines": "0"}, "", "none at all"),
        ({"sinceSeconds": "2"}, "two three ", "counted from 12:00:04"),
        ({"sinceTime": "2026-01-01T12:00:03Z"}, "three ", "a time"),
        ({"sinceTime": "2026-01-01T13:00:03+01:00"}, "three ", "a time of another zone"),
        ({"tailLines": "3", "sinceSeconds": "1"}, "three ", "the tail is that of the file"),
        ({"tailLines": "1", "sinceSeconds": "9"}, "three ", "the tail is the smaller part"),
        ({"limitBytes": "7"}, "zero on", "the first bytes"),
        ({"limitBytes": "0"}, "", "no byte"),
        ({"tailLines": "2", "limitBytes": "4"}, "two ", "the first bytes of the tail"),
        ({"timestamps": "true", "tailLines": "1"}, f"{STAMP.format(3)} three ", "the time of each line"),
        ({"container": "user", "stream": "All"}, "zero one two three ", "others say nothing"),
    ],
)
def test_the_parameters_choose_the_part(
    make: Callable[..., ContainerLog], query: dict[str, str], expected: str, reason: str
) -> None:
    log = make(b"zero\n", b"one\n", b"two\n", b"three\n")
    options = log_options({name: [value] for name, value in query.items()}, now=NOON + 4 * SECOND)
    assert b"".join(log.read(options)).decode().replace("\n", " ") == expected, reason


@pytest.mark.parametrize(
    "query", [{"tailLines": ["x"]}, {"tailLines": ["-1"]}, {"follow": ["maybe"]}, {"sinceTime": ["yesterday"]}]
)
def test_a_parameter_that_cannot_be_read_is_an_error(query: dict[str, list[str]]) -> None:
    with pytest.raises(ValueError, match=r"tailLines|follow|invalid literal|isoformat"):
        log_options(query, now=NOON)


def test_a_time_has_nine_decimals() -> None:
    assert stamp(NOON + 5) == b"2026-01-01T12:00:00.000000005Z"


def test_a_long_line_is_one_line_with_one_time(make: Callable[..., ContainerLog], tmp_path: Path) -> None:
    long = b"x" * (LONGEST + 10) + b"\n"
    log = make()
    log.copy(io.BytesIO(long + b"next\n"), tmp_path / "plain.log")
    read = b"".join(log.read(LogOptions(timestamps=True))).decode()
    assert read == f"{STAMP.format(0)} {long.decode()}{STAMP.format(2)} next\n"
    assert (tmp_path / "plain.log").read_bytes() == long + b"next\n"


def test_a_last_line_without_its_end_is_a_line(make: Callable[..., ContainerLog], tmp_path: Path) -> None:
    log = make()
    log.copy(io.BytesIO(b"first\nlast"), tmp_path / "plain.log")
    assert b"".join(log.read(LogOptions())) == b"first\nlast\n"


def test_the_plain_file_goes_on_and_the_log_begins_anew(make: Callable[..., ContainerLog], tmp_path: Path) -> None:
    plain = tmp_path / "plain.log"
    plain.write_text("of the first start\n")
    log = make()
    log.copy(io.BytesIO(b"of the second\n"), plain)
    assert plain.read_text() == "of the first start\nof the second\n"
    assert b"".join(log.read(LogOptions())) == b"of the second\n"


def test_a_full_file_is_rotated_and_readers_see_only_the_new_one(make: Callable[..., ContainerLog]) -> None:
    log = make(b"zero\n", b"one\n", b"two\n", most_bytes=100)
    assert b"".join(log.read(LogOptions())) == b"two\n"
    log.close()
    log.delete()
    with pytest.raises(FileNotFoundError):
        next(log.read(LogOptions()))


class Follower:
    """Follows a log in a thread of its own."""

    def __init__(self, log: ContainerLog, options: LogOptions) -> None:
        self.seen = b""
        self.is_wanted = True
        self._arrived = threading.Condition()
        self._pieces = log.read(options, is_wanted=lambda: self.is_wanted)
        self.thread = threading.Thread(target=self._follow, daemon=True)
        self.thread.start()

    def wait_for(self, expected: bytes) -> None:
        with self._arrived:
            assert self._arrived.wait_for(lambda: self.seen == expected, timeout=SECONDS), self.seen

    def wait_end(self) -> None:
        self.thread.join(SECONDS)
        assert not self.thread.is_alive(), f"still follows after {self.seen!r}"

    def _follow(self) -> None:
        for piece in self._pieces:
            with self._arrived:
                self.seen += piece
                self._arrived.notify_all()


@pytest.fixture
def follow() -> Iterator[Callable[[ContainerLog, LogOptions], Follower]]:
    made: list[Follower] = []

    def follower(log: ContainerLog, options: LogOptions) -> Follower:
        made.append(Follower(log, options))
        return made[-1]

    yield follower
    for each in made:
        each.is_wanted = False
        each.wait_end()


def test_who_follows_sees_what_comes_also_after_a_rotation_until_the_container_ends(
    make: Callable[..., ContainerLog], follow: Callable[[ContainerLog, LogOptions], Follower]
) -> None:
    log = make(b"zero\n", b"one\n", most_bytes=100)
    follower = follow(log, LogOptions(follow=True, tail_lines=1))
    follower.wait_for(b"one\n")
    expected = b"one\n"
    for line in (b"two\n", b"three\n", b"four\n"):
        log.write(line)
        expected += line
        follower.wait_for(expected)
    assert follower.thread.is_alive()
    log.close()
    follower.wait_end()


def test_who_follows_a_container_that_has_ended_gets_all_and_the_end(
    make: Callable[..., ContainerLog], follow: Callable[[ContainerLog, LogOptions], Follower]
) -> None:
    log = make(b"zero\n")
    log.close()
    follower = follow(log, LogOptions(follow=True))
    follower.wait_end()
    assert follower.seen == b"zero\n"


def test_who_is_gone_is_not_waited_for(
    make: Callable[..., ContainerLog], follow: Callable[[ContainerLog, LogOptions], Follower]
) -> None:
    follower = follow(make(b"zero\n"), LogOptions(follow=True))
    follower.wait_for(b"zero\n")
    follower.is_wanted = False
    follower.wait_end()
