"""Runs the workers of one Pachyderm's pipelines on a machine without a cluster.

pachd creates a ReplicationController for each pipeline version. In a cluster, a controller creates the Pod, a scheduler
assigns it to a node, and a kubelet runs it. Here one loop does the work of all three: it compares the
ReplicationControllers with the Pods, and the Pods with what runs, and makes one step.
"""

import contextlib
import http
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spout_testbed.errors import TestbedError
from spout_testbed.kube_api import Json, KubeApiError
from spout_testbed.kubelet import replicas, status
from spout_testbed.kubelet.cluster import Cluster
from spout_testbed.kubelet.log import ContainerLog
from spout_testbed.kubelet.pod import Container, Images, Pod, now
from spout_testbed.kubelet.server import NoLogError
from spout_testbed.network import WORKER_PORT, port_answers
from spout_testbed.waiting import eventually

INTERVAL = 0.2
"""Seconds between two reads of the ReplicationControllers and Pods."""
USER_CONTAINER = "user"


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A worker that runs and answers pachd."""

    pipeline: str
    version: int
    pod: str
    """The name of its Pod."""
    pid: int
    """The process ID of its user container, as seen inside the test bed."""
    restarts: int
    """The restarts of its user container."""
    log: Path
    """The output of the worker and of the user code, one start after the other."""


class Workers:
    """The runner of all workers of one Pachyderm."""

    def __init__(
        self, cluster: Cluster, *, images: Images, services: Mapping[str, str], folder: Path, first_number: int
    ) -> None:
        self._cluster = cluster
        self._images = images
        self._services = services
        self._folder = folder
        self._number = first_number
        """The number of the next Pod. No two Pods of a test bed have the same."""
        self._pods: dict[str, Pod] = {}
        """By the uid of the Pod."""
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="workers", daemon=True)
        self.runs: Callable[[str], bool] = lambda _pipeline: True
        """Whether the workers of a pipeline run, by its name. A suite that plays the spouts itself has none."""
        folder.mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        """Start to watch the ReplicationControllers."""
        self._cluster.register_node()
        self._thread.start()

    def stop(self) -> None:
        """Kill all workers, and stop watching the ReplicationControllers."""
        self._stopping.set()
        self._thread.join()
        for pod in self._pods.values():
            pod.close()
        self._pods.clear()
        self._cluster.close()

    def running(self) -> list[Worker]:
        """The workers that currently run and answer."""
        return [worker for pod in self._running_pods() if (worker := _worker(pod)) is not None]

    def kill(self, pipeline: str, container: str = USER_CONTAINER) -> int:
        """Kill a container of the pipeline's worker with SIGKILL, as an out-of-memory kill does.

        The container starts again about a second later. The others of the Pod go on.

        Returns:
            The process ID of the killed container.

        Raises:
            TestbedError: no such container of the pipeline runs.
        """
        for found in self._containers(pipeline, container):
            pid = found.process.kill()
            if pid is not None:
                return pid
        raise self._no_running(pipeline, container)

    @contextlib.contextmanager
    def paused(self, pipeline: str, container: str = USER_CONTAINER) -> Iterator[None]:
        """Have a container of the pipeline's worker stand still, as on a machine that swaps.

        Raises:
            TestbedError: no such container of the pipeline runs.
        """
        pid = next((found.process.pid for found in self._containers(pipeline, container) if found.process.pid), None)
        if pid is None:
            raise self._no_running(pipeline, container)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            # It may have been deleted meanwhile.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def log(self, pipeline: str, container: str) -> Path:
        """The output of a container of the pipeline's newest worker, one start after the other.

        Raises:
            TestbedError: there is no such container.
        """
        found = [each.process.log for each in self._containers(pipeline, container)]
        if not found:
            raise TestbedError(f"pipeline {pipeline!r} has no container {container!r}: {self._described()}")
        return found[-1]

    def log_of(self, pod: str, container: str, *, previous: bool) -> ContainerLog:
        """The log of a container, as the API server asks a kubelet for it.

        Raises:
            NoLogError: there is none.
        """
        found = next((each for each in self._running_pods() if each.name == pod), None)
        if found is None:
            raise NoLogError(f'pod "{pod}" does not exist', http.HTTPStatus.NOT_FOUND)
        return found.log_of(container, previous=previous)

    def wait_running(self, pipeline: str, timeout: float = 30.0) -> Worker:
        """Return the worker of the pipeline when it runs and answers."""

        def found() -> list[Worker]:
            return [worker for worker in self.running() if worker.pipeline == pipeline]

        workers = eventually(
            found, what=f"the worker of pipeline {pipeline!r} to run", seconds=timeout, details=self._described
        )
        # After an update, the worker of the old version may still be ending.
        return max(workers, key=lambda worker: worker.version)

    def _running_pods(self) -> list[Pod]:
        with self._lock:
            return list(self._pods.values())

    def _containers(self, pipeline: str, name: str) -> list[Container]:
        own = [pod for pod in self._running_pods() if pod.labels.get(replicas.PIPELINE_LABEL) == pipeline]
        return [found for pod in own if (found := pod.container(name)) is not None]

    def _no_running(self, pipeline: str, container: str) -> TestbedError:
        return TestbedError(f"pipeline {pipeline!r} has no running container {container!r}: {self._described()}")

    def _described(self) -> str:
        described = [pod.tail() for pod in self._running_pods()]
        return "\n".join(described) or f"no worker is wanted (the runner's log: {self._folder / 'runner.log'})"

    def _run(self) -> None:
        while not self._stopping.wait(INTERVAL):
            with self._logged("list"):
                self._step()

    def _step(self) -> None:
        controllers = [each for each in self._cluster.controllers() if self.runs(replicas.pipeline_name(each))]
        pods = [pod for pod in self._cluster.pods() if replicas.owner_of(pod)]
        for pod in replicas.surplus(controllers, pods):
            with self._logged(pod["metadata"]["name"]):
                # The containers end first: a Pod is there as long as they run.
                self._remove(pod["metadata"]["uid"])
                self._cluster.delete_pod(pod["metadata"]["name"])
                pods.remove(pod)
        for controller in replicas.missing(controllers, pods):
            name = controller["metadata"]["name"]
            with self._logged(name):
                self._cluster.create_pod(replicas.new_pod(controller, name=f"{name}-{secrets.token_hex(3)}"))
        existing = {pod["metadata"]["uid"]: pod for pod in pods}
        for uid in set(self._pods) - set(existing):
            self._remove(uid)
        for uid, pod in existing.items():
            with self._logged(pod["metadata"]["name"]):
                if "nodeName" not in pod["spec"]:
                    self._report_unscheduled(pod)
                    continue
                if uid not in self._pods:
                    self._add(pod)
                self._pods[uid].step()
        self._report(controllers, pods)

    def _report_unscheduled(self, pod: Json) -> None:
        if replicas.is_new_and_unscheduled(pod):
            self._cluster.report_pod(pod["metadata"]["name"], status.unscheduled(now()))

    def _add(self, pod: Json) -> None:
        self._number += 1
        added = Pod(
            pod,
            number=self._number,
            folder=self._folder / pod["metadata"]["name"],
            images=self._images,
            services=self._services,
            cluster=self._cluster,
        )
        with self._lock:
            self._pods[added.uid] = added

    def _remove(self, uid: str) -> None:
        if uid in self._pods:
            self._pods[uid].close()
            with self._lock:
                del self._pods[uid]

    def _report(self, controllers: Sequence[Json], pods: Sequence[Json]) -> None:
        """Write the status of each ReplicationController where it has changed."""
        for controller in controllers:
            own = [pod for pod in pods if replicas.owner_of(pod) == controller["metadata"]["uid"]]
            found = replicas.status_of(controller, own)
            # The API server leaves out zeros.
            if any(controller["status"].get(key, 0) != value for key, value in found.items()):
                with self._logged(controller["metadata"]["name"]):
                    self._cluster.report_controller(controller["metadata"]["name"], found)

    @contextlib.contextmanager
    def _logged(self, what: str) -> Iterator[None]:
        """Log an error. The next step tries again."""
        try:
            yield
        except (KubeApiError, OSError, TestbedError) as error:
            with (self._folder / "runner.log").open("a") as log:
                log.write(f"{time.strftime('%H:%M:%S')} {what}: {error}\n")


def _worker(pod: Pod) -> Worker | None:
    user = pod.container(USER_CONTAINER)
    if user is None or not user.status.is_running or not port_answers(WORKER_PORT, pod.sandbox.address):
        return None
    pid = user.process.pid
    if pid is None or replicas.PIPELINE_LABEL not in pod.labels:
        return None
    pipeline, version = replicas.pipeline_of(pod.labels, pod.controller)
    return Worker(
        pipeline=pipeline,
        version=version,
        pod=pod.name,
        pid=pid,
        restarts=user.status.restarts,
        log=user.process.log,
    )
