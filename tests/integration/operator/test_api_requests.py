"""Requests to an API server that breaks off: one attempt each, whatever the client's library would like to do."""

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
    """A server that hangs up on whoever comes, and counts them."""

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


@pytest.fixture
def rude() -> Iterator[Rude]:
    with Rude() as server:
        yield server


@pytest.mark.parametrize(("scheme", "wrong"), [("http", "Connection aborted"), ("https", "SSL")])
def test_a_request_is_one_attempt_and_says_what_went_wrong(rude: Rude, tmp_path: Path, scheme: str, wrong: str) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: one\n"
        "contexts: [{name: one, context: {cluster: one, user: one}}]\n"
        "users: [{name: one, user: {token: t}}]\n"
        f"clusters: [{{name: one, cluster: {{server: '{scheme}://127.0.0.1:{rude.port}'}}}}]\n"
    )
    program = Path(sys.executable).with_name("spout-operator")
    argv = [str(program), "run", "--pachd-address=grpc://127.0.0.1:1", f"--kubeconfig={kubeconfig}"]

    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=30)  # noqa: S603 - ours

    assert done.returncode == 2
    assert rude.connections == 1, "each further one would not have asked whether this replica may still act"
    assert f"the API server at {scheme}://127.0.0.1:{rude.port} does not answer" in done.stderr
    assert wrong in done.stderr
    assert "Traceback" not in done.stderr
