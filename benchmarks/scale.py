"""A hundred Spouts at rest, over the in-memory pachd; the real one stops at 16. Run by `make bench`."""

import tempfile
import time
from pathlib import Path

from benchmarks.figures import show
from spout_testbed import Testbed
from spout_testbed.programs import run
from tests.memory_pachd import MemoryPachd
from tests.support.kube import administrator
from tests.support.operator_process import HTTP_PORT, SECOND_HTTP_PORT, OperatorProcess
from tests.support.spouts import Spouts
from tests.support.waiting import eventually

ROOT = Path(__file__).resolve().parent.parent
NAMES = [f"spout-{number:03d}" for number in range(100)]
SPEC = {"transform": {"image": "i:1", "cmd": ["run"]}, "spout": {"marker": "offset"}}
REST = 60.0
LEASE = "--lease=spout-operator/spout-operator"


def main() -> None:
    """Measure and print."""
    template()
    with Testbed.start() as bed, MemoryPachd() as pachd, tempfile.TemporaryDirectory() as folder:
        bed.kubectl("apply", "-k", str(ROOT / "deploy" / "overlays" / "cluster-wide"))
        bed.kubectl("wait", "--for=condition=Established", "crd/spouts.spout-operator.io", "--timeout=30s")
        # The intervals that an installation has; of a flag given twice the last one counts.
        flags = (LEASE, "--poll-interval=10", "--status-interval=5")
        first, second = (
            OperatorProcess(
                kubeconfig=bed.kubeconfig_for_account("spout-operator", "spout-operator"),
                pachd_address=pachd.address,
                log=Path(folder) / f"{port}.log",
                flags=flags,
                port=port,
            )
            for port in (HTTP_PORT, SECOND_HTTP_PORT)
        )
        with administrator(bed) as api_client, first:
            eventually(lambda: first.is_leading, what="the operator to lead")
            spouts = Spouts(api_client, "default", first.log)
            for name in NAMES:
                spouts.create(name, SPEC)
            eventually(lambda: pachd.calls["CreatePipeline"] >= len(NAMES), what="all pipelines", seconds=60)
            for name in NAMES:
                spouts.wait(name, "to be made", synced="True")
                pachd.come_up(name)
            for name in NAMES:
                spouts.wait(name, "to be ready", seconds=90, ready="True")
            at_rest(first)
            with second:
                begin = time.monotonic()
                first.stop()
                eventually(lambda: second.is_leading, what="the second to lead")
                show(
                    "two replicas, clean stop of the leader: the other leads after", f"{time.monotonic() - begin:.2f} s"
                )


def at_rest(operator: OperatorProcess) -> None:
    """CPU and memory over a minute."""
    cpu, begin = operator.cpu_seconds, time.monotonic()
    time.sleep(REST)
    share = (operator.cpu_seconds - cpu) / (time.monotonic() - begin)
    show("at rest with 100 Spouts, a tick of 10 s: CPU", f"{1000 * share:.0f} m of the 50 m asked for")
    mebibyte = 1024 * 1024
    rss, peak = operator.memory / mebibyte, operator.peak_memory / mebibyte
    show("memory with 100 Spouts", f"{rss:.0f} Mi of the 128 Mi asked for (peak {peak:.0f} Mi)")


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
