"""From ReplicationControllers to Pods. Pure functions."""

from collections.abc import Mapping, Sequence

from spout_testbed.kube_api import Json

NODE = "testbed"
PIPELINE_LABEL = "pipelineName"


def node() -> Json:
    """The node on which all Pods of a test bed run."""
    return {
        "metadata": {"name": NODE},
        "status": {"conditions": [{"type": "Ready", "status": "True", "reason": "TestBed"}]},
    }


def wants_pod(controller: Json) -> bool:
    """Whether the ReplicationController asks for at least one Pod."""
    return bool(controller["spec"].get("replicas", 0)) and "deletionTimestamp" not in controller["metadata"]


def pipeline_name(controller: Json) -> str:
    """The name of the pipeline that a ReplicationController is for; empty if it is for none."""
    return str(controller["metadata"].get("labels", {}).get(PIPELINE_LABEL, ""))


def owner_of(pod: Json) -> str:
    """The uid of the ReplicationController that the Pod belongs to; empty if it belongs to none."""
    owners = pod["metadata"].get("ownerReferences", [])
    return next((str(each["uid"]) for each in owners if each["kind"] == "ReplicationController"), "")


def missing(controllers: Sequence[Json], pods: Sequence[Json]) -> list[Json]:
    """The ReplicationControllers that ask for a Pod and have none."""
    owned = {owner_of(pod) for pod in pods}
    return [each for each in controllers if wants_pod(each) and each["metadata"]["uid"] not in owned]


def surplus(controllers: Sequence[Json], pods: Sequence[Json]) -> list[Json]:
    """The Pods that have to end: somebody deleted them, or their ReplicationController is gone or asks for none."""
    wanted = {each["metadata"]["uid"] for each in controllers if wants_pod(each)}
    return [
        pod
        for pod in pods
        if (owner := owner_of(pod)) and (owner not in wanted or "deletionTimestamp" in pod["metadata"])
    ]


def pipeline_of(labels: Mapping[str, str], controller: str) -> tuple[str, int]:
    """The name and the version of the pipeline that a worker belongs to.

    Args:
        labels: the labels of its Pod.
        controller: the name of its ReplicationController, which ends in `-vVERSION`.
    """
    return labels[PIPELINE_LABEL], int(controller.rpartition("-v")[2])


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


def status_of(controller: Json, pods: Sequence[Json]) -> Json:
    """The status of a ReplicationController with these Pods."""
    replicas = len(pods)
    ready = sum(any(each["type"] == "Ready" and each["status"] == "True" for each in _conditions(pod)) for pod in pods)
    return {
        "replicas": replicas,
        "fullyLabeledReplicas": replicas,
        "readyReplicas": ready,
        "availableReplicas": ready,
        "observedGeneration": controller["metadata"].get("generation", 1),
    }


def _conditions(pod: Json) -> list[Json]:
    return list(pod.get("status", {}).get("conditions", []))
