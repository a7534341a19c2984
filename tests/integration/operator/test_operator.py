"""The operator on a real API server, and with a pachd that fails."""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import grpc
import pytest
from kubernetes import client

from spout_testbed import Testbed
from spout_testbed.harness.bodies import a_spec
from spout_testbed.harness.operator_process import HTTP_PORT, OperatorProcess
from spout_testbed.harness.requests import spout_writes
from spout_testbed.harness.spouts import Spouts, message
from spout_testbed.waiting import eventually
from tests.memory_pachd import MemoryPachd

FINALIZER = "spout-operator.io/pipeline"
SPEC = a_spec({"spout.marker": "offset"})


def ready_spout(spouts: Spouts, pachd: MemoryPachd) -> dict[str, Any]:
    """Create the Spout `one`, and wait until it is ready."""
    made = spouts.create("one", SPEC)
    eventually(lambda: pachd.calls["CreatePipeline"], what="the pipeline")
    eventually(lambda: pachd.calls["InspectPipeline"] > 1, what="the answer to be taken")
    pachd.come_up("one")
    spouts.wait("one", "to be ready", ready="True")
    return made


def managers(body: dict[str, Any]) -> dict[str, set[str]]:
    """Which top-level fields each writer has set."""
    found: dict[str, set[str]] = {}
    for entry in body["metadata"]["managedFields"]:
        found.setdefault(entry["manager"], set()).update(entry["fieldsV1"])
    return found


def test_the_operator_writes_the_status_and_its_finalizer_and_nothing_else(
    operator: OperatorProcess, spouts: Spouts, pachd: MemoryPachd
) -> None:
    made = ready_spout(spouts, pachd)

    body = spouts.get("one")
    assert body is not None
    assert body["spec"] == made["spec"]
    assert body["metadata"]["generation"] == 1
    assert managers(body)["spout-operator"] == {"f:metadata", "f:status"}
    assert body["metadata"]["finalizers"] == [FINALIZER]
    assert not body["metadata"].get("annotations")


def test_the_operator_keeps_other_finalizers_and_restores_its_own(
    operator: OperatorProcess, spouts: Spouts, pachd: MemoryPachd
) -> None:
    ready_spout(spouts, pachd)

    spouts.patch("one", {"metadata": {"finalizers": ["example.org/theirs"]}})

    def both() -> bool:
        body = spouts.get("one")
        return body is not None and set(body["metadata"]["finalizers"]) == {"example.org/theirs", FINALIZER}

    eventually(both, what="both finalizers", details=lambda: spouts.details("one"))
    spouts.delete("one")
    eventually(lambda: pachd.calls["DeletePipeline"] == 1, what="the pipeline to be deleted")

    def only_theirs() -> bool:
        body = spouts.get("one")
        return body is not None and body["metadata"]["finalizers"] == ["example.org/theirs"]

    eventually(only_theirs, what="only theirs to be left", details=lambda: spouts.details("one"))


def test_a_pachd_that_hangs_does_not_hang_the_operator(
    operator: OperatorProcess, spouts: Spouts, pachd: MemoryPachd
) -> None:
    ready_spout(spouts, pachd)

    pachd.hang("ListPipeline")
    status = spouts.wait("one", "to say so", seconds=60, ready="Unknown", reason="PachydermUnreachable")
    assert "DEADLINE_EXCEEDED" in message(status)
    pachd.release("ListPipeline")

    spouts.wait("one", "to be well again", seconds=60, ready="True")


def test_many_spouts_at_once_make_one_pipeline_each_and_a_restart_writes_nothing(
    operator: OperatorProcess, spouts: Spouts, pachd: MemoryPachd, bed: Testbed
) -> None:
    names = [f"spout-{number:03d}" for number in range(60)]
    for name in names:
        spouts.create(name, SPEC)
    eventually(lambda: pachd.calls["CreatePipeline"] >= len(names), what="all pipelines", seconds=60)
    for name in names:
        eventually(lambda name=name: spouts.wait(name, "to be made", synced="True"), what=name)  # type: ignore[misc] # a default that binds
        pachd.come_up(name)
    for name in names:
        spouts.wait(name, "to be ready", seconds=60, ready="True")
    assert pachd.calls["CreatePipeline"] == len(names)

    writes = spout_writes(bed)
    operator.stop()
    pachd.calls.reset()
    operator.start()
    eventually(lambda: pachd.calls["InspectPipeline"] >= len(names), what="a look at each", seconds=60)
    ticks = pachd.calls["ListPipeline"]
    eventually(lambda: pachd.calls["ListPipeline"] >= ticks + 3, what="some ticks more")

    assert spout_writes(bed) == writes
    assert pachd.calls["CreatePipeline"] == 0
    assert pachd.calls["InspectPipeline"] == len(names)
    assert pachd.calls["ListCommitStream"] == 0


def test_a_termination_signal_ends_the_operator_quickly_with_code_zero(
    operator: OperatorProcess, spouts: Spouts, pachd: MemoryPachd
) -> None:
    ready_spout(spouts, pachd)

    begin = time.monotonic()
    code = operator.stop()

    assert code == 0
    assert time.monotonic() - begin < 5
    assert operator.log.read_text().rstrip().endswith("stopped")


def test_the_operator_watches_only_the_named_namespaces(  # noqa: PLR0917 - fixtures
    bed: Testbed, rights: None, namespace: str, kube: client.ApiClient, pachd: MemoryPachd, tmp_path: Any
) -> None:
    elsewhere = Spouts(kube, "default", tmp_path / "operator.log")
    here = Spouts(kube, namespace, tmp_path / "operator.log")
    process = OperatorProcess(
        kubeconfig=bed.kubeconfig_for_account("spout-operator", "spout-operator"),
        pachd_address=pachd.address,
        log=tmp_path / "operator.log",
        flags=(f"--namespace={namespace}",),
    )
    role = ("--verb=get", "--resource=namespaces", f"--resource-name={namespace}")
    bed.kubectl("create", "role", "namespace", *role, "-n", namespace)
    account = "--serviceaccount=spout-operator:spout-operator"
    bed.kubectl("create", "rolebinding", "namespace", "--role=namespace", account, "-n", namespace)
    elsewhere.create("not-watched", SPEC)
    with process:
        here.create("watched", SPEC)
        here.wait("watched", "to be made", synced="True")

    untouched = elsewhere.get("not-watched")
    elsewhere.delete("not-watched")
    assert untouched is not None
    assert untouched["status"] == {"observedGeneration": -1}
    assert "finalizers" not in untouched["metadata"]


def test_a_write_that_fails_for_a_moment_is_retried(
    operator: OperatorProcess, spouts: Spouts, pachd: MemoryPachd
) -> None:
    pachd.fail("CreatePipeline", grpc.StatusCode.UNAVAILABLE, "try again")
    spouts.create("one", SPEC)

    spouts.wait("one", "to be made in the end", synced="True")

    assert pachd.calls["CreatePipeline"] == 2


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        pytest.param(("--pachd-address=pachd:650",), "expected grpc://HOST:PORT", id="an address without a scheme"),
        pytest.param(("--pachd-token-file=/nowhere",), "does not exist", id="a token file that is not there"),
        pytest.param(("--http-port=http",), "is not a valid integer", id="a port that is none"),
    ],
)
def test_a_wrong_flag_ends_the_operator_with_a_message(
    stopped_operator: OperatorProcess, flags: tuple[str, ...], said: str
) -> None:
    stopped_operator.launch(*flags)

    assert stopped_operator.wait() == 2
    assert said in stopped_operator.log.read_text()


def test_a_port_in_use_ends_the_operator_with_a_message(stopped_operator: OperatorProcess) -> None:
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        stopped_operator.launch(f"--http-port={port}")
        assert stopped_operator.wait() == 2

    said = stopped_operator.log.read_text()
    assert f"cannot listen on the port {port} (" in said
    assert "name one that is free with --http-port" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("just text", id="text"),
        pytest.param("key: [", id="broken YAML"),
        pytest.param("apiVersion: v1\nkind: Config\n", id="a kubeconfig without a context"),
    ],
)
def test_a_malformed_kubeconfig_ends_the_operator_with_a_message(
    stopped_operator: OperatorProcess, tmp_path: Path, content: str
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text(content)

    stopped_operator.launch(f"--kubeconfig={wrong}")

    assert stopped_operator.wait() == 2
    said = stopped_operator.log.read_text()
    assert "no usable kubeconfig" in said
    assert "Traceback" not in said


def test_missing_rights_end_the_operator_with_a_message(
    bed: Testbed, crd: str, pachd: MemoryPachd, tmp_path: Any
) -> None:
    process = OperatorProcess(
        kubeconfig=bed.kubeconfig_for("developer"), pachd_address=pachd.address, log=tmp_path / "operator.log"
    )
    process.launch()

    assert process.wait() == 2
    assert "the overlays of deploy/, or the chart with rbac.create=true, grant it" in process.log.read_text()


def test_an_older_crd_ends_the_operator_with_the_name_of_the_missing_field(
    bed: Testbed, stopped_operator: OperatorProcess
) -> None:
    crd = json.loads(bed.kubectl("get", "crd", "spouts.spout-operator.io", "-o", "json").stdout)
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/restartNonce"
    field = schema["properties"]["restartNonce"]
    remove = json.dumps([{"op": "remove", "path": path}])
    bed.kubectl("patch", "crd", "spouts.spout-operator.io", "--type=json", "-p", remove)
    try:
        stopped_operator.launch()
        assert stopped_operator.wait() == 2
    finally:
        put_back = [{"op": "add", "path": path, "value": field}]
        bed.kubectl("patch", "crd", "spouts.spout-operator.io", "--type=json", "-p", json.dumps(put_back))

    said = stopped_operator.log.read_text()
    assert "is older than this operator: it lacks spec.restartNonce; update it: `kubectl apply" in said
    assert "Traceback" not in said


def test_a_missing_namespace_is_named_in_a_message(
    bed: Testbed, rights: None, pachd: MemoryPachd, tmp_path: Path
) -> None:
    """Once for an account that may read all namespaces, and once for the operator's own account."""
    told = {
        bed.kubeconfig: "the cluster does not have the namespace 'nowhere' (--namespace); make it first",
        bed.kubeconfig_for_account("spout-operator", "spout-operator"): (
            "may not get the namespace 'nowhere' (--namespace); it is not there, or has no Role for the operator"
        ),
    }
    for number, (kubeconfig, said) in enumerate(told.items()):
        process = OperatorProcess(
            kubeconfig=kubeconfig,
            pachd_address=pachd.address,
            log=tmp_path / f"{number}.log",
            flags=("--namespace=nowhere",),
        )
        process.launch()

        assert process.wait() == 2
        assert said in process.log.read_text()


def test_the_check_command_finds_a_ready_operator_and_an_api_server_that_accepts_spouts(
    operator: OperatorProcess, bed: Testbed, namespace: str
) -> None:
    done = check(bed, f"http://127.0.0.1:{HTTP_PORT}", namespace)

    assert done.returncode == 0, done.stderr
    assert "the operator is ready" in done.stdout
    assert "[+]watch ok" in done.stdout
    assert "the API server takes Spouts" in done.stdout
    assert bed.kubectl("get", "spouts", "-n", namespace).stdout == "", "it was a dry run"


def test_the_check_command_reports_an_operator_that_does_not_answer(bed: Testbed, crd: str, namespace: str) -> None:
    done = check(bed, "http://127.0.0.1:9", namespace)

    assert done.returncode == 1
    assert "the operator does not answer at http://127.0.0.1:9/readyz" in done.stderr


def test_a_watch_and_queues_that_move_are_live(operator: OperatorProcess, spouts: Spouts, pachd: MemoryPachd) -> None:
    ready_spout(spouts, pachd)

    assert (
        operator.get("/livez")
        == "[+]poller ok\n[+]queue reconcile ok\n[+]queue status ok\n[+]queue log ok\n[+]watch ok\n"
    )


def check(bed: Testbed, url: str, namespace: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("spout-operator")
    argv = [str(program), "check", f"--url={url}", f"--namespace={namespace}", f"--kubeconfig={bed.kubeconfig}"]
    argv.append("--patience=1")
    return subprocess.run(argv, capture_output=True, text=True, check=False)  # noqa: S603 - ours
