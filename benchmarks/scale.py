"""Measures what Spouts cost at rest and at a restart, with the in-memory pachd: the real one stops at 16 pipelines.

    python -m benchmarks.scale [--save] [SPOUTS ...]

`make bench` runs it with 100 and 1,000 Spouts. The logs of the workers are read in turn, at most one in 0.8 seconds, so
it waits until each was read once. The workers say that their code has run for an hour: then once is enough. All figures
have log reads in them, at that same pace: a log that was read for the first time a few minutes ago is due sooner than
that of a Spout that has been at rest for long.
The operator has the default settings of an installation. CPU is the user and system time of the operator alone, because
the in-memory pachd runs in its own process. `--save` saves the figures and their plot in docs/figures.
"""

import argparse
import concurrent.futures
import itertools
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import plot, saved
from benchmarks.figures import show
from spout_testbed import Testbed
from spout_testbed.harness.bodies import a_spec
from spout_testbed.harness.cluster import ROOT, administrator, install
from spout_testbed.harness.operator_process import HTTP_PORT, SECOND_HTTP_PORT, OperatorProcess
from spout_testbed.harness.spouts import Spouts
from spout_testbed.programs import run
from spout_testbed.waiting import eventually
from tests.memory_pachd.process import Pachd, running

SPEC = a_spec(
    {
        "description": 'Kafka topic "mytopic" into Pachyderm',
        "transform.env": {"HOST": "kafkahost", "TOPIC": "mytopic", "PORT": "9092"},
        "spout.marker": "offset",
        "resourceRequests": {"cpu": "500m", "memory": "256Mi"},
    }
)
LEASE = "--lease=spout-operator/spout-operator"
#: The default intervals of an installation. If a flag is given twice, the last one counts.
FLAGS = (LEASE, "--poll-interval=10", "--quiet-interval=300", "--status-interval=5")
MINUTE, AN_HOUR = 60.0, 3600.0
FIRST_MINUTES, RESTARTS = 2, 5
#: GetLogs of the first read of a log: that of a worker whose code runs asks once more for the last line.
LOGS_OF_A_FIRST_READ = 2
#: Seconds.
CALM = 25.0
#: Calls that are part neither of a poll nor of a read of a log.
RECONCILE_CALLS = ("InspectPipeline", "InspectCommit", "ListCommitStream", "CreatePipeline")


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description="Measures what Spouts cost at rest and at a restart.")
    spouts_help = "the numbers of Spouts; by default 100 and 1000"
    parser.add_argument("spouts", nargs="*", type=int, default=[100, 1000], help=spouts_help)
    parser.add_argument("--save", action="store_true", help="save the figures and their plot in docs/figures")
    options = parser.parse_args()
    template()
    with Testbed.start() as bed, running() as pachd, tempfile.TemporaryDirectory() as folder:
        install(bed)
        first, second = (
            OperatorProcess(
                kubeconfig=bed.kubeconfig_for_account("spout-operator", "spout-operator"),
                pachd_address=pachd.address,
                log=Path(folder) / f"{port}.log",
                flags=FLAGS,
                port=port,
            )
            for port in (HTTP_PORT, SECOND_HTTP_PORT)
        )
        with administrator(bed) as api_client, first:
            eventually(lambda: first.is_leading, what="the operator to lead")
            found = measured(first, pachd, Spouts(api_client, "default", first.log), sorted(options.spouts))
            with second:
                begin = time.monotonic()
                first.stop()
                eventually(lambda: second.is_leading, what="the second to lead")
                show(
                    "two replicas, clean stop of the leader: the other leads after", f"{time.monotonic() - begin:.2f} s"
                )
    if options.save:
        saved.keep(found)
        for file, text in plot.files().items():
            file.write_text(text, encoding="utf-8")


def measured(operator: OperatorProcess, pachd: Pachd, spouts: Spouts, counts: Sequence[int]) -> list[saved.Figures]:
    """Create Spouts up to each of these numbers, and return the figures for each number."""
    time.sleep(MINUTE / 2)
    base = operator.memory
    show("memory without Spouts", f"{base / 2**20:.0f} MiB")
    found = []
    for before, count in itertools.pairwise([0, *counts]):
        logs = pachd.calls.get("GetLogs", 0)
        names = [f"spout-{number:04d}" for number in range(before, count)]
        make(operator, pachd, spouts, names)
        first = [window(operator, pachd) for _ in range(FIRST_MINUTES)]
        wait_for_logs(operator, pachd, spouts, names, logs)
        restarts = [restarted(operator, pachd, count) for _ in range(RESTARTS)]
        show(f"{count} Spouts, restarts one after the other, s of CPU", ", ".join(f"{cpu:.2f}" for cpu in restarts))
        # A restarted operator reads each log as if for the first time, in the same turns as all later reads.
        wait_for_logs(operator, pachd, spouts, names, pachd.calls["GetLogs"])
        logs = pachd.calls["GetLogs"]
        cpu, reads = window(operator, pachd)
        show(f"{count} Spouts at rest, logs read in that minute", str(pachd.calls["GetLogs"] - logs))
        figures = saved.Figures(
            spouts=count,
            first_cpu=[round(cpu, 2) for cpu, _ in first],
            first_reads=[round(reads) for _, reads in first],
            cpu=round(cpu, 2),
            reads=round(reads),
            memory=round(operator.memory / 2**20, 1),
            peak=round(operator.peak_memory / 2**20, 1),
            each=round((operator.memory - base) / 2**10 / count, 1),
            restart=round(statistics.median(restarts), 2),
        )
        saved.print_beside(figures)
        found.append(figures)
    return found


def make(operator: OperatorProcess, pachd: Pachd, spouts: Spouts, names: Sequence[str]) -> None:
    """Create more Spouts, and wait until the status of each has a commit and a marker from an hour ago."""
    made = pachd.calls.get("CreatePipeline", 0)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: spouts.create(name, SPEC), names))
    eventually(
        lambda: pachd.calls.get("CreatePipeline", 0) >= made + len(names),
        what="all pipelines",
        seconds=60 + len(names) / 10,
        details=operator.log.read_text,
    )
    # The commits come before the worker, so that the reconcile that observes the worker also counts the commits.
    pachd.commit(list(names), ago=AN_HOUR)
    pachd.come_up(list(names))
    calm(pachd, seconds=120 + len(names) / 5)
    for name in (names[0], names[-1]):
        spouts.wait(name, "to have its commit in its status", total=1, marker="1041")


def wait_for_logs(operator: OperatorProcess, pachd: Pachd, spouts: Spouts, names: Sequence[str], before: int) -> None:
    """Wait until the log of each worker was read once, and so each of these Spouts is ready."""
    eventually(
        lambda: pachd.calls.get("GetLogs", 0) >= before + LOGS_OF_A_FIRST_READ * len(names),
        what="a look at the log of each worker",
        seconds=120 + 2 * len(names),
        interval=1,
        details=operator.log.read_text,
    )
    for name in names:
        spouts.wait(name, "to be ready", seconds=120, ready="True")


def calm(pachd: Pachd, *, seconds: float) -> None:
    """Wait until the operator has made only the calls of polls and log reads for longer than two poll intervals."""
    seen: dict[str, int] = {}
    since = time.monotonic()

    def is_calm() -> bool:
        nonlocal seen, since
        calls = pachd.calls
        counts = {name: calls.get(name, 0) for name in RECONCILE_CALLS}
        if counts != seen:
            seen, since = counts, time.monotonic()
        return time.monotonic() - since > CALM

    eventually(is_calm, what="no more calls but those of polls", seconds=seconds, interval=1)


def window(operator: OperatorProcess, pachd: Pachd) -> tuple[float, float]:
    """CPU in percent of a core, and reads of branch heads, during one minute."""
    cpu, reads, begin = operator.cpu_seconds, pachd.calls.get("ListBranch", 0), time.monotonic()
    time.sleep(MINUTE)
    minutes = (time.monotonic() - begin) / MINUTE
    cpu, reads = operator.cpu_seconds - cpu, pachd.calls.get("ListBranch", 0) - reads
    return 100 * cpu / MINUTE / minutes, reads / minutes


def restarted(operator: OperatorProcess, pachd: Pachd, count: int) -> float:
    """Seconds of CPU from the start of the process until the operator has observed each pipeline."""
    operator.stop()
    observed = pachd.calls.get("InspectPipeline", 0)
    operator.start()
    eventually(
        lambda: pachd.calls.get("InspectPipeline", 0) >= observed + count,
        what="an observation of each",
        seconds=60 + count / 10,
    )
    # The operator needs a moment to write the last status.
    time.sleep(2)
    return operator.cpu_seconds


def template() -> None:
    """Print how long Helm takes to render the chart."""
    for helm in ("helm3", "helm4"):
        begin = time.monotonic()
        done = run(helm, "template", "x", str(ROOT / "charts" / "spout-operator"))
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        show(f"{helm} template with defaults", f"{time.monotonic() - begin:.2f} s")


if __name__ == "__main__":
    main()
