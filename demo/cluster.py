"""The actions of the demo on kubectl, the operator and Pachyderm."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from demo import kafka
from demo.screen import DemoError, show, wait_for
from spout_operator.pachyderm.v1.sdk import Client
from spout_testbed import Testbed

ROOT = Path(__file__).resolve().parent.parent
SPOUT = "my-spout"
_HTTP_PORT = 8080


class Cluster:
    """The bed, with the operator in it."""

    def __init__(self, bed: Testbed) -> None:
        self.bed = bed
        self._operator: subprocess.Popen[bytes] | None = None
        self._shown: tuple[object, ...] = ()
        self._header = ""

    def install(self) -> None:
        """The CRD, and the operator's account with the rights of deploy/overlays/cluster-wide."""
        self.bed.kubectl("apply", "-k", str(ROOT / "deploy" / "overlays" / "cluster-wide"))
        self.bed.kubectl("wait", "--for=condition=Established", "crd/spouts.spout-operator.io", "--timeout=30s")

    def start_operator(self) -> None:
        """The operator as a process, with its own rights; returns when it is ready."""
        program = Path(sys.executable).with_name("spout-operator")
        argv = [
            str(program),
            "run",
            "--pachd-address",
            self.bed.pachd_address,
            "--poll-interval=1",
            "--quiet-interval=2",
            "--status-interval=1",
        ]
        env = {**os.environ, "KUBECONFIG": str(self.bed.kubeconfig_for_account("spout-operator", "spout-operator"))}
        with self.operator_log.open("ab") as log:
            self._operator = subprocess.Popen(argv, env=env, stdout=log, stderr=log)  # noqa: S603 - our own program
        wait_for("the operator to be ready", self._is_ready, seconds=20, details=self.operator_log.read_text)

    def stop_operator(self) -> None:
        """End the operator, if it runs."""
        if self._operator is not None:
            self._operator.terminate()
            self._operator.wait(timeout=20)
            self._operator = None

    @property
    def operator_log(self) -> Path:
        """What the operator logs."""
        return self.bed.folder / "operator.log"

    def apply_example(self, **env: str) -> None:
        """Apply examples/my-spout.yaml, with the Kafka of the demo and these additional environment variables.

        There is no container engine, so the worker runs a program of this machine instead of the image.
        """
        spout = yaml.safe_load((ROOT / "examples" / "my-spout.yaml").read_text(encoding="utf-8"))
        host, _, port = self.bed.kafka_bootstrap.partition(":")
        transform = spout["spec"]["transform"]
        transform["cmd"] = [sys.executable, str(ROOT / "examples" / "kafka" / "spout.py")]
        transform["env"] |= {"HOST": host, "PORT": port, "TOPIC": kafka.TOPIC, **env}
        spout["spec"]["spout"]["overwrite"] = True
        show(self.bed.kubectl("apply", "-f", "-", input=yaml.safe_dump(spout)).stdout)

    def _spout(self) -> dict[str, Any]:
        """The Spout as it is."""
        found = self.bed.kubectl("get", "spout", SPOUT, "-o", "json", check=False).stdout
        return dict(json.loads(found)) if found else {}

    def status(self) -> dict[str, Any]:
        """Its status."""
        return dict(self._spout()["status"])

    def watch_until(self, what: str, *, seconds: float, **wanted: object) -> dict[str, Any]:
        """Print `kubectl get spouts` whenever it changed, until the status is as wanted.

        `wanted` may name `ready` (the status of that condition), `state`, `marker` and `version`.
        """

        def look() -> dict[str, Any] | None:
            self.print_spouts()
            status = self._spout().get("status", {})
            seen = {
                "ready": next((c["status"] for c in status.get("conditions", []) if c["type"] == "Ready"), None),
                "state": status.get("pipeline", {}).get("state"),
                "version": status.get("pipeline", {}).get("version"),
                "marker": status.get("marker", {}).get("value"),
            }
            return status if all(seen[key] == value for key, value in wanted.items()) else None

        found = wait_for(what, look, seconds=seconds, details=self.details)
        self.print_spouts()
        return found

    def print_spouts(self) -> None:
        """Print `kubectl get spouts -o wide` whenever more than the ages in it has changed."""
        status = self._spout().get("status", {})
        ready: dict[str, Any] = next((c for c in status.get("conditions", ()) if c["type"] == "Ready"), {})
        pipeline, marker = status.get("pipeline", {}), status.get("marker", {})
        seen = (ready.get("reason"), pipeline.get("state"), pipeline.get("version"), marker.get("summary"))
        lines = self.bed.kubectl("get", "spouts", "-o", "wide", check=False).stdout.splitlines()
        if lines and seen != self._shown:
            # kubectl computes the widths of the columns again each time.
            show("\n".join(lines if lines[0] != self._header else lines[1:]))
            self._shown, self._header = seen, lines[0]

    def messages(self) -> dict[str, int]:
        """All messages in the repo of the spout, each with the number of its files."""
        client = Client.new_from_pachd_address(self.bed.pachd_address)
        found: dict[str, int] = {}
        for info in client.walk_file((SPOUT, "master"), "/"):
            if info.size_bytes and not info.children and info.file_type == 1:
                text = b"".join(client.get_file((SPOUT, "master"), info.file.path)).decode()
                found[text] = found.get(text, 0) + 1
        return found

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
        """What somebody wants to see who has to find out why a step did not hold."""
        workers = "".join(
            f"\n--- worker log\n{worker.log.read_text()[-2000:]}" for worker in self.bed.workers.running()
        )
        return (
            self.bed.kubectl("get", "spouts", "-o", "yaml", check=False).stdout
            + f"--- operator log\n{self.operator_log.read_text()[-3000:]}"
            + workers
        )

    def _is_ready(self) -> bool | None:
        if self._operator is not None and self._operator.poll() is not None:
            raise DemoError(f"the operator ended with {self._operator.returncode}:\n{self.operator_log.read_text()}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{_HTTP_PORT}/readyz", timeout=1):
                return True
        except (urllib.error.URLError, OSError):
            return None
