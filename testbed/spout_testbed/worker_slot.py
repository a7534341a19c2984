"""One Pod and its worker process, with the state that a kubelet keeps of a Pod."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from spout_testbed import pods
from spout_testbed.forward import Forwarder
from spout_testbed.kube_api import Json, KubeApi, KubeApiError
from spout_testbed.network import LOOPBACK, WORKER_PORT
from spout_testbed.pachd_1 import PLACE
from spout_testbed.worker_process import WorkerProcess

RESTART_SECONDS = 1.0
"""Seconds from the end of a worker to its restart. A kubelet waits longer each time, but tests should not have to."""

_FIRST_PORT = 20000
_ADDRESSES = 250
_CORE = f"/api/v1/namespaces/{PLACE.namespace}"


class Slot:
    """A Pod that exists, and its process."""

    def __init__(self, controller: Json, pod: Json, *, number: int, binary: Path, folder: Path) -> None:
        self.name: str = controller["metadata"]["name"]
        self.uid: str = controller["metadata"]["uid"]
        self.pipeline, self.version = pods.pipeline_of(controller)
        self.pod_name: str = pod["metadata"]["name"]
        self.restarts = 0
        self.ready = False
        self.problem = ""
        """Why the worker cannot start, in the words of a kubelet. Empty if nothing is wrong."""
        port = _FIRST_PORT + number
        self.process = WorkerProcess(binary, folder, port=port)
        self._pod = pod
        self._address = f"127.1.{number // _ADDRESSES}.{number % _ADDRESSES + 1}"
        self._forwarder = Forwarder((self._address, WORKER_PORT), (LOOPBACK, port))
        self._generation = controller["metadata"].get("generation", 1)
        self._started = False
        self._start_at = 0.0

    def step(self, api: KubeApi) -> None:
        """Bring the process, and its status in Kubernetes, one step forward."""
        if self.process.is_alive:
            if not self.ready and self.process.is_ready:
                self.ready = True
                self._report(api, pods.running_status(self._pod, **self._facts()))
        elif self._started:
            self._notice_end(api)
        elif time.monotonic() >= self._start_at:
            self._start(api)

    def close(self) -> None:
        """Kill the worker and all its children."""
        self.process.kill()
        self.ready = False
        self._forwarder.close()

    def report_gone(self, api: KubeApi) -> None:
        """Report in the status of the ReplicationController, if it still exists, that its Pod is gone."""
        try:
            api.patch(f"{_CORE}/replicationcontrollers/{self.name}/status", self._controller_status(0, 0))
        except KubeApiError as error:
            if error.status != 404:  # noqa: PLR2004 - the HTTP status
                raise

    def tail(self, lines: int = 20) -> str:
        """The last lines of the log of the worker."""
        if not self.process.log.exists():
            return ""
        return "\n".join(self.process.log.read_text(errors="replace").splitlines()[-lines:])

    def _start(self, api: KubeApi) -> None:
        read: dict[str, dict[str, bytes]] = {}

        def secret(name: str) -> Mapping[str, bytes]:
            if name not in read:
                read[name] = pods.secret_data(api.get(f"{_CORE}/secrets/{name}"))
            return read[name]

        try:
            container = pods.user_container(self._pod, address=self._address, secret=secret)
            for name in container.secret_mounts.values():
                secret(name)
        except (KubeApiError, KeyError) as error:
            self._cannot_start(api, str(error))
            return
        self.problem = ""
        self.process.start(container, read)
        self._started = True

    def _cannot_start(self, api: KubeApi, problem: str) -> None:
        self._start_at = time.monotonic() + RESTART_SECONDS
        if problem != self.problem:
            self.problem = problem
            facts = {key: value for key, value in self._facts().items() if key != "address"}
            reason = "CreateContainerConfigError"
            self._report(api, pods.waiting_status(self._pod, reason=reason, message=problem, **facts))

    def _notice_end(self, api: KubeApi) -> None:
        self.ready = False
        self._started = False
        self._start_at = time.monotonic() + RESTART_SECONDS
        message = f"the worker ended and starts again in {RESTART_SECONDS:g} s"
        facts = {key: value for key, value in self._facts().items() if key != "address"}
        self._report(api, pods.waiting_status(self._pod, reason="CrashLoopBackOff", message=message, **facts))
        self.restarts += 1

    def _facts(self) -> Json:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"address": self._address, "restarts": self.restarts, "now": now}

    def _report(self, api: KubeApi, status: Json) -> None:
        api.patch(f"{_CORE}/pods/{self.pod_name}/status", status)
        counts = self._controller_status(1, int(self.ready))
        api.patch(f"{_CORE}/replicationcontrollers/{self.name}/status", counts)

    def _controller_status(self, replicas: int, ready: int) -> Json:
        return {
            "status": {
                "replicas": replicas,
                "fullyLabeledReplicas": replicas,
                "readyReplicas": ready,
                "availableReplicas": ready,
                "observedGeneration": self._generation,
            }
        }
