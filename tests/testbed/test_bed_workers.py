"""A spout pipeline runs for real: its worker, its FIFO, its archives, its marker, and its restarts."""

import importlib
import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spout_testbed import Testbed
from spout_testbed.waiting import eventually

SPOUT = """
import io, os, tarfile, time

def archive(name, data):
    with open("/pfs/out", "wb") as out, tarfile.open(fileobj=out, mode="w|") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))

try:
    number = int(open("/pfs/offset").read())
except FileNotFoundError:
    number = 0
print("resumes after", number, flush=True)
while True:
    number += 1
    archive(f"{number:04}", b"data")
    archive("offset", str(number).encode())
    time.sleep(0.2)
"""

RESTART = 60.0
"""Seconds a killed spout may take to write again: the lock of its dead worker lives on for 15."""


@pytest.fixture(scope="module")
def bed() -> Iterator[Testbed]:
    with Testbed.start(pachyderm="1.13") as started:
        yield started


@pytest.fixture(scope="module")
def sdk() -> Any:
    with warnings.catch_warnings():
        # Its generated code creates descriptors in a way that protobuf has deprecated since.
        warnings.simplefilter("ignore", DeprecationWarning)
        return importlib.import_module("python_pachyderm")


@pytest.fixture(scope="module")
def pipelines(bed: Testbed, sdk: Any, tmp_path_factory: pytest.TempPathFactory) -> "Pipelines":
    return Pipelines(sdk, bed.pachd_address, tmp_path_factory.mktemp("programs"))


class Pipelines:
    """Spout pipelines whose user code is a Python program."""

    def __init__(self, sdk: Any, address: str, folder: Path) -> None:
        self.client = sdk.Client.new_from_pachd_address(address)
        self._messages = importlib.import_module("python_pachyderm.service").pps_proto
        self._folder = folder

    def create(
        self,
        name: str,
        program: str,
        *,
        update: bool = False,
        env: dict[str, str] | None = None,
        secrets: tuple[dict[str, str], ...] = (),
    ) -> None:
        path = self._folder / f"{name}.py"
        path.write_text(program)
        self.client.create_pipeline(
            name,
            transform=self._messages.Transform(
                image="none:1",
                cmd=[sys.executable, str(path)],
                env=env or {},
                secrets=[self._messages.SecretMount(**secret) for secret in secrets],
            ),
            spout=self._messages.Spout(marker="offset"),
            update=update,
        )

    def workers_available(self, name: str) -> int:
        return int(self.client.inspect_pipeline(name).workers_available)


def marker(bed: Testbed, name: str) -> int:
    shown = bed.pachctl("get", "file", f"{name}@marker:/offset", check=False)
    return int(shown.stdout) if shown.returncode == 0 and shown.stdout else 0


def test_a_spout_runs_is_killed_resumes_stops_and_goes(bed: Testbed, pipelines: Pipelines) -> None:
    pipelines.create("counter", SPOUT)
    first = bed.workers.wait_running("counter")
    assert (first.pipeline, first.version, first.restarts) == ("counter", 1, 0)
    eventually(lambda: marker(bed, "counter") >= 3, what="three markers", seconds=30)
    commits = bed.pachctl("list", "commit", "counter@master", "--raw").stdout.count('"finished"')
    assert commits >= 3
    assert bed.pachctl("get", "file", "counter@master:/0001").stdout == "data"
    assert pipelines.workers_available("counter") == 1

    killed = bed.workers.kill("counter")
    assert killed == first.pid
    reached = marker(bed, "counter")
    second = bed.workers.wait_running("counter")
    assert second.pid != first.pid
    assert second.restarts == 1
    eventually(lambda: marker(bed, "counter") > reached, what="the worker to go on", seconds=RESTART)
    assert f"resumes after {reached}" in second.log.read_text()
    pods = json.loads(bed.kubectl("get", "pods", "-n", bed.pachyderm_namespace, "-o", "json").stdout)["items"]
    assert [pod["status"]["containerStatuses"][0]["restartCount"] for pod in pods] == [1]

    pipelines.client.stop_pipeline("counter")
    eventually(lambda: not bed.workers.running(), what="the stopped worker to be gone", seconds=30)
    assert not Path(f"/proc/{second.pid}").exists()
    pipelines.client.start_pipeline("counter")
    assert bed.workers.wait_running("counter").version == 1
    pipelines.client.delete_pipeline("counter")
    eventually(lambda: not bed.workers.running(), what="the deleted worker to be gone", seconds=30)
    eventually(
        lambda: bed.kubectl("get", "pods", "-n", bed.pachyderm_namespace, "-o", "name").stdout == "",
        what="its Pod to be gone",
        seconds=10,
    )


def test_a_worker_sees_its_environment_its_secrets_and_no_daemon(bed: Testbed, pipelines: Pipelines) -> None:
    program = (
        "import os, pathlib, time\n"
        "print('saw', os.environ['HOST'], os.environ['PASSWORD'], pathlib.Path('/etc/kafka/ca').read_text(),"
        " os.listdir('/run'), pathlib.Path('/etc/passwd').exists(), flush=True)\n"
        "time.sleep(1000)\n"
    )
    secrets = (
        {"name": "kafka", "key": "password", "env_var": "PASSWORD"},
        {"name": "kafka-tls", "mount_path": "/etc/kafka"},
    )
    pipelines.create("reader", program, env={"HOST": "kafka host"}, secrets=secrets)

    def waiting() -> str:
        listed = bed.kubectl("get", "pods", "-n", bed.pachyderm_namespace, "-l", "pipelineName=reader", "-o", "json")
        return "".join(
            status["state"].get("waiting", {}).get("reason", "")
            for pod in json.loads(listed.stdout)["items"]
            for status in pod["status"].get("containerStatuses", [])[:1]
        )

    in_namespace = ("-n", bed.pachyderm_namespace)
    eventually(lambda: waiting() == "ContainerCreating", what="the Pod to wait for its volume", seconds=30)
    bed.kubectl("create", "secret", "generic", "kafka-tls", "--from-literal=ca=certificate", *in_namespace)
    eventually(lambda: waiting() == "CreateContainerConfigError", what="the missing Secret to be reported", seconds=30)
    bed.kubectl("create", "secret", "generic", "kafka", "--from-literal=password=s3cret", *in_namespace)
    log = bed.workers.wait_running("reader").log
    eventually(
        lambda: "saw kafka host s3cret certificate [] True" in log.read_text(),
        what="the user code to see everything",
        seconds=30,
        details=log.read_text,
    )
    pipelines.client.delete_pipeline("reader")


def test_two_workers_have_addresses_of_their_own(bed: Testbed, pipelines: Pipelines) -> None:
    for name in ("left", "right"):
        pipelines.create(name, SPOUT)
    for name in ("left", "right"):
        bed.workers.wait_running(name)
        eventually(
            lambda name=name: pipelines.workers_available(name) == 1,  # type: ignore[misc] # a default that binds
            what=f"pachd to reach the worker of {name}",
            seconds=30,
        )
    assert {worker.pipeline for worker in bed.workers.running()} >= {"left", "right"}


def test_an_update_replaces_the_worker(bed: Testbed, pipelines: Pipelines) -> None:
    pipelines.create("updated", SPOUT)
    first = bed.workers.wait_running("updated")
    pipelines.create("updated", SPOUT, update=True)
    eventually(
        lambda: [worker.version for worker in bed.workers.running() if worker.pipeline == "updated"] == [2],
        what="only version 2 to run",
        seconds=30,
    )
    assert not Path(f"/proc/{first.pid}").exists()
