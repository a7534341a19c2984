"""The forwarder copies connections, and can silence them."""

import socket
import threading

import pytest

from spout_testbed.forward import Forwarder


def test_a_connection_is_copied_in_both_directions_until_it_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as target:
        port = _free_port()
        forwarder = Forwarder(("127.1.0.1", port), target.getsockname())
        with socket.create_connection(("127.1.0.1", port), timeout=5) as client:
            accepted, _ = target.accept()
            with accepted:
                client.sendall(b"question")
                assert accepted.recv(100) == b"question"
                accepted.sendall(b"answer")
                assert client.recv(100) == b"answer"
            assert client.recv(100) == b""
        forwarder.close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.1.0.1", port), timeout=5)


def test_a_target_that_is_down_closes_the_connection_and_may_come_back() -> None:
    listen, behind = _free_port(), _free_port()
    forwarder = Forwarder(("127.1.0.1", listen), ("127.0.0.1", behind))
    with socket.create_connection(("127.1.0.1", listen), timeout=5) as client:
        assert client.recv(100) == b""
    with (
        socket.create_server(("127.0.0.1", behind)) as target,
        socket.create_connection(("127.1.0.1", listen), timeout=5),
    ):
        target.settimeout(5)
        target.accept()[0].close()
    forwarder.close()
    assert "forward 127.1.0.1" not in [thread.name for thread in threading.enumerate() if thread.is_alive()]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
