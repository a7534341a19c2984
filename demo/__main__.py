"""`python -m demo`, inside a test bed: shows the main functions step by step. The exit code is 1 if a step fails."""

import os
import signal
import stat
import sys
import threading
import time

from demo import kafka
from demo.cluster import INTERVAL, SPOUT, Cluster
from demo.screen import DemoError, fact, fail, show, step
from spout_testbed import Testbed
from spout_testbed.errors import TestbedError
from spout_testbed.harness.cluster import ROOT
from spout_testbed.namespaces import OUTER_PID
from spout_testbed.waiting import eventually

MESSAGES = 1000
"""The number of messages that the demo produces before it applies the Spout."""
DURING_KILL = 600
"""The number of messages that the demo produces while it kills the worker."""
AFTER_EDIT = 100
"""The number of messages that the demo produces after it edits the environment."""
PATIENCE = 120.0
"""The deadline of each wait, in seconds. A wait normally takes a few seconds, but the machine may be busy."""


def main() -> int:
    """Run the demo, and return the exit code."""
    keep = os.environ.get("KEEP") == "1"
    try:
        step("Starting etcd, kube-apiserver, pachd 1.13.4 and Kafka")
        with Testbed.start(pachyderm="1.13", kafka=True) as bed, Cluster(bed) as cluster:
            summary = play(cluster, delete=not keep)
            print("\nWhat this demo has shown\n" + "\n".join(f"  - {line}" for line in summary), flush=True)
            if keep:
                stay()
    except (DemoError, TestbedError) as error:
        fail(error)
        return 1
    return 0


def play(cluster: Cluster, *, delete: bool) -> list[str]:
    """Run all steps, and return the lines of the summary."""
    bed, summary = cluster.bed, []
    fact("the servers answer")

    step(
        "Installing the CRD and the roles of deploy/overlays/cluster-wide, and starting the operator with these rights"
    )
    cluster.install()
    started = time.monotonic()
    cluster.start_operator()
    summary.append(f"operator: ready {time.monotonic() - started:.1f} s after its start, with only these rights")
    fact(summary[-1])

    step(f"Producing {MESSAGES} messages into the Kafka topic {kafka.TOPIC!r}")
    kafka.make_topic(bed.kafka_bootstrap)
    kafka.produce(bed.kafka_bootstrap, 0, MESSAGES)

    step("Applying examples/my-spout.yaml, and printing `kubectl get spouts -o wide` after each change")
    applied = time.monotonic()
    cluster.apply_example()
    cluster.watch_until("the Spout to be ready", seconds=PATIENCE, ready="True", state="Running")
    ready = time.monotonic() - applied
    status = cluster.watch_until(f"the marker {MESSAGES}", seconds=PATIENCE, marker=str(MESSAGES))
    count = cluster.check_messages(MESSAGES)
    summary.append(
        f"ingest: ready {ready:.1f} s after kubectl apply; {count} of {MESSAGES} messages, each exactly once, in "
        f"{status['commits']['total']} commits; marker {status['marker']['value']}"
    )
    fact(summary[-1])

    summary.append(kill_worker(cluster))
    summary.append(edit(cluster))
    if delete:
        summary.append(remove(cluster))
    return summary


def kill_worker(cluster: Cluster) -> str:
    """Kill the worker in the middle of a stream. No message may be lost or duplicated."""
    step(f"Killing the worker while {DURING_KILL} more messages arrive")
    bed = cluster.bed
    stream = threading.Thread(
        target=kafka.produce, args=(bed.kafka_bootstrap, MESSAGES, DURING_KILL), kwargs={"per_second": 150}, daemon=True
    )
    stream.start()
    eventually(
        lambda: int(cluster.status()["marker"]["value"]) > MESSAGES,
        what="the marker to move on before the kill",
        seconds=PATIENCE,
        interval=INTERVAL,
        details=cluster.details,
    )
    before = cluster.status()["marker"]["value"]
    killed = bed.workers.kill(SPOUT)
    moment = time.monotonic()
    show(
        f"killed the worker process {killed} at marker {before} or later; the test bed starts it again, like a kubelet"
    )
    show("(it continues when the lock of the dead worker in etcd expires, after about 15 s)")
    stream.join()
    total = MESSAGES + DURING_KILL
    cluster.watch_until(f"the marker {total}", seconds=PATIENCE, marker=str(total))
    count = cluster.check_messages(total)
    line = (
        f"kill: worker killed after marker {before}; {time.monotonic() - moment:.0f} s later the repo has {count} of "
        f"{total} messages, each exactly once: none lost, none duplicated"
    )
    fact(line)
    return line


def edit(cluster: Cluster) -> str:
    """Edit the environment. The pipeline gets a new version and keeps its marker."""
    step(f"Editing transform.env (BATCH_SIZE=50), and producing {AFTER_EDIT} more messages")
    before = cluster.status()
    cluster.apply_example(BATCH_SIZE="50")
    wanted = before["pipeline"]["version"] + 1
    after = cluster.watch_until(f"version {wanted}, ready", seconds=PATIENCE, version=wanted, ready="True")
    kept = after["marker"]["value"]
    if int(kept) < int(before["marker"]["value"]):
        raise DemoError(
            f"expected the marker to be at least {before['marker']['value']}, as before the edit; found {kept}"
        )
    total = MESSAGES + DURING_KILL + AFTER_EDIT
    kafka.produce(cluster.bed.kafka_bootstrap, MESSAGES + DURING_KILL, AFTER_EDIT)
    cluster.watch_until(f"the marker {total}", seconds=PATIENCE, marker=str(total))
    count = cluster.check_messages(total)
    line = (
        f"edit: version {wanted - 1} -> {wanted}, marker kept at {kept}; then {count} of {total} messages, "
        "each exactly once"
    )
    fact(line)
    return line


def remove(cluster: Cluster) -> str:
    """Delete the Spout. Its pipeline and its repo have to be deleted too."""
    step("Deleting the Spout")
    started = time.monotonic()
    show(cluster.bed.kubectl("delete", "spout", SPOUT, "--timeout=60s").stdout)
    took = time.monotonic() - started
    left = [cluster.bed.pachctl("list", kind, "--raw").stdout for kind in ("pipeline", "repo")]
    if any(SPOUT in listing for listing in left):
        raise DemoError(f"expected that neither the pipeline nor the repo is left; found {left}")
    line = f"delete: kubectl returned after {took:.1f} s, and the pipeline and its repo were gone"
    fact(line)
    return line


def stay() -> None:
    """Leave everything running until Ctrl-C, so that people can use it from another terminal."""
    folder = ROOT / ".demo"
    folder.mkdir(exist_ok=True)
    enter = f"exec '{sys.executable}' -m spout_testbed enter {os.environ[OUTER_PID]} --"
    for tool in ("kubectl", "pachctl"):
        script = folder / tool
        script.write_text(
            f"#!/bin/sh\nexport PYTHONPATH='{ROOT / 'testbed'}'\n{enter} {tool} \"$@\"\n", encoding="utf-8"
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    print("\nThe servers and the operator keep running. From another terminal, in this folder:")
    print("  .demo/kubectl get spouts --watch")
    print("  .demo/pachctl list commit my-spout@master")
    print(f"To end them, press Ctrl-C here, or run: kill {os.environ[OUTER_PID]}", flush=True)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
    for tool in ("kubectl", "pachctl"):
        (folder / tool).unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
