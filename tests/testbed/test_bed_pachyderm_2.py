"""Pachyderm 2.12 and its PostgreSQL run beside Pachyderm 1.13, can be killed, and come back with their data."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from spout_testbed import Testbed, TestbedError
from spout_testbed.network import BED_ADDRESS, POSTGRES_PORT, port_answers
from spout_testbed.pachyderm import Pachyderm
from spout_testbed.waiting import eventually

RECOVERY = 60.0
"""Seconds that pachd may take to answer again after its PostgreSQL is back."""


@pytest.fixture(scope="module")
def bed() -> Iterator[Testbed]:
    with Testbed.start(pachyderm=("1.13", "2.12")) as started:
        yield started


@pytest.fixture
def second(bed: Testbed) -> Pachyderm:
    return bed.pachyderm("2.12")


def create(pachyderm: Pachyderm, name: str) -> None:
    """A spout whose user code does nothing."""
    spec = {"pipeline": {"name": name}, "transform": {"image": "none:1", "cmd": ["sleep", "1000"]}, "spout": {}}
    pachyderm.pachctl("create", "pipeline", "-f", "-", input=json.dumps(spec))


def pipelines(pachyderm: Pachyderm) -> str:
    return pachyderm.pachctl("list", "pipeline").stdout


def processes(name: str) -> list[int]:
    """The process IDs of all processes of this name in the test bed."""
    found = []
    for comm in Path("/proc").glob("[0-9]*/comm"):
        try:
            if comm.read_text().strip() == name:
                found.append(int(comm.parent.name))
        except OSError:
            continue
    return found


def test_two_versions_run_side_by_side(bed: Testbed, second: Pachyderm) -> None:
    first = bed.pachyderm("1.13")
    assert (first.version, second.version) == ("1.13.4", "2.12.2")
    assert bed.pachd_address == first.address
    for pachyderm in (first, second):
        said = pachyderm.pachctl("version").stdout.split()
        assert said[-4:] == ["pachctl", pachyderm.version, "pachd", pachyderm.version]
        create(pachyderm, f"of-{pachyderm.version.replace('.', '-')}")
        pachyderm.workers.wait_running(f"of-{pachyderm.version.replace('.', '-')}")
    assert "of-2-12-2" not in pipelines(first)
    assert "of-1-13-4" not in pipelines(second)
    for pachyderm in (first, second):
        pods = bed.kubectl("get", "pods", "-n", pachyderm.namespace, "-l", "component=worker", "-o", "name")
        assert len(pods.stdout.splitlines()) == 1
        pachyderm.pachctl("delete", "pipeline", f"of-{pachyderm.version.replace('.', '-')}")


def test_a_version_that_was_not_requested_is_refused_with_the_way_to_request_it(bed: Testbed) -> None:
    with pytest.raises(TestbedError, match=r"Testbed\.start\(pachyderm='2\.8\.10'\)"):
        bed.pachyderm("2.8.10")


def test_a_spout_is_created_listed_stopped_started_and_deleted(second: Pachyderm) -> None:
    create(second, "short")
    second.workers.wait_running("short")
    second.pachctl("stop", "pipeline", "short")
    eventually(lambda: "paused" in pipelines(second), what="the pipeline to stop")
    eventually(lambda: not second.workers.running(), what="its worker to end")
    second.pachctl("start", "pipeline", "short")
    assert second.workers.wait_running("short").version == 1
    second.pachctl("delete", "pipeline", "short")
    assert "short" not in pipelines(second)
    eventually(lambda: not second.workers.running(), what="its worker to end")


def test_pachd_comes_back_with_its_data(second: Pachyderm) -> None:
    second.pachctl("create", "repo", "kept")
    second.pachctl("put", "file", "kept@master:/file", "-f", "-", input="content")
    killed = second.pachd.pid
    second.pachd.kill()
    second.pachd.start()
    assert second.pachd.pid != killed
    assert second.pachctl("get", "file", "kept@master:/file").stdout == "content"


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_postgres_ends_completely_and_comes_back_with_its_data(bed: Testbed, second: Pachyderm, how: str) -> None:
    second.pachctl("create", "repo", f"before-{how}")
    assert processes("postgres")
    getattr(bed.postgres, how)()
    assert not port_answers(POSTGRES_PORT, BED_ADDRESS)
    assert not processes("postgres")
    assert second.pachctl("list", "repo", check=False).returncode != 0
    bed.postgres.start()
    eventually(
        lambda: f"before-{how}" in second.pachctl("list", "repo", check=False).stdout,
        what="pachd to answer again",
        seconds=RECOVERY,
        details=second.pachd.tail,
    )


def test_postgres_stops_in_order(bed: Testbed) -> None:
    bed.postgres.start()
    bed.postgres.stop()
    assert bed.postgres.tail(1).endswith("database system is shut down")
    bed.postgres.start()
