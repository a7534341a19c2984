"""Runs the workers of pachd's pipelines on a machine without a cluster.

pachd creates a ReplicationController for each pipeline version. In a cluster, a controller creates the Pod, a scheduler
assigns it to a node, and a kubelet runs it. Here one loop does the work of all three: it compares the
ReplicationControllers with the workers that run, and makes one step.
"""

import contextlib
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spout_testbed import pods
from spout_testbed.errors import TestbedError
from spout_testbed.kube_api import Json, KubeApi, KubeApiError
from spout_testbed.pachd_1 import PLACE
from spout_testbed.waiting import eventually
from spout_testbed.worker_slot import Slot

INTERVAL = 0.2
"""Seconds between two reads of the ReplicationControllers."""

_CORE = f"/api/v1/namespaces/{PLACE.namespace}"


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A worker that runs and answers pachd."""

    pipeline: str
    version: int
    pid: int
    """The process ID, as seen inside the test bed."""
    restarts: int
    log: Path


class Workers:
    """The runner of all workers of one test bed."""

    def __init__(self, api: KubeApi, *, binary: Path, folder: Path) -> None:
        self._api = api
        self._binary = binary
        self._folder = folder
        self._slots: dict[str, Slot] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._count = 0
        self._thread = threading.Thread(target=self._run, name="workers", daemon=True)
        folder.mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        """Start to watch the ReplicationControllers."""
        self._api.ensure("/api/v1/nodes", pods.node())
        self._thread.start()

    def stop(self) -> None:
        """Kill all workers, and stop watching the ReplicationControllers."""
        self._stopping.set()
        self._thread.join()
        for slot in self._slots.values():
            slot.close()
        self._slots.clear()
        self._api.close()

    def running(self) -> list[Worker]:
        """The workers that currently run and answer."""
        with self._lock:
            slots = list(self._slots.values())
        return [worker for slot in slots if (worker := _worker(slot)) is not None]

    def kill(self, pipeline: str) -> int:
        """Kill the worker of the pipeline and its user code with SIGKILL, as an out-of-memory kill does.

        The runner starts the worker again about a second later.

        Returns:
            The process ID of the killed worker.

        Raises:
            TestbedError: no worker of the pipeline runs.
        """
        with self._lock:
            slots = [slot for slot in self._slots.values() if slot.pipeline == pipeline]
        for slot in slots:
            if (pid := slot.process.kill()) is not None:
                return pid
        raise TestbedError(f"pipeline {pipeline!r} has no running worker: {self._described()}")

    def wait_running(self, pipeline: str, timeout: float = 30.0) -> Worker:
        """Return the worker of the pipeline when it runs and answers."""

        def found() -> list[Worker]:
            return [worker for worker in self.running() if worker.pipeline == pipeline]

        eventually(
            lambda: bool(found()),
            what=f"the worker of pipeline {pipeline!r} to run",
            seconds=timeout,
            details=self._described,
        )
        # After an update, the worker of the old version may still be ending.
        return max(found(), key=lambda worker: worker.version)

    def _described(self) -> str:
        with self._lock:
            slots = list(self._slots.values())
        described = [
            f"{slot.name}: restarts {slot.restarts}, {slot.problem or 'no problem'}, log {slot.process.log}\n"
            f"{slot.tail()}"
            for slot in slots
        ]
        return "\n".join(described) or f"no worker is wanted (the runner's log: {self._folder / 'runner.log'})"

    def _run(self) -> None:
        while not self._stopping.wait(INTERVAL):
            with self._logged("list"):
                self._step()

    def _step(self) -> None:
        listed = self._api.get(f"{_CORE}/replicationcontrollers?labelSelector=component%3Dworker")
        wanted = {item["metadata"]["name"]: item for item in listed["items"] if pods.wants_worker(item)}
        for name, slot in list(self._slots.items()):
            # When a pipeline is stopped or updated, pachd replaces its ReplicationController with one of the same name.
            if name not in wanted or wanted[name]["metadata"]["uid"] != slot.uid:
                self._remove(name)
        for name, controller in wanted.items():
            with self._logged(name):
                if name not in self._slots:
                    self._add(controller)
                self._slots[name].step(self._api)

    def _add(self, controller: Json) -> None:
        name = controller["metadata"]["name"]
        pod = pods.new_pod(controller, name=f"{name}-{secrets.token_hex(3)}")
        created = self._api.create(f"{_CORE}/pods", pod)
        self._count += 1
        try:
            slot = Slot(controller, created, number=self._count, binary=self._binary, folder=self._folder / name)
        except OSError:
            # The next step tries again, with another Pod.
            self._api.delete(f"{_CORE}/pods/{created['metadata']['name']}")
            raise
        with self._lock:
            self._slots[name] = slot

    def _remove(self, name: str) -> None:
        slot = self._slots[name]
        # The worker has to end before this runner forgets it.
        slot.close()
        with self._lock:
            del self._slots[name]
        with self._logged(name):
            self._api.delete(f"{_CORE}/pods/{slot.pod_name}")
            slot.report_gone(self._api)

    @contextlib.contextmanager
    def _logged(self, what: str) -> Iterator[None]:
        """Log an error. The next step tries again."""
        try:
            yield
        except (KubeApiError, OSError, TestbedError) as error:
            with (self._folder / "runner.log").open("a") as log:
                log.write(f"{time.strftime('%H:%M:%S')} {what}: {error}\n")


def _worker(slot: Slot) -> Worker | None:
    pid = slot.process.pid
    if not slot.ready or pid is None or not slot.process.is_alive:
        return None
    return Worker(pipeline=slot.pipeline, version=slot.version, pid=pid, restarts=slot.restarts, log=slot.process.log)
