"""deploy/flux on a real kube-apiserver, by Flux's own libraries: built, applied, waited for, applied again.

No kubelet runs here, so nothing waits for the operator's Deployment: the operator runs as a process, with just the
rights that Flux has applied.
"""

import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from spout_operator import __version__
from spout_operator.core.model import PipelineState
from spout_testbed import Testbed
from spout_testbed.harness.cluster import administrator
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts
from spout_testbed.programs import run
from spout_testbed.waiting import eventually
from tests.memory_pachd import MemoryPachd

ROOT = Path(__file__).parents[3]
NAMESPACE, NAME = "ingest", "my-spout"
#: One waits by kstatus, the other by expressions.
FILES = ("operator.yaml", "spouts-with-expressions.yaml")


class Flux:
    """A repository laid out as deploy/flux expects, and Flux, which applies it."""

    def __init__(self, bed: Testbed, root: Path) -> None:
        self._bed = bed
        self.root = root
        shutil.copytree(ROOT / "deploy", root / "deploy")
        shutil.copytree(ROOT / "crds", root / "crds")
        self.spout = root / "spouts" / "my-spout.yaml"
        self.spout.parent.mkdir()
        shutil.copy(ROOT / "examples" / "my-spout.yaml", self.spout)
        (root / "spouts" / "kustomization.yaml").write_text("resources: [my-spout.yaml]\n")

    def apply(self, file: str, name: str, **spec: object) -> subprocess.CompletedProcess[str]:
        """Apply a Kustomization of deploy/flux, with some of its fields changed."""
        found = list(yaml.safe_load_all((ROOT / "deploy" / "flux" / file).read_text()))
        for one in found:
            one["spec"].update({"timeout": "60s", **spec})
        (self.root / "applied.yaml").write_text(yaml.safe_dump_all(found))
        # Flux works on its own unpacked artifact: what it writes there is gone the next time.
        with_artifact = Path(shutil.copytree(self.root, self.root.with_name("artifact"), dirs_exist_ok=True))
        environment = {"KUBECONFIG": str(self._bed.kubeconfig)}
        return run("flux", "apply", str(self.root / "applied.yaml"), name, str(with_artifact), environment=environment)


@pytest.fixture(scope="module")
def bed() -> Iterator[Testbed]:
    with Testbed.start() as bed:
        bed.kubectl("create", "namespace", NAMESPACE)
        yield bed


@pytest.fixture
def flux(bed: Testbed, tmp_path: Path) -> Flux:
    """Apply the operator without the wait for its Deployment."""
    flux = Flux(bed, tmp_path / "repository")
    done = flux.apply("operator.yaml", "spout-operator", wait=False)
    assert done.returncode == 0, done.stderr
    return flux


@pytest.fixture
def pachd() -> Iterator[MemoryPachd]:
    with MemoryPachd() as pachd:
        yield pachd


@pytest.fixture
def operator(bed: Testbed, flux: Flux, pachd: MemoryPachd, tmp_path: Path) -> Iterator[OperatorProcess]:
    kubeconfig = bed.kubeconfig_for_account("spout-operator", "spout-operator")
    with OperatorProcess(kubeconfig=kubeconfig, pachd_address=pachd.address, log=tmp_path / "operator.log") as operator:
        yield operator
        bed.kubectl("delete", "spouts", "--all", "-n", NAMESPACE)


@pytest.fixture
def spouts(bed: Testbed, operator: OperatorProcess) -> Iterator[Spouts]:
    with administrator(bed) as kube:
        yield Spouts(kube, NAMESPACE, operator.log)


def come_up(pachd: MemoryPachd) -> None:
    eventually(lambda: pachd.calls["CreatePipeline"], what="the pipeline")
    eventually(lambda: pachd.calls["InspectPipeline"] > 1, what="the answer to be taken")
    pachd.come_up(NAME)


def test_flux_applies_the_operator_with_its_patches(bed: Testbed, flux: Flux) -> None:
    container = "{.spec.template.spec.containers[0]"
    path = f"-o=jsonpath={container}.image}} {container}.env[?(@.name=='SPOUT_OPERATOR_PACHD_ADDRESS')].value}}"
    found = bed.kubectl("get", "deployment", "spout-operator", "-n", "spout-operator", path).stdout
    assert found == f"registry.example/spout-operator:{__version__} grpc://pachd.pachyderm:650"

    again = flux.apply("operator.yaml", "spout-operator", wait=False)

    assert again.returncode == 0, again.stderr
    assert {line.rpartition(" ")[2] for line in again.stdout.splitlines()} == {"unchanged"}, again.stdout


@pytest.mark.parametrize("file", FILES)
def test_flux_waits_until_the_spout_is_ready_and_then_changes_nothing(
    flux: Flux, spouts: Spouts, pachd: MemoryPachd, file: str
) -> None:
    with ThreadPoolExecutor(1) as beside:
        waiting = beside.submit(flux.apply, file, "spouts")
        spouts.wait(NAME, "to be made", synced="True")
        with pytest.raises(TimeoutError):
            waiting.result(timeout=2)

        come_up(pachd)

        first = waiting.result()
    assert first.returncode == 0, first.stderr
    assert first.stdout == f"Spout/{NAMESPACE}/{NAME} created\n"
    before = spouts.get(NAME)
    for _ in range(20):
        again = flux.apply(file, "spouts")
        assert again.stdout == f"Spout/{NAMESPACE}/{NAME} unchanged\n", again.stderr
    assert spouts.get(NAME) == before
    assert pachd.calls["CreatePipeline"] == 1


@pytest.mark.parametrize("file", FILES)
def test_flux_waits_for_a_spout_that_no_operator_has_seen(bed: Testbed, flux: Flux, file: str) -> None:
    done = flux.apply(file, "spouts", timeout="3s")
    bed.kubectl("delete", "spouts", "--all", "-n", NAMESPACE)

    assert done.returncode == 1
    assert f"timeout waiting for: [Spout/{NAMESPACE}/{NAME} status: 'InProgress'" in done.stderr


@pytest.mark.parametrize("file", FILES)
def test_flux_fails_at_once_where_a_person_has_to_act(
    flux: Flux, spouts: Spouts, pachd: MemoryPachd, file: str
) -> None:
    flux.apply(file, "spouts", wait=False)
    come_up(pachd)
    spouts.wait(NAME, "to be ready", ready="True")
    pachd.set_state(NAME, PipelineState.FAILURE, "out of memory")
    spouts.wait(NAME, "to be stalled", stalled="True")

    done = flux.apply(file, "spouts")

    assert done.returncode == 1
    assert f"failed early due to stalled resources: [Spout/{NAMESPACE}/{NAME} status: 'Failed'" in done.stderr


def test_flux_waits_for_an_edit_in_git_and_names_the_field_of_a_refused_one(
    flux: Flux, spouts: Spouts, pachd: MemoryPachd
) -> None:
    flux.apply("operator.yaml", "spouts", wait=False)
    come_up(pachd)
    spouts.wait(NAME, "to be ready", ready="True")
    written = flux.spout.read_text()

    flux.spout.write_text(written.replace("myimage:0.1", "myimage:0.2"))
    with ThreadPoolExecutor(1) as beside:
        waiting = beside.submit(flux.apply, "operator.yaml", "spouts")
        eventually(lambda: pachd.calls["CreatePipeline"] == 2, what="the update of the pipeline")
        spouts.wait(NAME, "to be updated", ready="False", version=2)
        assert not waiting.done()
        come_up(pachd)
        edited = waiting.result()
    assert edited.stdout == f"Spout/{NAMESPACE}/{NAME} configured\n", edited.stderr
    assert edited.returncode == 0

    flux.spout.write_text(written.replace("marker: offset", "marker: position"))
    refused = flux.apply("operator.yaml", "spouts")
    assert refused.returncode == 1
    assert "spec.spout.marker" in refused.stderr
