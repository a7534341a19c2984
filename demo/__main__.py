"""`python -m demo`, inside a test bed: shows the main functions step by step. The exit code is 1 if a step fails."""

import os
import signal
import stat
import sys
import threading
import time

from demo import kafka
from demo.cluster import INTERVAL, Cluster
from demo.examples import EXAMPLES
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
WHILE_BROKEN = 50
"""The number of messages that the demo produces while the command of the spout does not exist."""
PATIENCE = 120.0
"""The deadline of each wait, in seconds. A wait normally takes a few seconds, but the machine may be busy."""


def main() -> int:
    """Run the demo, and return the exit code."""
    keep, version = os.environ.get("KEEP") == "1", os.environ.get("PACHYDERM") or "1.13"
    if version not in EXAMPLES:
        print(f"PACHYDERM is {version!r}: set it to one of {', '.join(EXAMPLES)}", file=sys.stderr)
        return 2
    try:
        example = EXAMPLES[version]
        step(f"Starting etcd, kube-apiserver, Pachyderm {version} and Kafka")
        with Testbed.start(pachyderm=version, kafka=True) as bed, Cluster(bed, example) as cluster:
            summary = play(cluster, delete=not keep)
            print("\nWhat this demo has shown\n" + "\n".join(f"  - {line}" for line in summary), flush=True)
            if keep:
                stay(example.spout)
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

    manifest = cluster.example.manifest.relative_to(ROOT)
    step(f"Applying {manifest}, and printing `kubectl get spouts -o wide` after each change")
    applied = time.monotonic()
    cluster.apply_example()
    cluster.watch_until("the Spout to be ready", seconds=PATIENCE, ready="True", state="Running")
    ready = time.monotonic() - applied
    cluster.watch_until_position(MESSAGES, seconds=PATIENCE)
    count = cluster.check_messages(MESSAGES)
    summary.append(
        f"ingest: ready {ready:.1f} s after kubectl apply; {count} of {MESSAGES} messages, each exactly once, in "
        f"{cluster.status()['commits']['total']} commits; {cluster.example.position} {cluster.position()}"
    )
    fact(summary[-1])

    summary.append(kill_worker(cluster))
    summary.append(edit(cluster))
    summary.append(break_command(cluster))
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
        lambda: cluster.position() > MESSAGES,
        what="the position to move on before the kill",
        seconds=PATIENCE,
        interval=INTERVAL,
        details=cluster.details,
    )
    before = cluster.position()
    killed = bed.workers.kill(cluster.example.spout)
    moment = time.monotonic()
    show(
        f"killed the worker process {killed} at position {before} or later; "
        "the test bed starts it again, as a kubelet does"
    )
    show("(it continues when the lock of the dead worker in etcd expires, after about 15 s)")
    stream.join()
    total = MESSAGES + DURING_KILL
    cluster.watch_until_position(total, seconds=PATIENCE)
    count = cluster.check_messages(total)
    line = (
        f"kill: worker killed after {cluster.example.position} {before}; {time.monotonic() - moment:.0f} s later "
        f"the repo has {count} of {total} messages, each exactly once: none lost, none duplicated"
    )
    fact(line)
    return line


def edit(cluster: Cluster) -> str:
    """Edit the environment. The pipeline gets a new version, and the spout keeps its position."""
    step(f"Editing transform.env (BATCH_SIZE=50), and producing {AFTER_EDIT} more messages")
    before, position = cluster.status(), cluster.position()
    cluster.apply_example(BATCH_SIZE="50")
    wanted = before["pipeline"]["version"] + 1
    cluster.watch_until(f"version {wanted}, ready", seconds=PATIENCE, version=wanted, ready="True")
    kept = cluster.position()
    if kept < position:
        raise DemoError(f"expected a position of at least {position}, as before the edit; found {kept}")
    total = MESSAGES + DURING_KILL + AFTER_EDIT
    kafka.produce(cluster.bed.kafka_bootstrap, MESSAGES + DURING_KILL, AFTER_EDIT)
    cluster.watch_until_position(total, seconds=PATIENCE)
    count = cluster.check_messages(total)
    line = (
        f"edit: version {wanted - 1} -> {wanted}, {cluster.example.position} {kept} kept; then {count} of "
        f"{total} messages, each exactly once"
    )
    fact(line)
    return line


def break_command(cluster: Cluster) -> str:
    """Give the spout a command that does not exist, and take that back. Meanwhile the Spout is not ready."""
    step(f"Editing transform.cmd: a program that does not exist, while {WHILE_BROKEN} more messages arrive")
    before, settings = cluster.position(), {"BATCH_SIZE": "50"}
    edited = time.monotonic()
    cluster.apply_example(program="/no/such/program", **settings)
    found = cluster.watch_until("READY False", seconds=PATIENCE, ready="False", reason="UserCodeFailing")
    noticed = time.monotonic() - edited
    show(next(condition["message"] for condition in found["conditions"] if condition["type"] == "Ready"))
    done = MESSAGES + DURING_KILL + AFTER_EDIT
    kafka.produce(cluster.bed.kafka_bootstrap, done, WHILE_BROKEN)
    show("undoing the edit")
    cluster.apply_example(**settings)
    wanted = found["pipeline"]["version"] + 1
    cluster.watch_until(f"version {wanted}, ready", seconds=PATIENCE, version=wanted, ready="True")
    cluster.watch_until_position(done + WHILE_BROKEN, seconds=PATIENCE)
    count = cluster.check_messages(done + WHILE_BROKEN)
    line = (
        f"broken command: READY turned False (UserCodeFailing) {noticed:.0f} s after the edit; after the edit was "
        f"undone, the spout resumed at {cluster.example.position} {before}: {count} of {done + WHILE_BROKEN} messages, "
        "each exactly once"
    )
    fact(line)
    return line


def remove(cluster: Cluster) -> str:
    """Delete the Spout. Its pipeline and its repo have to be deleted too."""
    step("Deleting the Spout")
    started = time.monotonic()
    show(cluster.bed.kubectl("delete", "spout", cluster.example.spout, "--timeout=60s").stdout)
    took = time.monotonic() - started
    left = [cluster.bed.pachctl("list", kind, "--raw").stdout for kind in ("pipeline", "repo")]
    if any(f'"{cluster.example.spout}"' in listing for listing in left):
        raise DemoError(f"expected that neither the pipeline nor the repo is left; found {left}")
    line = f"delete: kubectl returned after {took:.1f} s, and the pipeline and its repo were gone"
    fact(line)
    return line


def stay(spout: str) -> None:
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
    print(f"  .demo/pachctl list commit {spout}@master")
    print(f"To end them, press Ctrl-C here, or run: kill {os.environ[OUTER_PID]}", flush=True)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
    for tool in ("kubectl", "pachctl"):
        (folder / tool).unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
