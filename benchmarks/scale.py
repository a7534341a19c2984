"""What Spouts cost at rest and at a restart, over the in-memory pachd: the real one stops at 16.

    python -m benchmarks.scale [--save] [SPOUTS ...]

`make bench` runs it with 100 and 1,000 Spouts, in about ten minutes; 5,000 take fifteen more. All figures are measured
with the settings of an installation. CPU is user and system time of the operator alone: the pachd is a process of its
own. `--save` keeps the figures and their plot in docs/figures.
"""

import argparse
import concurrent.futures
import itertools
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import plot, saved
from benchmarks.figures import show
from spout_testbed import Testbed
from spout_testbed.programs import run
from tests.memory_pachd.process import Pachd, running
from tests.support.kube import administrator
from tests.support.operator_process import HTTP_PORT, SECOND_HTTP_PORT, OperatorProcess
from tests.support.spouts import Spouts
from tests.support.waiting import eventually

ROOT = Path(__file__).resolve().parent.parent
SPEC: dict[str, Any] = {
    "description": 'Kafka topic "mytopic" into Pachyderm',
    "transform": {
        "image": "myaccount/myimage:0.1",
        "cmd": ["go", "run", "./main.go"],
        "env": {"HOST": "kafkahost", "TOPIC": "mytopic", "PORT": "9092"},
    },
    "spout": {"marker": "offset"},
    "resourceRequests": {"cpu": "500m", "memory": "256Mi"},
}
LEASE = "--lease=spout-operator/spout-operator"
#: The intervals that an installation has; of a flag given twice the last one counts.
FLAGS = (LEASE, "--poll-interval=10", "--quiet-interval=300", "--status-interval=5")
MINUTE, AN_HOUR = 60.0, 3600.0
FIRST_MINUTES = 2
#: Seconds.
CALM = 25.0
#: Calls that are no part of the ticks: while there are none, nothing is under way.
LOOKS = ("InspectPipeline", "InspectCommit", "ListCommitStream", "CreatePipeline")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What Spouts cost at rest and at a restart.")
    parser.add_argument("spouts", nargs="*", type=int, default=[100, 1000], help="how many; 100 and 1000 by default")
    parser.add_argument("--save", action="store_true", help="keep the figures and their plot in docs/figures")
    options = parser.parse_args()
    template()
    with Testbed.start() as bed, running() as pachd, tempfile.TemporaryDirectory() as folder:
        bed.kubectl("apply", "-k", str(ROOT / "deploy" / "overlays" / "cluster-wide"))
        bed.kubectl("wait", "--for=condition=Established", "crd/spouts.spout-operator.io", "--timeout=30s")
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
    """The figures for each of these numbers of Spouts; the Spouts are made on the way."""
    time.sleep(MINUTE / 2)
    base = operator.memory
    show("memory without a Spout", f"{base / 2**20:.0f} Mi")
    found = []
    for before, count in itertools.pairwise([0, *counts]):
        make(operator, pachd, spouts, [f"spout-{number:04d}" for number in range(before, count)])
        first = [window(operator, pachd) for _ in range(FIRST_MINUTES)]
        restart = restarted(operator, pachd, count)
        time.sleep(MINUTE / 3)
        cpu, reads = window(operator, pachd)
        figures = saved.Figures(
            spouts=count,
            first_cpu=[round(cpu, 2) for cpu, _ in first],
            first_reads=[round(reads) for _, reads in first],
            cpu=round(cpu, 2),
            reads=round(reads),
            memory=round(operator.memory / 2**20, 1),
            peak=round(operator.peak_memory / 2**20, 1),
            each=round((operator.memory - base) / 2**10 / count, 1),
            restart=round(restart, 2),
        )
        saved.print_beside(figures)
        found.append(figures)
    return found


def make(operator: OperatorProcess, pachd: Pachd, spouts: Spouts, names: Sequence[str]) -> None:
    """So many Spouts more, each ready, and shown with a commit and a marker of an hour ago."""
    made = pachd.calls.get("CreatePipeline", 0)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: spouts.create(name, SPEC), names))
    eventually(
        lambda: pachd.calls.get("CreatePipeline", 0) >= made + len(names),
        what="all pipelines",
        seconds=60 + len(names) / 10,
        details=operator.log.read_text,
    )
    # Its commits before its worker: they are counted at the look at the worker that has come up.
    pachd.commit(list(names), ago=AN_HOUR)
    pachd.come_up(list(names))
    calm(pachd, seconds=120 + len(names) / 5)
    for name in (names[0], names[-1]):
        spouts.wait(name, "to be shown with its commit", ready="True", total=1, marker="1041")


def calm(pachd: Pachd, *, seconds: float) -> None:
    """Wait until nothing but ticks was seen for longer than two of them."""
    seen: dict[str, int] = {}
    since = time.monotonic()

    def is_calm() -> bool:
        nonlocal seen, since
        calls = pachd.calls
        looks = {name: calls.get(name, 0) for name in LOOKS}
        if looks != seen:
            seen, since = looks, time.monotonic()
        return time.monotonic() - since > CALM

    eventually(is_calm, what="nothing to be looked at any more", seconds=seconds, interval=1)


def window(operator: OperatorProcess, pachd: Pachd) -> tuple[float, float]:
    """CPU in percent of a core and reads of heads, over a minute."""
    cpu, reads, begin = operator.cpu_seconds, pachd.calls.get("ListBranch", 0), time.monotonic()
    time.sleep(MINUTE)
    minutes = (time.monotonic() - begin) / MINUTE
    cpu, reads = operator.cpu_seconds - cpu, pachd.calls.get("ListBranch", 0) - reads
    return 100 * cpu / MINUTE / minutes, reads / minutes


def restarted(operator: OperatorProcess, pachd: Pachd, count: int) -> float:
    """Seconds of CPU from the start of the process until each Spout has been looked at."""
    operator.stop()
    looked = pachd.calls.get("InspectPipeline", 0)
    operator.start()
    eventually(
        lambda: pachd.calls.get("InspectPipeline", 0) >= looked + count, what="a look at each", seconds=60 + count / 10
    )
    # For the last of them to be shown.
    time.sleep(2)
    return operator.cpu_seconds


def template() -> None:
    """How long the chart takes to render."""
    for helm in ("helm3", "helm4"):
        begin = time.monotonic()
        done = run(helm, "template", "x", str(ROOT / "charts" / "spout-operator"))
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        show(f"{helm} template with defaults", f"{time.monotonic() - begin:.2f} s")


if __name__ == "__main__":
    main()
