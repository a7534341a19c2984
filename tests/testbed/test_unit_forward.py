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


def test_a_silenced_connection_copies_nothing_and_stays_open_and_a_new_one_works() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as target,
        Forwarder(("127.0.0.1", 0), target.getsockname()) as forwarder,
        socket.create_connection(("127.0.0.1", forwarder.port), timeout=5) as client,
        target.accept()[0] as server,
    ):
        _exchange(client, server)

        forwarder.silence()

        _sends_in_vain(client, server)
        _sends_in_vain(server, client)
        with (
            socket.create_connection(("127.0.0.1", forwarder.port), timeout=5) as another,
            target.accept()[0] as accepted,
        ):
            _exchange(another, accepted)


def test_a_connection_whose_answers_are_silenced_still_copies_requests() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as target,
        Forwarder(("127.0.0.1", 0), target.getsockname()) as forwarder,
        socket.create_connection(("127.0.0.1", forwarder.port), timeout=5) as client,
        target.accept()[0] as server,
    ):
        _exchange(client, server)

        forwarder.silence(answers_only=True)

        client.sendall(b"question")
        assert server.recv(100) == b"question"
        _sends_in_vain(server, client)


def test_closing_ends_the_open_connections() -> None:
    with socket.create_server(("127.0.0.1", 0)) as target:
        forwarder = Forwarder(("127.0.0.1", 0), target.getsockname())
        with (
            socket.create_connection(("127.0.0.1", forwarder.port), timeout=5) as client,
            target.accept()[0] as server,
        ):
            _exchange(client, server)

            forwarder.close()

            assert client.recv(100) == b""
            assert server.recv(100) == b""


def _exchange(client: socket.socket, server: socket.socket) -> None:
    server.settimeout(5)
    client.sendall(b"question")
    assert server.recv(100) == b"question"
    server.sendall(b"answer")
    assert client.recv(100) == b"answer"


def _sends_in_vain(source: socket.socket, sink: socket.socket) -> None:
    source.sendall(b"lost")
    sink.settimeout(0.2)
    with pytest.raises(TimeoutError):
        sink.recv(100)
    sink.settimeout(5)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
