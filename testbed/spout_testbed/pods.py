"""The Pod of a ReplicationController, its status, and the environment of its user container. Pure functions."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from spout_testbed.kube_api import Json

NODE = "testbed"
USER_CONTAINER = "user"
PIPELINE_LABEL = "pipelineName"

SecretReader = Callable[[str], Mapping[str, bytes]]
"""Returns the entries of a Secret in the namespace of the pipelines. Raises an error if there is no such Secret."""


@dataclass(frozen=True, kw_only=True)
class Container:
    """The environment of the worker process of a Pod."""

    env: dict[str, str]
    secret_mounts: dict[PurePosixPath, str]
    """The name of the Secret that is mounted at each path."""


def node() -> Json:
    """The node on which all Pods of a test bed run."""
    return {
        "metadata": {"name": NODE},
        "status": {"conditions": [{"type": "Ready", "status": "True", "reason": "TestBed"}]},
    }


def wants_worker(controller: Json) -> bool:
    """Whether the ReplicationController asks for at least one Pod."""
    return bool(controller["spec"].get("replicas", 0)) and "deletionTimestamp" not in controller["metadata"]


def pipeline_of(controller: Json) -> tuple[str, int]:
    """The name and the version of the pipeline to which a `pipeline-NAME-vVERSION` belongs."""
    name = str(controller["metadata"]["labels"][PIPELINE_LABEL])
    version = str(controller["metadata"]["name"]).rpartition("-v")[2]
    return name, int(version)


def new_pod(controller: Json, *, name: str) -> Json:
    """The Pod that the ReplicationController asks for, already assigned to the only node."""
    template = controller["spec"]["template"]
    owner = {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "name": controller["metadata"]["name"],
        "uid": controller["metadata"]["uid"],
        "controller": True,
    }
    metadata = {
        "name": name,
        "labels": template["metadata"].get("labels", {}),
        "annotations": template["metadata"].get("annotations", {}),
        "ownerReferences": [owner],
    }
    return {"metadata": metadata, "spec": {**template["spec"], "nodeName": NODE}}


def running_status(pod: Json, *, address: str, restarts: int, now: str) -> Json:
    """The status that a kubelet reports when all containers run."""
    containers = [
        _container_status(container, restarts, ready=True, state={"running": {"startedAt": now}})
        for container in pod["spec"]["containers"]
    ]
    return _status("Running", containers, ready="True", address=address, now=now)


def waiting_status(pod: Json, *, reason: str, message: str, restarts: int, now: str) -> Json:
    """The status that a kubelet reports while the user container cannot run."""
    state = {"waiting": {"reason": reason, "message": message}}
    containers = [
        _container_status(container, restarts, ready=False, state=state) for container in pod["spec"]["containers"]
    ]
    return _status("Pending", containers, ready="False", address=None, now=now)


def user_container(pod: Json, *, address: str, secret: SecretReader) -> Container:
    """Resolve the references in the user container of the Pod, as a kubelet does.

    Raises:
        KeyError: a Secret does not have the key.
        Exception: the error that `secret` raises if there is no such Secret.
    """
    spec = next(each for each in pod["spec"]["containers"] if each["name"] == USER_CONTAINER)
    fields = {"metadata.name": pod["metadata"]["name"], "status.podIP": address}
    resolved = {each["name"]: _value(each, fields, secret) for each in spec.get("env", [])}
    env = {name: value for name, value in resolved.items() if value is not None}
    volumes = {each["name"]: each for each in pod["spec"].get("volumes", [])}
    secret_mounts = {
        PurePosixPath(mount["mountPath"]): str(volumes[mount["name"]]["secret"]["secretName"])
        for mount in spec.get("volumeMounts", [])
        if "secret" in volumes.get(mount["name"], {})
    }
    return Container(env=env, secret_mounts=secret_mounts)


def secret_data(secret: Json) -> dict[str, bytes]:
    """The entries of a Secret object."""
    return {key: base64.b64decode(value) for key, value in secret.get("data", {}).items()}


def _value(entry: Json, fields: Mapping[str, str], secret: SecretReader) -> str | None:
    source: dict[str, Any] = entry.get("valueFrom", {})
    if "fieldRef" in source:
        return fields[source["fieldRef"]["fieldPath"]]
    if reference := source.get("secretKeyRef"):
        entries = secret(reference["name"])
        # pachd marks the keys of its storage backend as optional. A missing optional key sets no variable.
        if reference.get("optional") and reference["key"] not in entries:
            return None
        return entries[reference["key"]].decode()
    return str(entry.get("value", ""))


def _container_status(container: Json, restarts: int, *, ready: bool, state: Json) -> Json:
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": ready,
        "started": ready,
        "restartCount": restarts if container["name"] == USER_CONTAINER else 0,
        "state": state,
    }


def _status(phase: str, containers: list[Json], *, ready: str, address: str | None, now: str) -> Json:
    kinds = {"PodScheduled": "True", "Initialized": "True", "ContainersReady": ready, "Ready": ready}
    conditions = [{"type": kind, "status": status, "lastTransitionTime": now} for kind, status in kinds.items()]
    status = {"phase": phase, "startTime": now, "conditions": conditions, "containerStatuses": containers}
    if address is not None:
        status |= {"podIP": address, "podIPs": [{"ip": address}], "hostIP": address}
    return {"status": status}
