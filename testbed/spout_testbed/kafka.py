"""One Kafka broker that is its own controller (KRaft)."""

import os
import subprocess
from pathlib import Path

from spout_testbed.errors import TestbedError
from spout_testbed.network import BED_ADDRESS, KAFKA_CONTROLLER_PORT, KAFKA_PORT, LOOPBACK
from spout_testbed.server import Server

BOOTSTRAP = f"{BED_ADDRESS}:{KAFKA_PORT}"
"""An address that workers reach too: their loopback interface is their own."""
_CLUSTER_ID = "c3BvdXQtdGVzdGJlZC1rYQ"
_STARTED = "Kafka Server started"


def kafka_server(java: Path, jars: Path, folder: Path) -> Server:
    """A broker that keeps its data in `folder`. This function formats the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    properties = folder / "server.properties"
    properties.write_text(
        f"""\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{LOOPBACK}:{KAFKA_CONTROLLER_PORT}
listeners=PLAINTEXT://{BOOTSTRAP},CONTROLLER://{LOOPBACK}:{KAFKA_CONTROLLER_PORT}
advertised.listeners=PLAINTEXT://{BOOTSTRAP}
controller.listener.names=CONTROLLER
log.dirs={folder / "data"}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
# A broker that was killed can come back only when its old session has expired (by default after 9 s).
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
"""
    )
    # These options make a small broker that starts fast, at the cost of its speed over hours.
    options = ["-Xms128m", "-Xmx384m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{jars}/*"]
    command = [str(java), *options]
    env = {"PATH": os.defpath, "HOME": str(folder)}
    formatted = subprocess.run(
        [*command, "kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", str(properties)],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if formatted.returncode != 0:
        raise TestbedError(f"kafka: cannot format its data folder\n{formatted.stdout}{formatted.stderr}")
    return Server(
        "kafka",
        [*command, "kafka.Kafka", str(properties)],
        env=env,
        log=folder / "log",
        ready=lambda output: _STARTED in output,
        ready_means=f"it logs {_STARTED!r}",
    )
