"""The command of the Pod of `helm test`, with its arguments and its rights. The Pod itself would need a kubelet."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from spout_testbed import Testbed
from spout_testbed.harness import audit
from spout_testbed.harness.cluster import wait_for_crd
from spout_testbed.harness.operator_process import HTTP_PORT, OperatorProcess
from spout_testbed.waiting import eventually
from tests.memory_pachd import MemoryPachd
from tests.packaging.chart.charts import CHART, Manifest, of_kind
from tests.packaging.chart.conftest import RunHelm

RELEASE = "spout-operator"


@pytest.fixture
def hooks(bed: Testbed, namespace: str, helm: RunHelm) -> list[Manifest]:
    """Install the release and the hooks of its test, except the Pod."""
    done = helm("install", RELEASE, str(CHART))
    assert done.returncode == 0, done.stderr
    wait_for_crd(bed)
    found = [one for one in yaml.safe_load_all(helm("get", "hooks", RELEASE).stdout) if one]
    rights = of_kind(found, "ServiceAccount", "Role", "RoleBinding")
    assert len(rights) == 3
    bed.kubectl("apply", "-f", "-", input=yaml.safe_dump_all(rights))
    return found


def run_pod(
    bed: Testbed, hooks: list[Manifest], namespace: str, *, patience: int = 30
) -> subprocess.CompletedProcess[str]:
    """Run the command of the Pod, with its account."""
    (pod,) = of_kind(hooks, "Pod")
    (container,) = pod["spec"]["containers"]
    service = f"http://{RELEASE}.{namespace}.svc:8080"
    arguments = [one.replace(service, f"http://127.0.0.1:{HTTP_PORT}") for one in container["args"]]
    assert arguments != container["args"]
    kubeconfig = bed.kubeconfig_for_account(namespace, pod["spec"]["serviceAccountName"])
    argv = [str(Path(sys.executable).with_name("spout-operator")), *arguments, f"--patience={patience}"]
    return subprocess.run(  # noqa: S603 - ours
        [*argv, f"--kubeconfig={kubeconfig}"], capture_output=True, text=True, check=False
    )


@pytest.fixture
def pachd() -> MemoryPachd:
    return MemoryPachd()


def an_operator(bed: Testbed, namespace: str, pachd: MemoryPachd, log: Path) -> OperatorProcess:
    return OperatorProcess(
        kubeconfig=bed.kubeconfig_for_account(namespace, RELEASE), pachd_address=pachd.address, log=log
    )


def test_helm_test_reports_what_it_checked_and_needs_its_only_right(
    bed: Testbed, namespace: str, hooks: list[Manifest], pachd: MemoryPachd, tmp_path: Path
) -> None:
    mark = audit.size(bed.audit_log)
    with pachd, an_operator(bed, namespace, pachd, tmp_path / "log"):
        done = run_pod(bed, hooks, namespace)

        assert done.returncode == 0, done.stderr
        assert "the operator is ready" in done.stdout
        assert "Pachyderm answers the operator" in done.stdout
        assert f"the API server takes Spouts: {namespace}/check-" in done.stdout
        account = f"system:serviceaccount:{namespace}:{RELEASE}-test"
        asked = [one for one in audit.requests(bed.audit_log, since=mark) if one.user == account]
        assert [(one.verb, one.resource, one.status) for one in asked] == [("create", "spouts", 201)]
        assert bed.kubectl("get", "spouts", "-n", namespace).stdout == "", "it was a dry run"

        bed.kubectl("patch", "role", f"{RELEASE}-test", "-n", namespace, "--type=merge", "-p", '{"rules": []}')
        refused = eventually(
            lambda: found if (found := run_pod(bed, hooks, namespace, patience=0)).returncode else None,
            what="a refusal without the right",
        )
        assert "could not try a Spout: the API server answered 403" in refused.stderr


def test_helm_test_reports_a_pachyderm_that_does_not_answer(
    bed: Testbed, namespace: str, hooks: list[Manifest], pachd: MemoryPachd, tmp_path: Path
) -> None:
    with pachd:
        pass
    with an_operator(bed, namespace, pachd, tmp_path / "log"):
        done = run_pod(bed, hooks, namespace, patience=5)

    assert done.returncode == 1
    assert "the operator is ready, but Pachyderm does not answer it; its log says why" in done.stderr
