"""The status of a Pod as a kubelet reports it. Pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from spout_testbed.kube_api import Json

#: States of a container: JSON as in the status of a Pod, with one key.
PENDING: Json = {"waiting": {"reason": "ContainerCreating"}}
INITIALIZING: Json = {"waiting": {"reason": "PodInitializing"}}


@dataclass(kw_only=True)
class ContainerStatus:
    """What the kubelet knows of one container."""

    name: str
    image: str
    state: Json = field(default_factory=lambda: PENDING)
    last_state: Json = field(default_factory=dict)
    restarts: int = 0

    @property
    def is_running(self) -> bool:
        """Whether its process runs."""
        return "running" in self.state

    @property
    def waiting_reason(self) -> str:
        """Why it does not run yet, or not again yet. Empty if it runs or is done."""
        return str(self.state.get("waiting", {}).get("reason", ""))

    @property
    def succeeded(self) -> bool:
        """Whether its process ended with exit code 0, and is not to run again."""
        return "terminated" in self.state and self.state["terminated"]["exitCode"] == 0


def running(now: str) -> Json:
    """The state of a container that runs."""
    return {"running": {"startedAt": now}}


def waiting(reason: str, message: str) -> Json:
    """The state of a container that does not run yet, or not again yet."""
    return {"waiting": {"reason": reason, "message": message}}


def terminated(code: int, *, started: str, now: str) -> Json:
    """The state of a container whose process ended.

    Args:
        code: its exit code, and 128 + N if signal N ended it.
        started: when it started.
        now: when it ended.
    """
    reason = "Completed" if code == 0 else "Error"
    return {"terminated": {"exitCode": code, "reason": reason, "startedAt": started, "finishedAt": now}}


def unscheduled(now: str) -> Json:
    """The status of a Pod that no node fits, in the words of the scheduler (only a nodeSelector is looked at)."""
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. "
        "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
        "lastTransitionTime": now,
    }
    return {"phase": "Pending", "conditions": [condition]}


def pod_status(
    *,
    init: Sequence[ContainerStatus],
    containers: Sequence[ContainerStatus],
    address: str,
    previous: Json,
    now: str,
) -> Json:
    """The status of a Pod.

    Args:
        init: its init containers, in order.
        containers: its other containers.
        address: its address; empty before it has one.
        previous: the status that was reported last; empty the first time.
        now: the time, for what changes.
    """
    initialized = all(each.succeeded for each in init)
    ready = initialized and all(each.is_running for each in containers)
    # One that never started keeps the Pod pending, as in a kubelet (getPhase in pkg/kubelet/kubelet_pods.go).
    has_run = all(each.is_running or each.last_state for each in containers)
    kinds = {"PodScheduled": True, "Initialized": initialized, "ContainersReady": ready, "Ready": ready}
    earlier = {each["type"]: each for each in previous.get("conditions", [])}
    status: Json = {
        "phase": "Running" if initialized and has_run else "Pending",
        "startTime": previous.get("startTime", now),
        "conditions": [_condition(kind, "True" if holds else "False", earlier, now) for kind, holds in kinds.items()],
        "containerStatuses": [_container(each, ready=each.is_running) for each in containers],
    }
    if init:
        status["initContainerStatuses"] = [_container(each, ready=each.succeeded) for each in init]
    if address:
        status |= {"podIP": address, "podIPs": [{"ip": address}]}
    return status


def _container(each: ContainerStatus, *, ready: bool) -> Json:
    status: Json = {
        "name": each.name,
        "image": each.image,
        "imageID": "",
        "ready": ready,
        "started": each.is_running,
        "restartCount": each.restarts,
        "state": each.state,
    }
    return status | ({"lastState": each.last_state} if each.last_state else {})


def _condition(kind: str, value: str, earlier: Mapping[str, Json], now: str) -> Json:
    unchanged = kind in earlier and earlier[kind]["status"] == value
    return {
        "type": kind,
        "status": value,
        "lastTransitionTime": earlier[kind]["lastTransitionTime"] if unchanged else now,
    }
