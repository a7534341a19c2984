"""Prints the figures of docs/benchmarks.md, side by side in one run. Runs inside a test bed.

Nothing here passes or fails. On a shared machine only the ratios of times are meaningful, and tests check the counts.
"""

import concurrent.futures
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.figures import show
from spout_operator.pachyderm.v1.sdk import Client, pps_pb2
from spout_testbed import Testbed
from spout_testbed.harness.bodies import a_spec, a_spout
from spout_testbed.harness.cluster import administrator, install
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.requests import pachd_calls, spout_writes
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually

#: One less than the limit of the Community Edition of Pachyderm 1.13.
SPOUTS = 15
ROUNDS = 3
POLL_INTERVAL = 2.0
IDLE_POLLS = 10
#: The command idles, so that the figures are those of the operator.
COMMAND = ["sleep", "1000000"]
SPEC = a_spec({"transform.image": "none", "transform.cmd": COMMAND, "spout.marker": "offset"})
NAMES = [f"spout-{number:02d}" for number in range(SPOUTS)]
_DURATION = re.compile(r'pps\.API\.CreatePipeline \{"duration":([0-9.e-]+),"request":\{"pipeline":\{"name":"([^"]+)"\}')


def main() -> None:
    """Measure, and print the figures."""
    with Testbed.start(pachyderm="1.13") as bed:
        install(bed)
        pachyderm = Client.new_from_pachd_address(bed.pachd_address)
        log = Path(tempfile.mkstemp(prefix="operator-")[1])
        operator = OperatorProcess(
            kubeconfig=bed.kubeconfig,
            pachd_address=bed.pachd_address,
            log=log,
            flags=(f"--poll-interval={POLL_INTERVAL}", "--quiet-interval=300", "--status-interval=1"),
        )
        with administrator(bed) as api_client:
            spouts = Spouts(api_client, "default", log)
            started = time.monotonic()
            with operator:
                ready = time.monotonic() - started
                bursts(bed, pachyderm, spouts)
                at_rest(bed, spouts, operator)
                again(bed, operator)
        show("start-up: process start to /readyz answering 200", f"{ready:.2f} s")


def bursts(bed: Testbed, pachyderm: Client, spouts: Spouts) -> None:
    """Measure 15 Spouts at once against a bare loop of 15 calls, in turns, so that both run on the same machine."""
    ratios = []
    for number in range(ROUNDS):
        bare = bare_loop(pachyderm)
        through = burst(bed, pachyderm, spouts)
        ratios.append(through / bare)
        show(
            f"round {number + 1}: {SPOUTS} pipelines",
            f"bare loop {bare:.2f} s, 15 Spouts until the last CreatePipeline {through:.2f} s, ratio {ratios[-1]:.2f}",
        )
        if number + 1 < ROUNDS:
            clear(spouts)
    show("ratio, median", f"{sorted(ratios)[len(ratios) // 2]:.2f}")


def bare_loop(pachyderm: Client) -> float:
    """Seconds for 15 calls of python-pachyderm, one after the other."""
    begin = time.time()
    for name in NAMES:
        pachyderm.create_pipeline(
            name,
            pps_pb2.Transform(image="none", cmd=COMMAND),
            spout=pps_pb2.Spout(marker="offset"),
            parallelism_spec=pps_pb2.ParallelismSpec(constant=1),
        )
    took = time.time() - begin
    for name in NAMES:
        pachyderm.delete_pipeline(name)
    return took


def burst(bed: Testbed, pachyderm: Client, spouts: Spouts) -> float:
    """Seconds from before the first Spout is sent until pachd answers the last CreatePipeline, as its log says."""
    mark = len(bed.pachd.log.read_text())
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        begin = time.time()
        list(pool.map(lambda name: spouts.create(name, SPEC), NAMES))

        def answered() -> dict[str, float] | None:
            found = {name: float(took) for took, name in _DURATION.findall(bed.pachd.log.read_text()[mark:])}
            return found if len(found) == SPOUTS else None

        durations = eventually(answered, what="15 answered calls", details=lambda: spouts.details(NAMES[0]))
    infos = {info.pipeline.name: info for info in pachyderm.list_pipeline().pipeline_info}
    ends: list[float] = [
        infos[name].created_at.seconds + infos[name].created_at.nanos / 1e9 + durations[name] for name in NAMES
    ]
    return max(ends) - begin


def at_rest(bed: Testbed, spouts: Spouts, operator: OperatorProcess) -> None:
    """Print what 15 Spouts at rest cost in ten polls."""
    for name in NAMES:
        spouts.wait(name, "to be ready", seconds=300, ready="True")
    # The operator observes a pipeline that starts until its worker answers, which takes a while with 15 workers on two
    # cores.
    eventually(lambda: is_quiet(bed), what="no more observations of single pipelines", seconds=180)
    calls, writes, cpu = pachd_calls(bed.pachd.log), spout_writes(bed), operator.cpu_seconds
    begin = time.monotonic()
    rest(bed, IDLE_POLLS)
    wall = time.monotonic() - begin
    made = pachd_calls(bed.pachd.log) - calls
    polls = made["pps.API.ListPipeline"]
    heads = made["pfs.API.ListBranch"]
    show("at rest, 15 Spouts: writes to the API server", str(sum((spout_writes(bed) - writes).values())))
    show(
        f"at rest, calls to pachd in {polls} polls",
        f"{polls} ListPipeline, {heads} ListBranch ({heads / polls / SPOUTS:.2f} per Spout and poll), "
        f"{made['pps.API.InspectPipeline']} InspectPipeline",
    )
    show(
        "at rest, CPU",
        f"{100 * (operator.cpu_seconds - cpu) / wall:.1f} % of one core at a poll interval of {POLL_INTERVAL:g} s",
    )
    show("memory at 15 Spouts", f"{operator.memory / 1e6:.0f} MB (peak {operator.peak_memory / 1e6:.0f} MB)")


def again(bed: Testbed, operator: OperatorProcess) -> None:
    """Print the cost of applying the same manifests again, and of restarting the operator."""
    calls, writes = pachd_calls(bed.pachd.log), spout_writes(bed)
    listing = {
        "apiVersion": "v1",
        "kind": "List",
        "items": [a_spout(name=name, namespace="default", spec=SPEC) for name in NAMES],
    }
    bed.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", input=json.dumps(listing))
    users = spout_writes(bed) - writes
    operator.stop()
    operator.start()
    rest(bed, 3)
    made = pachd_calls(bed.pachd.log) - calls
    show(
        "same manifests applied again, and operator restarted",
        f"{made['pps.API.CreatePipeline']} CreatePipeline/UpdatePipeline, "
        f"{(spout_writes(bed) - writes)['PATCH status']} status patches",
    )
    show("  (the writes of kubectl apply itself", f"{dict(users)})")


def clear(spouts: Spouts) -> None:
    """Delete all Spouts, with their pipelines."""
    for name in NAMES:
        spouts.delete(name)
    for name in NAMES:
        spouts.wait_gone(name)


def rest(bed: Testbed, polls: int) -> None:
    """Wait for a number of polls."""
    begin = listed(bed)
    eventually(lambda: listed(bed) >= begin + polls, what=f"{polls} polls", seconds=20 + 2 * POLL_INTERVAL * polls)


def is_quiet(bed: Testbed) -> bool:
    """Whether the operator observed no single pipeline during three polls."""
    before = pachd_calls(bed.pachd.log)["pps.API.InspectPipeline"]
    rest(bed, 3)
    return pachd_calls(bed.pachd.log)["pps.API.InspectPipeline"] == before


def listed(bed: Testbed) -> int:
    """The number of times that the operator has listed the pipelines."""
    return Counter(pachd_calls(bed.pachd.log))["pps.API.ListPipeline"]


if __name__ == "__main__":
    subprocess.run([sys.executable, "--version"], check=True)
    main()
