"""A hundred Spouts, over the in-memory pachd: the real one stops at 16."""

from pathlib import Path

import pytest
import yaml

from spout_testbed import Testbed
from spout_testbed.harness.bodies import a_spec
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually
from tests.memory_pachd import MemoryPachd

BASE = Path(__file__).parents[3] / "deploy" / "base" / "deployment.yaml"
SPEC = a_spec({"spout.marker": "offset"})
NAMES = [f"spout-{number:03d}" for number in range(100)]
#: Seconds between two polls, here and in an installation.
TICK, DEFAULT_TICK = 1, 10
TICKS = 10


@pytest.fixture
def stopped_operator(bed: Testbed, rights: None, pachd: MemoryPachd, tmp_path: Path) -> OperatorProcess:
    return OperatorProcess(
        kubeconfig=bed.kubeconfig_for_account("spout-operator", "spout-operator"),
        pachd_address=pachd.address,
        log=tmp_path / "operator.log",
        flags=(f"--poll-interval={TICK}", f"--quiet-interval={TICK}", "--status-interval=5"),
    )


def test_a_hundred_spouts_fit_into_the_resource_requests_of_the_pod(
    operator: OperatorProcess, spouts: Spouts, pachd: MemoryPachd
) -> None:
    (container,) = yaml.safe_load(BASE.read_text())["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["requests"] == {"cpu": "50m", "memory": "128Mi"}
    for name in NAMES:
        spouts.create(name, SPEC)
    for name in NAMES:
        spouts.wait(name, "to be made", synced="True")
        pachd.come_up(name)
    for name in NAMES:
        spouts.wait(name, "to run", state="Running")
        # It proves that the code runs: the logs of the workers are read in turn, which takes longer.
        pachd.append_commit(name)
    for name in NAMES:
        spouts.wait(name, "to be ready", seconds=120, ready="True")

    ticks, cpu = pachd.calls["ListPipeline"], operator.cpu_seconds
    eventually(lambda: pachd.calls["ListPipeline"] >= ticks + TICKS, what="some ticks", seconds=10 * TICK * TICKS)
    used = (operator.cpu_seconds - cpu) / (pachd.calls["ListPipeline"] - ticks)

    assert operator.peak_memory < 128 * 1024 * 1024
    assert used / DEFAULT_TICK < 0.050, f"{used:.2f} s of CPU a tick"
