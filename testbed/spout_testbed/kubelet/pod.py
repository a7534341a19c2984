"""One Pod that runs: its sandbox, its volumes, and its containers, each of which starts again when it has ended."""

import http
import shutil
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from spout_testbed.kube_api import Json
from spout_testbed.kubelet import environment, image_pull, status
from spout_testbed.kubelet.cluster import Cluster
from spout_testbed.kubelet.environment import ConfigError
from spout_testbed.kubelet.log import ContainerLog
from spout_testbed.kubelet.process import ContainerProcess
from spout_testbed.kubelet.sandbox import Sandbox
from spout_testbed.kubelet.server import NoLogError
from spout_testbed.kubelet.status import ContainerStatus
from spout_testbed.kubelet.volumes import Volumes

RESTART_SECONDS = 1.0
"""Seconds from the end of a container to its restart. A kubelet waits longer each time, which would slow down tests."""

_NO_IMAGE = {
    image_pull.PULL_FAILED: "image can't be pulled",
    image_pull.BACK_OFF: "trying and failing to pull image",
}
"""Why there is no log yet, in the words of a kubelet, by the reason for which the container waits."""

Images = Mapping[str, Mapping[str, Path]]
"""The files of the images that the test bed knows: for each image, the file at each path."""


class Container:
    """One container of a Pod."""

    def __init__(self, spec: Json, *, folder: Path, log: Path) -> None:
        self.spec = spec
        self.status = ContainerStatus(name=spec["name"], image=spec["image"])
        self.process = ContainerProcess(folder, log=log)
        self._start_at = 0.0

    @property
    def may_start(self) -> bool:
        """Whether it does not run, and its pause is over."""
        return not self.status.is_running and time.monotonic() >= self._start_at

    def started(self) -> None:
        """Note that it runs. It has restarted if it ran before."""
        self.status.restarts += bool(self.status.last_state)
        self.status.state = status.running(now())

    def cannot_start(self, reason: str, message: str) -> None:
        """Note why it cannot start; it tries again after a pause."""
        self.status.state = status.waiting(reason, message)
        self._start_at = time.monotonic() + RESTART_SECONDS

    def lacks_image(self) -> bool:
        """Note that its image cannot be pulled, if so. The second time and later, it backs off."""
        problem = image_pull.pull_problem(self.spec["image"])
        if problem and self.status.waiting_reason in (image_pull.PULL_FAILED, image_pull.BACK_OFF):
            self.cannot_start(image_pull.BACK_OFF, image_pull.back_off(self.spec["image"], problem))
        elif problem:
            self.cannot_start(image_pull.PULL_FAILED, problem)
        return bool(problem)

    def notice_end(self, *, once: bool) -> None:
        """Note that its process has ended, if it has.

        Args:
            once: whether it is done when it ends with exit code 0, as an init container is.
        """
        code = self.process.exit_code
        if code is None or not self.status.is_running:
            return
        ended = status.terminated(code, started=self.status.state["running"]["startedAt"], now=now())
        if once and code == 0:
            self.status.state = ended
            return
        self.status.last_state = ended
        message = f"back-off {RESTART_SECONDS:g}s restarting failed container={self.status.name}"
        self.cannot_start("CrashLoopBackOff", message)


class Pod:
    """A Pod that runs."""

    def __init__(
        self, pod: Json, *, number: int, folder: Path, images: Images, services: Mapping[str, str], cluster: Cluster
    ) -> None:
        self.name: str = pod["metadata"]["name"]
        self.uid: str = pod["metadata"]["uid"]
        self.labels: Mapping[str, str] = pod["metadata"].get("labels", {})
        self.controller = str(pod["metadata"]["ownerReferences"][0]["name"])
        self.problem = ""
        """Why a volume cannot be created. Empty if nothing is wrong."""
        self._pod = pod
        self._folder = folder
        self._images = images
        self._services = services
        self._cluster = cluster
        spec = pod["spec"]
        self._volumes = Volumes(spec, folder / "volumes")
        self._init = [self._container(each) for each in spec.get("initContainers", [])]
        self._containers = [self._container(each) for each in spec["containers"]]
        self._reported: Json = {}
        self._prepare_at = 0.0
        self._is_prepared = False
        self.sandbox = Sandbox(number)

    def container(self, name: str) -> Container | None:
        """The container of this name, unless it is an init container."""
        return next((each for each in self._containers if each.status.name == name), None)

    def log_of(self, name: str, *, previous: bool) -> ContainerLog:
        """The log of a container, chosen as a kubelet does (validateContainerLogStatus in pkg/kubelet/kubelet_pods.go).

        Args:
            name: the container; an init container, too.
            previous: whether to look at its last end, even if it runs again.

        Raises:
            NoLogError: there is none. The words are those of a kubelet.
        """
        found = next((each for each in (*self._init, *self._containers) if each.status.name == name), None)
        if found is None:
            raise NoLogError(f'container "{name}" not found in pod "{self.name}"', http.HTTPStatus.NOT_FOUND)
        waits = found.status.waiting_reason
        log = found.process.last if waits or not previous else found.process.last_but_one
        if log is not None:
            return log
        if previous:
            raise NoLogError(f'previous terminated container "{name}" in pod "{self.name}" not found')
        why = _NO_IMAGE.get(waits, waits)
        raise NoLogError(f'container "{name}" in pod "{self.name}" is waiting to start: {why}')

    def step(self) -> None:
        """Bring the containers, and the status of the Pod in Kubernetes, one step forward."""
        for each in self._init:
            each.notice_end(once=True)
        for each in self._containers:
            each.notice_end(once=False)
        if self._is_prepared or self._prepare():
            self._start_what_may()
        self._report()

    def close(self) -> None:
        """Kill all containers, and delete their files except the logs."""
        for each in (*self._init, *self._containers):
            each.process.kill()
        self.sandbox.close()
        for name in ("containers", "volumes"):
            shutil.rmtree(self._folder / name, ignore_errors=True)

    def tail(self, lines: int = 20) -> str:
        """The last lines of the logs of all containers."""
        shown = [f"{self.name}: {self.problem}"] if self.problem else []
        for each in (*self._init, *self._containers):
            log = each.process.log
            last = log.read_text(errors="replace").splitlines()[-lines:] if log.exists() else []
            shown += [f"{self.name}/{each.status.name}: {each.status.state}, {log}", *last]
        return "\n".join(shown)

    def _container(self, spec: Json) -> Container:
        name = spec["name"]
        return Container(spec, folder=self._folder / "containers" / name, log=self._folder / f"{name}.log")

    def _prepare(self) -> bool:
        """Create the volumes. Returns whether they are all there."""
        if time.monotonic() < self._prepare_at:
            return False
        account = self._pod["spec"].get("serviceAccountName", "")
        try:
            self._volumes.create(self._cluster.read, self._cluster.account(account) if account else {})
        except ConfigError as error:
            self.problem = f"MountVolume.SetUp failed: {error}"
            self._prepare_at = time.monotonic() + RESTART_SECONDS
            return False
        self.problem = ""
        self._is_prepared = True
        return True

    def _start_what_may(self) -> None:
        for each in self._init:
            if not each.status.succeeded:
                if each.may_start:
                    self._start(each)
                for other in self._containers:
                    other.status.state = status.INITIALIZING
                return
        for each in self._containers:
            if each.may_start:
                self._start(each)

    def _start(self, container: Container) -> None:
        if container.lacks_image():
            return
        metadata = self._pod["metadata"]
        fields = {
            "metadata.name": self.name,
            "metadata.namespace": metadata["namespace"],
            "metadata.uid": self.uid,
            "spec.nodeName": self._pod["spec"]["nodeName"],
            "status.podIP": self.sandbox.address,
            **{f"metadata.labels['{key}']": value for key, value in self.labels.items()},
            **{f"metadata.annotations['{key}']": value for key, value in metadata.get("annotations", {}).items()},
        }
        services = {"HOSTNAME": self.name, **self._services}
        spec = container.spec
        try:
            env = environment.environment(spec, services=services, fields=fields, read=self._cluster.read)
            command = environment.command(spec, env)
        except ConfigError as error:
            container.cannot_start("CreateContainerConfigError", str(error))
            return
        files = {path: str(file) for path, file in self._images.get(spec["image"], {}).items()}
        container.process.start(
            command,
            enter=self.sandbox.enter,
            env=env,
            mounts=files | self._volumes.mounts(spec),
            folder=spec.get("workingDir") or "/",
        )
        container.started()

    def _report(self) -> None:
        """Write the status of the Pod if it has changed."""
        found = status.pod_status(
            init=[each.status for each in self._init],
            containers=[each.status for each in self._containers],
            address=self.sandbox.address if self._is_prepared else "",
            previous=self._reported,
            now=now(),
        )
        if found != self._reported:
            self._cluster.report_pod(self.name, found)
            self._reported = found


def now() -> str:
    """The time, as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
