"""The policy from the values of a release to the operator that runs: a change takes no restart."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from spout_testbed import Testbed
from spout_testbed.builds import kubectl_program
from spout_testbed.harness.bodies import a_spec
from spout_testbed.harness.cluster import administrator, wait_for_crd
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually
from tests.memory_pachd import MemoryPachd
from tests.packaging.chart.charts import CHART
from tests.packaging.chart.conftest import RunHelm
from tests.packaging.chart.volumes import ConfigMapVolume

RELEASE, CONFIG_MAP, FILE = "spout-operator", "spout-operator-policy", "policy.yaml"
PLAIN = a_spec({"spout.marker": "offset"})
WITH_A_SECRET = a_spec({"transform.secrets": [{"name": "kafka", "mountPath": "/etc/kafka"}]})


@pytest.fixture
def pachd() -> Iterator[MemoryPachd]:
    with MemoryPachd() as pachd:
        yield pachd


@dataclass(frozen=True, kw_only=True)
class Release:
    """The installed chart, and the volume with its policy."""

    bed: Testbed
    namespace: str
    helm: RunHelm
    major: int
    volume: ConfigMapVolume

    def upgrade(self, *arguments: str) -> None:
        """Upgrade it; the kubelet brings the policy to the Pod."""
        # Helm 4 applies on the server's side, where an edit by hand is a conflict.
        force = ["--force-conflicts"] if self.major == 4 else []
        done = self.helm("upgrade", RELEASE, str(CHART), *arguments, *force, major=self.major)
        assert done.returncode == 0, done.stderr
        self.mount()

    def edit(self, policy: str) -> None:
        """Write another policy into the ConfigMap by hand."""
        patch = json.dumps({"data": {FILE: policy}})
        self.bed.kubectl("patch", "configmap", CONFIG_MAP, "-n", self.namespace, "--type=merge", "-p", patch)
        self.mount()

    def mount(self) -> Path:
        """Bring the ConfigMap to the Pod; returns the path of the policy there."""
        found = self.bed.kubectl("get", "configmap", CONFIG_MAP, "-n", self.namespace, "-o", "json").stdout
        self.volume.write(json.loads(found)["data"])
        return self.volume.file(FILE)


@pytest.fixture(params=[3, 4], ids=["helm3", "helm4"])
def release(request: pytest.FixtureRequest, bed: Testbed, namespace: str, helm: RunHelm, tmp_path: Path) -> Release:
    done = helm("install", RELEASE, str(CHART), major=request.param)
    assert done.returncode == 0, done.stderr
    wait_for_crd(bed)
    volume = ConfigMapVolume(tmp_path / "config")
    return Release(bed=bed, namespace=namespace, helm=helm, major=request.param, volume=volume)


@pytest.fixture
def operator(release: Release, pachd: MemoryPachd, tmp_path: Path) -> Iterator[OperatorProcess]:
    process = OperatorProcess(
        kubeconfig=release.bed.kubeconfig_for_account(release.namespace, RELEASE),
        pachd_address=pachd.address,
        log=tmp_path / "operator.log",
        environment={"SPOUT_OPERATOR_POLICY": str(release.mount())},
    )
    with process:
        yield process
        release.bed.kubectl("delete", "spouts", "--all", "-n", release.namespace)


@pytest.fixture
def spouts(release: Release, operator: OperatorProcess) -> Iterator[Spouts]:
    with administrator(release.bed) as api_client:
        yield Spouts(api_client, release.namespace, operator.log)


def test_an_upgrade_that_opens_the_policy_lets_a_denied_spout_through_without_a_restart(
    release: Release, spouts: Spouts, pachd: MemoryPachd
) -> None:
    spouts.create("one", WITH_A_SECRET)
    spouts.wait("one", "to be denied", stalled="True", reason="PolicyDenied")
    assert pachd.calls["CreatePipeline"] == 0

    release.upgrade("--set", "policy.preset=trusted")

    spouts.wait("one", "to be made", synced="True")


def test_an_edit_by_hand_that_is_wrong_opens_and_closes_nothing_and_the_next_upgrade_mends_it(
    release: Release, operator: OperatorProcess, spouts: Spouts
) -> None:
    release.edit("rules: everything")
    is_valid(operator, 0)

    spouts.create("plain", PLAIN)
    spouts.create("one", WITH_A_SECRET)

    spouts.wait("plain", "to be made", synced="True")
    spouts.wait("one", "to be denied", stalled="True", reason="PolicyDenied")
    rules = json.dumps([{"namespaces": [release.namespace], "pipelineNames": ["*"], "secrets": ["kaf*"]}])
    release.upgrade("--set-json", f"policy.rules={rules}")
    is_valid(operator, 1)
    spouts.wait("one", "to be made", synced="True")


def is_valid(operator: OperatorProcess, value: int) -> None:
    """Wait until the operator says so of its policy file."""
    eventually(
        lambda: f"spout_operator_policy_file_valid {value}.0" in operator.get("/metrics"),
        what=f"the policy file to be valid: {value}",
        details=operator.log.read_text,
    )


def test_the_command_of_the_readme_finds_what_the_default_denies(bed: Testbed, namespace: str, helm: RunHelm) -> None:
    section = (CHART / "README.md").read_text().partition("### Who may create Spouts")[2].partition("\n### ")[0]
    (command,) = re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert helm("install", RELEASE, str(CHART)).returncode == 0
    wait_for_crd(bed)
    with administrator(bed) as api_client:
        spouts = Spouts(api_client, namespace)
        spouts.create("plain", PLAIN)
        spouts.create("one", WITH_A_SECRET)
        spouts.create("two", a_spec({"transform.imagePullSecrets": ["registry"], "podPatch": "[]"}))
        spouts.create("three", a_spec({"spout.service": {"internalPort": 8080}}))

    kubectl = command.replace("kubectl", f"{kubectl_program()} --kubeconfig={bed.kubeconfig}", 1)
    done = subprocess.run(["/bin/bash", "-c", kubectl], capture_output=True, text=True, check=False)  # noqa: S603 - ours
    bed.kubectl("delete", "spouts", "--all", "-n", namespace)

    table = {name: rest for where, name, *rest in map(str.split, done.stdout.splitlines()) if where == namespace}
    assert table == {
        "plain": ["<none>"] * 4,
        "one": ["kafka", "<none>", "<none>", "<none>"],
        "two": ["<none>", "[registry]", "[]", "<none>"],
        "three": ["<none>", "<none>", "<none>", "map[internalPort:8080]"],
    }, done.stderr
