"""Logs are had as from a cluster: by kubectl, by the pachctl and by the SDK of each Pachyderm."""

import http.client
import importlib
import json
import os
import re
import ssl
import subprocess
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from spout_testbed import Testbed
from spout_testbed.network import BED_ADDRESS, KUBELET_PORT
from spout_testbed.pachyderm import Pachyderm
from spout_testbed.waiting import eventually

VERSIONS = ("1.13", "2.12")
STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z ")


@pytest.fixture(scope="module")
def bed() -> Iterator[Testbed]:
    with Testbed.start(pachyderm=VERSIONS) as started:
        yield started


@pytest.fixture(params=VERSIONS)
def pachyderm(bed: Testbed, request: pytest.FixtureRequest) -> Pachyderm:
    return bed.pachyderm(request.param)


@pytest.fixture
def spout(pachyderm: Pachyderm) -> Iterator[Callable[[str, str], str]]:
    """Creates a spout from a shell script, and returns the name of its Pod."""
    names = []

    def create(name: str, script: str) -> str:
        spec = {
            "pipeline": {"name": name},
            "transform": {"image": "none:1", "cmd": ["sh", "-c", script]},
            "spout": {},
        }
        pachyderm.pachctl("create", "pipeline", "-f", "-", input=json.dumps(spec))
        names.append(name)
        return pachyderm.workers.wait_running(name).pod

    yield create
    for name in names:
        pachyderm.pachctl("delete", "pipeline", name)


class Logs:
    """What kubectl shows of one Pod."""

    def __init__(self, bed: Testbed, pachyderm: Pachyderm, pod: str) -> None:
        self._bed = bed
        self._arguments = ("logs", "-n", pachyderm.namespace, pod)

    def shown(self, *arguments: str) -> list[str]:
        return self._bed.kubectl(*self._arguments, *arguments).stdout.splitlines()

    def refused(self, *arguments: str) -> str:
        answer = self._bed.kubectl(*self._arguments, *arguments, check=False)
        assert answer.returncode != 0, answer.stdout
        return answer.stderr

    def wait_for(self, text: str, *arguments: str) -> list[str]:
        eventually(
            lambda: text in "\n".join(self.shown(*arguments)),
            what=f"kubectl logs to show {text!r}",
            details=lambda: "\n".join(self.shown(*arguments)),
        )
        return self.shown(*arguments)


def of_user_code(lines: list[str]) -> list[str]:
    """The messages of the user code, out of the lines of the worker's log."""
    read = [json.loads(line) for line in lines if line.startswith("{")]
    return [each["message"] for each in read if each.get("user")]


def test_kubectl_shows_each_container_and_the_part_that_is_asked_for(
    bed: Testbed, pachyderm: Pachyderm, spout: Callable[[str, str], str]
) -> None:
    logs = Logs(bed, pachyderm, spout("shown", "for i in 1 2 3; do echo line $i; done; sleep 1000"))
    lines = logs.wait_for("line 3", "-c", "user")
    assert of_user_code(lines) == ["line 1", "line 2", "line 3"]
    assert logs.shown("-c", "user", "--tail=2") == lines[-2:]
    stamped = logs.shown("-c", "user", "--timestamps")
    assert [STAMP.sub("", line) for line in stamped] == lines
    assert all(map(STAMP.match, stamped)), stamped
    assert logs.shown("-c", "user", f"--since-time={stamped[0][:19]}Z") == lines
    assert logs.shown("-c", "user", "--since=1h") == lines
    assert logs.shown("-c", "user", "--since-time=2100-01-01T00:00:00Z") == []
    assert "".join(logs.shown("-c", "user", "--limit-bytes=10")) == lines[0][:10]
    assert logs.wait_for("INFO" if pachyderm.version.startswith("1") else '"severity"', "-c", "storage")
    assert 'container "user"' in logs.refused("-c", "user", "--previous")
    assert "container none is not valid for pod" in logs.refused("-c", "none")


def test_kubectl_shows_the_log_before_a_restart(
    bed: Testbed, pachyderm: Pachyderm, spout: Callable[[str, str], str]
) -> None:
    logs = Logs(bed, pachyderm, spout("restarted", "echo started by $$; sleep 1000"))
    first = logs.wait_for("started by", "-c", "user")
    pachyderm.workers.kill("restarted")
    eventually(
        lambda: pachyderm.workers.wait_running("restarted").restarts == 1,
        what="the container to start again",
    )
    # What ran the container adds a line of its own when it was killed.
    assert logs.shown("-c", "user", "--previous")[: len(first)] == first
    assert logs.shown("-c", "user")[:1] != first[:1]


def test_kubectl_follows_a_container_until_it_ends(
    bed: Testbed, pachyderm: Pachyderm, spout: Callable[[str, str], str], tmp_path: Path
) -> None:
    go = tmp_path / "go"
    pod = spout("followed", f"echo before; while ! test -e {go}; do sleep 0.1; done; echo after; sleep 1000")
    Logs(bed, pachyderm, pod).wait_for("before", "-c", "user")
    with subprocess.Popen(  # noqa: S603 - our own kubectl
        [*_kubectl(bed), "logs", "-n", pachyderm.namespace, pod, "-c", "user", "-f", "--tail=1"],
        env={**os.environ, "KUBECONFIG": str(bed.kubeconfig)},
        stdout=subprocess.PIPE,
        text=True,
    ) as following:
        assert following.stdout is not None
        seen: list[str] = []
        reader = threading.Thread(target=lambda: seen.extend(following.stdout or []), daemon=True)
        reader.start()
        go.touch()
        eventually(lambda: "after" in "".join(seen), what="the follower to see the new line", details=lambda: str(seen))
        assert following.poll() is None
        pachyderm.workers.kill("followed")
        assert following.wait(timeout=20) == 0
        reader.join(timeout=20)


def _kubectl(bed: Testbed) -> list[str]:
    return [str(bed.folder / "visitors" / "bin" / "kubectl")]


def test_a_follower_that_goes_away_leaves_no_thread(
    bed: Testbed, pachyderm: Pachyderm, spout: Callable[[str, str], str]
) -> None:
    pod = spout("left", "sleep 1000")
    context = ssl.create_default_context(cafile=str(bed.folder / "apiserver" / "certificates" / "apiserver.crt"))
    before = set(threading.enumerate())
    connection = http.client.HTTPSConnection(BED_ADDRESS, KUBELET_PORT, timeout=10, context=context)
    connection.request("GET", f"/containerLogs/{pachyderm.namespace}/{pod}/user?follow=true")
    assert connection.getresponse().read(1)
    serving = {each for each in set(threading.enumerate()) - before if "process_request_thread" in each.name}
    assert serving
    connection.close()
    eventually(lambda: not any(each.is_alive() for each in serving), what="the thread of the follower to end")


def test_pachctl_shows_the_user_code_and_what_the_worker_says_of_it(
    pachyderm: Pachyderm, spout: Callable[[str, str], str]
) -> None:
    spout("told", "echo hello; exit 3")

    def of_worker() -> str:
        return pachyderm.pachctl("logs", "--pipeline", "told", "--master").stdout

    eventually(lambda: "exit status 3" in of_worker(), what="the worker to tell of the end", details=of_worker)
    assert "hello" in pachyderm.pachctl("logs", "--pipeline", "told").stdout + of_worker()


def of_sdk_1(pachyderm: Pachyderm, name: str, **options: Any) -> list[str]:
    with warnings.catch_warnings():
        # Its generated code creates descriptors in a way that protobuf has deprecated since.
        warnings.simplefilter("ignore", DeprecationWarning)
        sdk = importlib.import_module("python_pachyderm")
    client = sdk.Client.new_from_pachd_address(pachyderm.address)
    return [each.message for each in client.get_pipeline_logs(name, master=True, **options)]


def of_sdk_2(pachyderm: Pachyderm, name: str, **options: Any) -> list[str]:
    sdk = importlib.import_module("pachyderm_sdk")
    pps = importlib.import_module("pachyderm_sdk.api.pps")
    pfs = importlib.import_module("pachyderm_sdk.api.pfs")
    client = sdk.Client.from_pachd_address(pachyderm.address)
    pipeline = pps.Pipeline(name=name, project=pfs.Project(name="default"))
    return [each.message for each in client.pps.get_logs(pipeline=pipeline, master=True, **options)]


def test_the_sdk_gets_the_logs(pachyderm: Pachyderm, spout: Callable[[str, str], str]) -> None:
    get = of_sdk_1 if pachyderm.version.startswith("1") else of_sdk_2
    spout("got", "sleep 1000")
    began = "beginning to run user code"
    eventually(lambda: began in get(pachyderm, "got"), what="the beginning", details=lambda: str(get(pachyderm, "got")))
    assert began in get(pachyderm, "got", tail=10)
    assert "started spout spawner process" not in get(pachyderm, "got", tail=1)


def test_the_logs_of_a_pod_that_is_gone_are_gone(
    bed: Testbed, pachyderm: Pachyderm, spout: Callable[[str, str], str]
) -> None:
    logs = Logs(bed, pachyderm, spout("gone", "sleep 1000"))
    pachyderm.pachctl("stop", "pipeline", "gone")
    pod = ("get", "pods", "-n", pachyderm.namespace, "-l", "pipelineName=gone", "-o", "name")
    eventually(lambda: not bed.kubectl(*pod).stdout, what="the Pod to go")
    assert "not found" in logs.refused("-c", "user")
