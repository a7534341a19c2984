"""Prints the figures of docs/benchmarks.md for Pachyderm 1.13 and 2.12, side by side in one run, in a test bed.

Nothing here passes or fails. On a shared machine only the ratios of times are meaningful, and tests check the counts.
"""

import concurrent.futures
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import show
from benchmarks.sending import WatchedForwarder
from benchmarks.servers import Measured, Pachyderm1, Pachyderm2
from spout_testbed import Testbed
from spout_testbed.harness.bodies import a_spout
from spout_testbed.harness.cluster import administrator, install
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.requests import pachyderm_requests, spout_writes
from spout_testbed.harness.spouts import Spouts
from spout_testbed.network import LOOPBACK
from spout_testbed.waiting import eventually

#: One less than the limit of the Community Edition of Pachyderm 1.13.
SPOUTS = 15
ROUNDS = 3
POLL_INTERVAL = 2.0
IDLE_POLLS = 10
NAMES = [f"spout-{number:02d}" for number in range(SPOUTS)]


def main() -> None:
    """Measure, and print the figures."""
    with Testbed.start(pachyderm=("1.13", "2.12")) as bed, administrator(bed) as api_client:
        install(bed)
        servers = [Pachyderm1(bed.pachyderm("1.13")), Pachyderm2(bed.pachyderm("2.12"))]
        for server in servers:
            server.workers.stop()
        for server in servers:
            print(f"\nPachyderm {server.version}", flush=True)
            log = Path(tempfile.mkstemp(prefix="operator-")[1])
            spouts = Spouts(api_client, "default", log)
            with WatchedForwarder((LOOPBACK, 0), (LOOPBACK, server.port)) as forwarder:
                operator = OperatorProcess(
                    kubeconfig=bed.kubeconfig,
                    pachd_address=f"grpc://{LOOPBACK}:{forwarder.port}",
                    log=log,
                    flags=(f"--poll-interval={POLL_INTERVAL}", "--quiet-interval=300", "--status-interval=1"),
                )
                started = time.monotonic()
                with operator:
                    show("start-up: process start to /readyz answering 200", f"{time.monotonic() - started:.2f} s")
                    Benchmark(bed, server, spouts, operator, forwarder).run()


class Benchmark:
    """The measurements of one server."""

    def __init__(
        self, bed: Testbed, server: Measured, spouts: Spouts, operator: OperatorProcess, forwarder: WatchedForwarder
    ) -> None:
        self._bed = bed
        self._server = server
        self._spouts = spouts
        self._operator = operator
        self._forwarder = forwarder

    def run(self) -> None:
        """All of them, one after the other."""
        self.bursts()
        self.suspend()
        self.edits()
        self.at_rest()
        self.again()
        self.clear()

    def bursts(self) -> None:
        """15 Spouts at once against a bare loop of 15 calls, in turns, so that both run on the same machine."""
        ratios = []
        for number in range(ROUNDS):
            bare, through = self.bare_loop(), self.burst()
            ratios.append(through / bare)
            show(
                f"round {number + 1}: {SPOUTS} pipelines",
                f"bare loop {bare:.2f} s, 15 Spouts until the last is made {through:.2f} s, ratio {ratios[-1]:.2f}",
            )
            if number + 1 < ROUNDS:
                self.clear()
        show("ratio, median", f"{statistics.median(ratios):.2f}")

    def bare_loop(self) -> float:
        """Seconds from before the first of 15 calls of the SDK, made in turn, until the last pipeline is made."""
        begin = time.time()
        for name in NAMES:
            self._server.create(name)
        took = self._last_created() - begin
        for name in NAMES:
            self._server.delete(name)
        return took

    def burst(self) -> float:
        """Seconds from before the first Spout is sent until the last pipeline is made."""
        before = self._ended(self._server.create_method)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            begin = time.time()
            list(pool.map(lambda name: self._spouts.create(name, self._server.spec), NAMES))
        eventually(
            lambda: self._ended(self._server.create_method) >= before + SPOUTS,
            what="15 answered calls",
            seconds=120,
            interval=0.2,
            details=self._operator.log.read_text,
        )
        return self._last_created() - begin

    def _last_created(self) -> float:
        created = self._server.created()
        return max(created[name] for name in NAMES)

    def suspend(self) -> None:
        """Have all pipelines stopped: no worker runs, and a pipeline that waits for its worker is not at rest."""
        for name in NAMES:
            self._spouts.edit(name, {"suspend": True})
        for name in NAMES:
            self._spouts.wait(name, "to be suspended", seconds=300, ready="True", reason="Suspended")

    def edits(self) -> None:
        """From before an edit is sent to the API server until the operator sends the update to Pachyderm."""
        took = []
        for number, name in enumerate(NAMES):
            text = f"edited as number {number:02d}"
            self._forwarder.expect(text)
            begin = time.monotonic()
            self._spouts.edit(name, {"description": text})
            took.append(self._forwarder.sent_at() - begin)
            self._spouts.wait(name, "to be edited", seconds=60, ready="True", synced="True")
        show(
            f"{SPOUTS} edits, one by one, until the update is sent",
            f"p50 {1000 * statistics.median(took):.0f} ms, worst {1000 * max(took):.0f} ms",
        )

    def at_rest(self) -> None:
        """What 15 Spouts at rest cost in ten polls."""
        eventually(self._is_quiet, what="no more observations of single pipelines", seconds=180)
        calls, writes = pachyderm_requests(self._operator.get("/metrics")), spout_writes(self._bed)
        cpu, begin = self._operator.cpu_seconds, time.monotonic()
        self.rest(IDLE_POLLS)
        wall, cpu = time.monotonic() - begin, self._operator.cpu_seconds - cpu
        made = pachyderm_requests(self._operator.get("/metrics")) - calls
        told = ", ".join(f"{count} {method}" for (method, _), count in sorted(made.items()))
        show("at rest, 15 Spouts: writes to the API server", str(sum((spout_writes(self._bed) - writes).values())))
        show(f"at rest, calls to pachd in {IDLE_POLLS} polls", told)
        show("at rest, CPU", f"{100 * cpu / wall:.1f} % of one core at a poll interval of {POLL_INTERVAL:g} s")
        show(
            "memory at 15 Spouts",
            f"{self._operator.memory / 1e6:.0f} MB (peak {self._operator.peak_memory / 1e6:.0f} MB)",
        )

    def again(self) -> None:
        """The cost of applying the same manifests again, and of restarting the operator."""
        before, writes = self._created(), spout_writes(self._bed)
        items = []
        for number, name in enumerate(NAMES):
            spec = {**self._server.spec, "suspend": True, "description": f"edited as number {number:02d}"}
            items.append(a_spout(name=name, namespace="default", spec=spec))
        listing = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
        self._bed.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", input=listing)
        self.rest(3)
        created = self._created() - before
        self._operator.stop()
        self._operator.start()
        self.rest(3)
        created += self._created()
        show(
            "same manifests applied again, and operator restarted",
            f"{created} {self._server.create_method}, "
            f"{(spout_writes(self._bed) - writes)['PATCH status']} status patches",
        )

    def clear(self) -> None:
        """Delete all Spouts, with their pipelines."""
        for name in NAMES:
            self._spouts.delete(name)
        for name in NAMES:
            self._spouts.wait_gone(name, seconds=60)

    def rest(self, polls: int) -> None:
        """Wait for a number of polls."""
        begin = self._ended("ListPipeline")
        eventually(
            lambda: self._ended("ListPipeline") >= begin + polls,
            what=f"{polls} polls",
            seconds=20 + 2 * POLL_INTERVAL * polls,
            interval=0.2,
        )

    def _is_quiet(self) -> bool:
        """Whether the operator observes no single pipeline during three polls."""
        before = self._ended("InspectPipeline")
        self.rest(3)
        return self._ended("InspectPipeline") == before

    def _created(self) -> int:
        return self._ended(self._server.create_method)

    def _ended(self, method: str) -> int:
        return pachyderm_requests(self._operator.get("/metrics"))[method, "OK"]


if __name__ == "__main__":
    subprocess.run([sys.executable, "--version"], check=True)
    main()
