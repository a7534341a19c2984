"""A server that does not start says why. A running one can be stopped, killed and started again."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spout_testbed.errors import TestbedError
from spout_testbed.server import Server
from spout_testbed.waiting import eventually

Make = Callable[..., Server]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Server] = []

    def factory(script: str, timeout: float = 10.0) -> Server:
        server = Server(
            "demo",
            ["sh", "-c", script],
            env={"PATH": os.defpath},
            log=tmp_path / "demo" / "log",
            ready=lambda output: "up" in output,
            ready_means="it says up",
            timeout=timeout,
        )
        made.append(server)
        return server

    yield factory
    for server in made:
        server.kill()


def test_a_server_that_dies_is_reported_at_once_with_its_log(make: Make) -> None:
    with pytest.raises(TestbedError) as raised:
        make("echo no such disk; exit 4", timeout=60).start()
    message = str(raised.value)
    assert "demo ended with exit code 4 before it says up" in message
    assert message.endswith("no such disk")


def test_a_server_that_never_gets_ready_is_reported_with_its_log(make: Make) -> None:
    server = make("seq 30; exec sleep 60", timeout=0.3)
    with pytest.raises(TestbedError) as raised:
        server.start()
    lines = str(raised.value).splitlines()
    assert lines[0] == "waited 0.3 s in vain for demo to be ready (it says up)"
    assert lines[2:] == [str(n) for n in range(11, 31)]


def test_a_killed_server_starts_again(make: Make) -> None:
    server = make("echo up; exec sleep 60")
    server.start()
    first = server.pid
    assert server.is_running
    server.kill()
    assert not server.is_running
    server.start()
    assert server.is_running
    assert server.pid != first
    assert server.tail(1) == "up"


def test_the_readiness_after_a_restart_is_that_of_the_new_process(make: Make, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    server = make(f"if [ -e {flag} ]; then exit 5; fi; echo up; exec sleep 60")
    server.start()
    server.kill()
    flag.touch()
    with pytest.raises(TestbedError, match="exit code 5"):
        server.start()


def test_stopping_lets_the_server_clean_up(make: Make) -> None:
    server = make("trap 'echo cleaned; exit' TERM; echo up; while :; do sleep 0.02; done")
    server.start()
    server.stop()
    assert not server.is_running
    assert server.tail(1) == "cleaned"


def test_a_server_has_ended_when_the_processes_that_it_started_have_ended(make: Make, tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    # In a session of its own, like the processes of PostgreSQL, it is not killed with the server.
    server = make(f"setsid sh -c 'echo up; sleep 0.3; touch {ended}' & exec sleep 60")
    server.start()
    server.kill()
    assert ended.exists()


def test_a_server_that_is_not_running_has_no_pid(make: Make) -> None:
    with pytest.raises(TestbedError, match="demo is not running"):
        _ = make("true").pid


def test_an_exception_of_the_condition_ends_the_wait() -> None:
    def condition() -> bool:
        raise LookupError("broken")

    with pytest.raises(LookupError, match="broken"):
        eventually(condition, what="never", seconds=60)
