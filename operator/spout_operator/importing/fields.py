"""The fields of a pipeline spec: which a Spout has, and why it does not have the others.

Read in the pps.proto of the releases 1.13.4 and 2.12.2, which differ in the spelling too: what they print has
`snake_case`, and their JSON may have `camelCase`, which is what a Spout has.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

Convert = Callable[[Any], Any]


class Each(dict[str, Any]):
    """The fields of every item of a list."""


def as_is(value: object) -> object:
    """A value that a Spout has as the pipeline spec has it, or one that `core.spec.parsing` refuses."""
    return value


def number(value: object) -> object:
    """An integer: the JSON of protobuf has those of 64 bits as texts."""
    return int(value) if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value) else value


def word(words: Mapping[str, str]) -> Convert:
    """A value of an enumeration: the word that Kubernetes has for it."""
    return lambda value: words.get(value, value) if isinstance(value, str) else value


_RESOURCES = {"cpu": as_is, "memory": as_is, "disk": as_is, "gpu": {"type": as_is, "number": number}}
#: What a Spout has. A dictionary is an object, and a function makes the Spout's value of the spec's.
SPEC: Mapping[str, Any] = {
    "description": as_is,
    "transform": {
        "image": as_is,
        "cmd": as_is,
        "stdin": as_is,
        "env": as_is,
        "secrets": Each(name=as_is, key=as_is, envVar=as_is, mountPath=as_is),
        "imagePullSecrets": as_is,
        "workingDir": as_is,
        "user": as_is,
    },
    "spout": {
        "overwrite": as_is,
        "marker": as_is,
        "service": {"internalPort": number, "externalPort": number, "type": as_is},
    },
    "resourceRequests": _RESOURCES,
    "resourceLimits": _RESOURCES,
    "sidecarResourceRequests": _RESOURCES,
    "sidecarResourceLimits": _RESOURCES,
    "schedulingSpec": {"nodeSelector": as_is, "priorityClassName": as_is},
    "tolerations": Each(
        key=as_is,
        operator=word({"EXISTS": "Exists", "EQUAL": "Equal"}),
        value=as_is,
        effect=word(
            {
                "ALL_EFFECTS": "",
                "NO_SCHEDULE": "NoSchedule",
                "PREFER_NO_SCHEDULE": "PreferNoSchedule",
                "NO_EXECUTE": "NoExecute",
            }
        ),
        tolerationSeconds=number,
    ),
    "podPatch": as_is,
}

UNKNOWN = "this is no field of a pipeline spec that the operator knows"
_NO_FIELD = "a Spout has no such field"
_DATUMS = "it is about the jobs and datums of a pipeline with an input, and a spout has none"
_REQUEST = "it is about one request of pachctl and not about the pipeline"
_IMAGE = "a Spout does not build its image; build it, push it, and name it in transform.image"

#: What a Spout does not have, and why. The text goes on after the name of the field.
LEFT_OUT: Mapping[str, str] = {
    "autoscaling": "Pachyderm does not scale a spout",
    "cacheSize": _NO_FIELD,
    "chunkSpec": _DATUMS,
    "datumSetSpec": _DATUMS,
    "datumTimeout": _DATUMS,
    "datumTries": _DATUMS,
    "determined": _NO_FIELD,
    "dryRun": _REQUEST,
    "egress": _DATUMS,
    "enableStats": _DATUMS,
    "hashtreeSpec": _DATUMS,
    "input": _NO_FIELD,
    "jobTimeout": _DATUMS,
    "maxQueueSize": _DATUMS,
    "maximumExpectedUptime": _NO_FIELD,
    "metadata.annotations": "a Spout has no field for the annotations of its Pod",
    "metadata.labels": "a Spout has no field for the labels of its Pod",
    "outputBranch": "a Spout always writes to the branch master",
    "parallelismSpec": "a Spout has no such field, and a new pipeline has one worker",
    "podSpec": "Pachyderm has replaced it by podPatch, which a Spout has too",
    "reprocess": _REQUEST,
    "reprocessSpec": _DATUMS,
    "s3Out": "Pachyderm does not support it for a spout",
    "service": "a Spout has its Service in spout.service",
    "spout.service.ip": "Kubernetes chooses the address of a Service",
    "standby": "a Spout has no such field; to stop the spout, set suspend",
    "tfJob": _NO_FIELD,
    "transform.acceptReturnCode": "a Spout has no such field; let the program exit with 0",
    "transform.build": _IMAGE,
    "transform.datumBatching": _DATUMS,
    "transform.debug": _NO_FIELD,
    "transform.dockerfile": _IMAGE,
    "transform.errCmd": _DATUMS,
    "transform.errStdin": _DATUMS,
    "transform.memoryVolume": _NO_FIELD,
    "transform.secrets.value": "a Spout names a Secret and never holds its content; make the Secret with kubectl",
    "update": _REQUEST,
}

#: What the server fills in, where it is nothing that somebody asked for.
DEFAULTS: Mapping[str, tuple[object, ...]] = {
    "cacheSize": ("64M",),
    "datumTries": ("3", 3),
    "maxQueueSize": ("1", 1),
    "outputBranch": ("master",),
    "parallelismSpec": ({"constant": "1"}, {"constant": 1}),
    "reprocessSpec": ("until_success",),
}
#: What the server, or an editor, writes beside the spec: it asks for nothing.
NOT_ASKED_FOR = frozenset(
    (
        "$schema",
        "authToken",
        "createdAt",
        "createdBy",
        "details",
        "effectiveSpecJson",
        "githookUrl",
        "id",
        "jobCounts",
        "lastJobState",
        "parallelism",
        "pipeline",
        "reason",
        "recentError",
        "salt",
        "specCommit",
        "state",
        "stopped",
        "type",
        "unclaimedTasks",
        "updatedAt",
        "userSpecJson",
        "version",
        "workerRc",
        "workersAvailable",
        "workersRequested",
        "workersStartedAt",
    )
)


def camel_case(key: str) -> str:
    """A field as a Spout spells it, whichever way it is written."""
    first, *others = key.split("_")
    name = first + "".join(other[:1].upper() + other[1:] for other in others)
    # What Go made of these three.
    return {"TFJob": "tfJob", "IP": "ip", "githookURL": "githookUrl"}.get(name, name)
