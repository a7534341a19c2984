"""What many Spouts at rest cost on a real Pachyderm 2.12.2: `python -m benchmarks.many [SPOUTS]`, by default 200.

The Spouts are suspended, because two cores cannot run 200 workers. What the operator asks is the same for spouts that
run. With 200 Spouts this takes about ten minutes, nearly all of which Pachyderm needs to create and stop the pipelines.
"""

import argparse
import concurrent.futures
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import show
from benchmarks.servers import Pachyderm2
from spout_testbed import Testbed
from spout_testbed.harness.cluster import administrator, install
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.requests import pachyderm_requests, spout_writes
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually

#: Those of an installation. If a flag is given twice, the last one counts.
FLAGS = ("--poll-interval=10", "--quiet-interval=300", "--status-interval=5")
POLLS = 12
#: Seconds that Pachyderm has for each pipeline: to create it and to stop it.
EACH = 10


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description="Measures what Spouts at rest cost on a real Pachyderm 2.12.2.")
    parser.add_argument("spouts", nargs="?", type=int, default=200, help="the number of Spouts")
    count: int = parser.parse_args().spouts
    with Testbed.start(pachyderm="2.12") as bed, administrator(bed) as api_client:
        install(bed)
        bed.workers.stop()
        log = Path(tempfile.mkstemp(prefix="operator-")[1])
        operator = OperatorProcess(
            kubeconfig=bed.kubeconfig_for_account("spout-operator", "spout-operator"),
            pachd_address=bed.pachd_address,
            log=log,
            flags=FLAGS,
        )
        with operator:
            base = operator.memory
            begin = time.monotonic()
            names = [f"spout-{number:03d}" for number in range(count)]
            make(Spouts(api_client, "default", log), names)
            show(f"{count} Spouts, until each is created and stopped", f"{time.monotonic() - begin:.0f} s")
            at_rest(bed, operator, count, base)


def make(spouts: Spouts, names: Sequence[str]) -> None:
    """Create the Spouts, and wait until each is suspended."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: spouts.create(name, {**Pachyderm2.spec, "suspend": True}), names))
    for name in names:
        spouts.wait(name, "to be suspended", seconds=60 + EACH * len(names), ready="True", reason="Suspended")


def at_rest(bed: Testbed, operator: OperatorProcess, count: int, base: int) -> None:
    """Print what the Spouts cost; `base` is the memory without any."""
    eventually(lambda: is_quiet(operator), what="the operator to be at rest", seconds=300)
    calls, writes = pachyderm_requests(operator.get("/metrics")), spout_writes(bed)
    cpu, begin = operator.cpu_seconds, time.monotonic()
    rest(operator, POLLS)
    wall, cpu = time.monotonic() - begin, operator.cpu_seconds - cpu
    made = pachyderm_requests(operator.get("/metrics")) - calls
    told = ", ".join(f"{number} {method}" for (method, _), number in sorted(made.items()))
    show(f"at rest, {count} Spouts: writes to the API server", str(sum((spout_writes(bed) - writes).values())))
    show(f"at rest, {count} Spouts: calls to pachd in {POLLS} polls", told)
    show(f"at rest, {count} Spouts: CPU", f"{100 * cpu / wall:.1f} % of one core at a poll interval of 10 s")
    show(
        f"{count} Spouts: memory",
        f"{operator.memory / 2**20:.0f} MiB (peak {operator.peak_memory / 2**20:.0f} MiB, "
        f"{(operator.memory - base) / 2**10 / count:.0f} KiB for each Spout)",
    )


def is_quiet(operator: OperatorProcess) -> bool:
    """Whether the operator makes no calls but those of polls during two polls."""
    before = reconciles(operator)
    rest(operator, 2)
    return reconciles(operator) == before


def reconciles(operator: OperatorProcess) -> int:
    """Calls so far that only a reconcile makes."""
    found = pachyderm_requests(operator.get("/metrics"))
    return sum(number for (method, _), number in found.items() if method in {"InspectPipeline", "ListBranch"})


def rest(operator: OperatorProcess, polls: int) -> None:
    """Wait for a number of polls."""

    def listed() -> int:
        return pachyderm_requests(operator.get("/metrics"))["ListPipeline", "OK"]

    begin = listed()
    eventually(lambda: listed() >= begin + polls, what=f"{polls} polls", seconds=60 + 20 * polls, interval=0.5)


if __name__ == "__main__":
    main()
