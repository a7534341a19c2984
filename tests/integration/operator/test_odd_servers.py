"""API servers that close connections or are too old: the requests that they get, and the message to the user."""

import http.server
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest


class Rude:
    """A server that closes each connection at once, and counts them."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.connections = 0
        self._thread = threading.Thread(target=self._hang_up)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _hang_up(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            connection.close()


class Old(http.server.ThreadingHTTPServer):
    """A server that answers every request with its version. No real server of that age is available."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _TellsItsVersion)
        self.asked: list[str] = []


class _TellsItsVersion(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Old)
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps({"major": "1", "minor": "28", "gitVersion": "v1.28.9"}).encode())

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def rude() -> Iterator[Rude]:
    with Rude() as server:
        yield server


@pytest.fixture
def old() -> Iterator[Old]:
    with Old() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def started(server: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the operator against this API server until it ends."""
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: one\n"
        "contexts: [{name: one, context: {cluster: one, user: one}}]\n"
        "users: [{name: one, user: {token: t}}]\n"
        f"clusters: [{{name: one, cluster: {{server: '{server}'}}}}]\n"
    )
    program = Path(sys.executable).with_name("spout-operator")
    argv = [str(program), "run", "--pachd-address=grpc://127.0.0.1:1", f"--kubeconfig={kubeconfig}"]
    environment = {"PATH": os.environ["PATH"]}
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=30)  # noqa: S603 - ours


@pytest.mark.parametrize(("scheme", "wrong"), [("http", "Connection aborted"), ("https", "SSL")])
def test_a_failed_request_is_one_attempt_and_says_what_went_wrong(
    rude: Rude, tmp_path: Path, scheme: str, wrong: str
) -> None:
    """The client library's own retries are off."""
    server = f"{scheme}://127.0.0.1:{rude.port}"

    done = started(server, tmp_path)

    assert done.returncode == 2
    assert rude.connections == 1, "each further one would not have asked whether this replica may still act"
    assert f"the API server at {server} does not answer" in done.stderr
    assert wrong in done.stderr
    assert "Traceback" not in done.stderr


def test_an_operator_on_a_server_that_is_too_old_says_so_and_makes_no_other_request(old: Old, tmp_path: Path) -> None:
    done = started(f"http://127.0.0.1:{old.server_address[1]}", tmp_path)

    assert done.returncode == 2
    assert "the API server is Kubernetes v1.28.9; this operator needs 1.29 or later" in done.stderr
    assert old.asked == ["/version"]
