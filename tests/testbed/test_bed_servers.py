"""The real servers start together, can be killed, and come back with their data."""

from collections.abc import Iterator

import pytest

from spout_testbed import Server, Testbed, TestbedError
from spout_testbed.network import BED_ADDRESS, KAFKA_PORT, port_answers


@pytest.fixture(scope="module")
def bed() -> Iterator[Testbed]:
    with Testbed.start(pachyderm="1.13", kafka=True) as started:
        yield started


def test_every_server_runs_at_its_address(bed: Testbed) -> None:
    servers = [bed.etcd, bed.apiserver, bed.pachd, bed.kafka]
    assert all(server.is_running for server in servers)
    assert len({server.pid for server in servers}) == 4
    assert bed.pachd_address == "grpc://127.0.0.1:30650"
    assert bed.kafka_bootstrap == f"{BED_ADDRESS}:{KAFKA_PORT}"
    assert "1.13.4" in bed.pachctl("version").stdout


def test_kubectl_reads_input_and_reports_failure(bed: Testbed) -> None:
    manifest = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "from-input"}}'
    assert "configmap/from-input" in bed.kubectl("create", "-f", "-", "-o", "name", input=manifest).stdout
    with pytest.raises(TestbedError, match=r"(?s)`kubectl get configmap nope` ended with exit code 1.*NotFound"):
        bed.kubectl("get", "configmap", "nope")
    assert bed.kubectl("get", "configmap", "nope", check=False).returncode == 1


@pytest.mark.parametrize(("user", "answer"), [("admin", "yes"), ("operator", "no"), ("developer", "no")])
def test_only_the_administrator_has_rights_from_the_start(bed: Testbed, user: str, answer: str) -> None:
    config = str(bed.kubeconfig_for(user))
    asked = bed.kubectl("--kubeconfig", config, "auth", "can-i", "list", "pods", check=False)
    assert asked.stdout.strip() == answer
    who = bed.kubectl("--kubeconfig", config, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
    assert who.stdout == user


def test_an_unknown_user_is_refused(bed: Testbed) -> None:
    with pytest.raises(TestbedError, match="admin, operator, developer"):
        bed.kubeconfig_for("root")


def test_pachd_comes_back_with_its_data(bed: Testbed) -> None:
    bed.pachctl("create", "repo", "kept")
    bed.pachctl("put", "file", "kept@master:/file", "-f", "-", input="content")
    killed = bed.pachd.pid
    bed.pachd.kill()
    assert not port_answers(30650)
    bed.pachd.start()
    assert bed.pachd.pid != killed
    assert bed.pachctl("get", "file", "kept@master:/file").stdout == "content"


@pytest.mark.parametrize("name", ["apiserver", "etcd"])
def test_the_cluster_comes_back_with_its_data(bed: Testbed, name: str) -> None:
    bed.kubectl("create", "configmap", f"kept-over-{name}")
    server: Server = getattr(bed, name)
    server.kill()
    assert bed.kubectl("--request-timeout=1s", "get", "configmaps", check=False).returncode != 0
    server.start()
    assert f"kept-over-{name}" in bed.kubectl("get", "configmaps").stdout


def test_kafka_comes_back_after_a_kill(bed: Testbed) -> None:
    bed.kafka.kill()
    assert not port_answers(KAFKA_PORT, BED_ADDRESS)
    bed.kafka.start()
    assert port_answers(KAFKA_PORT, BED_ADDRESS)


def test_only_one_test_bed_runs_at_a_time(bed: Testbed) -> None:
    with pytest.raises(TestbedError, match="another test bed runs here"):
        Testbed.start()
    assert bed.apiserver.is_running
