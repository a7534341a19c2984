"""The actions of the demo on kubectl, the operator and Pachyderm."""

import contextlib
import sys
from collections import Counter
from typing import Any, Self

import yaml

from demo import kafka
from demo.examples import Example
from demo.screen import DemoError, show
from spout_testbed import Testbed
from spout_testbed.harness.cluster import administrator, install
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually

#: Seconds between two reads of the Spout.
INTERVAL = 0.1


class Cluster:
    """The test bed, with the operator in it. A `with` statement ends the operator."""

    def __init__(self, bed: Testbed, example: Example) -> None:
        self.bed = bed
        self.example = example
        self._closing = contextlib.ExitStack()
        self._spouts = Spouts(self._closing.enter_context(administrator(bed)), "default")
        self._operator: OperatorProcess | None = None
        self._shown: tuple[object, ...] = ()
        self._header = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def install(self) -> None:
        """Install the CRD and the ServiceAccount of the operator, with the rights of deploy/overlays/cluster-wide."""
        install(self.bed)

    def start_operator(self) -> None:
        """Start the operator as a process, with its own rights, and return when it is ready."""
        self._operator = OperatorProcess(
            kubeconfig=self.bed.kubeconfig_for_account("spout-operator", "spout-operator"),
            pachd_address=self.bed.pachd_address,
            log=self.bed.folder / "operator.log",
            flags=("--poll-interval=1", "--quiet-interval=2", "--status-interval=1"),
        )
        self._closing.callback(self._operator.stop)
        self._operator.start()

    def apply_example(self, *, program: str | None = None, **env: str) -> None:
        """Apply the example, with the Kafka of the demo, these additional environment variables and this program.

        There is no container engine, so the worker runs a program of this machine instead of the image.
        """
        spout = yaml.safe_load(self.example.manifest.read_text(encoding="utf-8"))
        host, _, port = self.bed.kafka_bootstrap.partition(":")
        transform = spout["spec"]["transform"]
        transform["cmd"] = [sys.executable, str(self.example.program)] if program is None else [program]
        transform["env"] |= {"HOST": host, "PORT": port, "TOPIC": kafka.TOPIC, **env}
        if self.example.keeps_marker:
            spout["spec"]["spout"]["overwrite"] = True
        show(self.bed.kubectl("apply", "-f", "-", input=yaml.safe_dump(spout)).stdout)

    def status(self) -> dict[str, Any]:
        """The status of the Spout."""
        return dict((self._spouts.get(self.example.spout) or {}).get("status", {}))

    def watch_until(self, what: str, *, seconds: float, **wanted: object) -> dict[str, Any]:
        """Print `kubectl get spouts` after each change, until the status has the wanted values (see `Spouts.wait`)."""

        def reached() -> dict[str, Any] | None:
            self.print_spouts()
            return self._spouts.status_as(self.example.spout, **wanted)

        found = eventually(reached, what=what, seconds=seconds, interval=INTERVAL, details=self.details)
        self.print_spouts()
        return found

    def print_spouts(self) -> None:
        """Print `kubectl get spouts -o wide` if more than the ages in it has changed."""
        status = self.status()
        ready: dict[str, Any] = next((c for c in status.get("conditions", ()) if c["type"] == "Ready"), {})
        pipeline, marker = status.get("pipeline", {}), status.get("marker", {})
        position = marker.get("summary") or status.get("commits", {}).get("total")
        seen = (ready.get("status"), ready.get("reason"), pipeline.get("state"), pipeline.get("version"), position)
        lines = self.bed.kubectl("get", "spouts", "-o", "wide", check=False).stdout.splitlines()
        if lines and seen != self._shown:
            # kubectl computes the widths of the columns again each time.
            show("\n".join(lines if lines[0] != self._header else lines[1:]))
            self._shown, self._header = seen, lines[0]

    def messages(self) -> dict[str, int]:
        """All messages in the repo of the spout, each with the number of its files."""
        return dict(Counter(self.example.read_files(self.bed.pachd_address, self.example.spout)))

    def position(self) -> int:
        """The number of messages that the spout would not read again: its marker, or what its consumer group has."""
        if self.example.keeps_marker:
            return int(self.status().get("marker", {}).get("value") or 0)
        return kafka.acknowledged(self.bed.kafka_bootstrap, self.example.group)

    def watch_until_position(self, position: int, *, seconds: float) -> None:
        """Print `kubectl get spouts` after each change, until the spout has come so far."""

        def reached() -> bool:
            self.print_spouts()
            return self.position() >= position

        eventually(reached, what=f"position {position}", seconds=seconds, interval=INTERVAL, details=self.details)
        self.print_spouts()

    def check_messages(self, count: int) -> int:
        """Check that the repo has the messages 0 to `count - 1`, each exactly once, and nothing else.

        Returns:
            The number of messages.

        Raises:
            DemoError: the repo lacks messages, has a message more than once, or has other content.
        """
        found = self.messages()
        wanted = {kafka.message(number).decode() for number in range(count)}
        missing, strange = wanted - found.keys(), found.keys() - wanted
        twice = {text for text, times in found.items() if times > 1}
        if missing or strange or twice:
            raise DemoError(
                f"expected {count} messages, each exactly once; {len(missing)} are missing ({sorted(missing)[:3]}), "
                f"{len(twice)} occur more than once, and there are {len(strange)} others ({sorted(strange)[:3]})"
            )
        return len(found)

    def details(self) -> str:
        """The Spouts and the logs, for people who have to find out why a step failed."""
        log = self._operator.log.read_text()[-3000:] if self._operator is not None else "(not started)"
        workers = "".join(
            f"\n--- worker log\n{worker.log.read_text()[-2000:]}" for worker in self.bed.workers.running()
        )
        return (
            self.bed.kubectl("get", "spouts", "-o", "yaml", check=False).stdout + f"--- operator log\n{log}" + workers
        )
