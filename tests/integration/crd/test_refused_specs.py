"""Specs that the API server refuses, with the field that it names and the message for the reader."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from kubernetes import client

from spout_operator.pachyderm.v1.worker_pod import MOUNT_PATHS, VOLUMES, VOLUMES_OF_SOME_SERVERS
from spout_testbed.harness.bodies import ABSENT, a_spout
from spout_testbed.harness.spouts import Spouts
from tests.integration.crd.refusals import Refusal, refusals


@dataclass(frozen=True)
class Row:
    """A spec that is refused for exactly one cause: at the field `at`, with a message that contains `says`."""

    id: str
    reason: str
    changes: Mapping[str, object]
    at: str
    says: str
    name: str = "my-spout"


def secrets(*entries: Mapping[str, str]) -> dict[str, object]:
    """Changes that give the spout these Secrets."""
    return {"transform.secrets": list(entries)}


NAMES = [
    Row(
        "long-name",
        "measured: pachd takes it, Kubernetes refuses the label, the pipeline fails",
        {"name": "n" * 52},
        "spec.name",
        "the name is too long, because Pachyderm runs only pipelines whose name has at most 51 characters: shorten it",
    ),
    Row(
        "name-with-dot",
        "Pachyderm refuses it",
        {"name": "my.spout"},
        "spec.name",
        "Pachyderm cannot run a spout named 'my.spout': use lower-case letters, digits and '-', and begin and end with "
        "a letter or digit, as in 'my-spout'",
    ),
    Row(
        "name-with-underscore",
        "measured: FAILURE, as the name is part of the name of a Secret; Pachyderm's own examples have such names",
        {"name": "kafka_spout"},
        "spec.name",
        ", as in 'kafka-spout'",
    ),
    Row("name-with-capitals", "measured: the same", {"name": "My-Spout"}, "spec.name", ", as in 'my-spout'"),
    Row("name-with-both", "measured: the same", {"name": "My_Spout"}, "spec.name", ", as in 'my-spout'"),
    Row("name-to-dash", "measured: it starts for ever", {"name": "my-spout-"}, "spec.name", ", as in 'my-spout'"),
    Row("name-from-dash", "Pachyderm refuses it", {"name": "-a"}, "spec.name", ", as in 'a'"),
    Row("name-of-dashes", "no name is left", {"name": "--"}, "spec.name", "begin and end with a letter or digit"),
    Row("name-with-umlaut", "no proposal is better", {"name": "spöut"}, "spec.name", "begin and end with a letter or"),
    Row("empty-name", "absent is the way to say default", {"name": ""}, "spec.name", "begin and end with a letter"),
    Row(
        "dotted-default-name",
        "metadata.name may have dots, a pipeline may not",
        {},
        "spec.name",
        "metadata.name 'a.b' cannot be the name of a pipeline, which has at most 51 characters and no dots: "
        "set spec.name, for example to 'a-b'",
        "a.b",
    ),
    Row("long-default-name", "the same for its length", {}, "spec.name", f"for example to '{'n' * 51}'", "n" * 52),
    Row(
        "long-dotted-default-name",
        "what is cut off leaves no dash at the end",
        {},
        "spec.name",
        f"for example to '{'n' * 50}'",
        f"{'n' * 50}.{'n' * 50}",
    ),
]

TRANSFORM = [
    Row("no-transform", "nothing to run", {"transform": ABSENT}, "spec.transform", "Required value"),
    Row("no-image", "nothing to run", {"transform.image": ABSENT}, "spec.transform.image", "Required value"),
    Row("no-cmd", "nothing to run", {"transform.cmd": ABSENT}, "spec.transform.cmd", "Required value"),
    Row(
        "image-with-space",
        "two words are no image",
        {"transform.image": "my image"},
        "spec.transform.image",
        "'my image' is not an image reference: write [registry/]name with :tag, @sha256:digest or both",
    ),
    Row("empty-image", "empty", {"transform.image": ""}, "spec.transform.image", "not an image reference"),
    Row("image-capitals", "no registry has it", {"transform.image": "My/App"}, "spec.transform.image", "lower case"),
    Row("image-url", "a URL", {"transform.image": "docker://app"}, "spec.transform.image", "not an image reference"),
    Row("empty-tag", "half written", {"transform.image": "app:"}, "spec.transform.image", "not an image reference"),
    Row("short-digest", "cut off", {"transform.image": "a@sha256:12"}, "spec.transform.image", "@sha256:digest"),
    Row("empty-cmd", "nothing to run", {"transform.cmd": []}, "spec.transform.cmd", "at least 1 items"),
    Row(
        "cmd-without-program",
        "the first entry is what is run",
        {"transform.cmd": ["", "x"]},
        "spec.transform.cmd",
        "the first entry is empty: set it to the program to run",
    ),
    Row(
        "cmd-as-text",
        "it is not given to a shell",
        {"transform.cmd": "go run"},
        "spec.transform.cmd",
        "must be of type array",
    ),
    Row(
        "unquoted-env",
        "YAML reads 9092 as a number",
        {"transform.env": {"PORT": 9092}},
        "spec.transform.env.PORT",
        "must be of type string",
    ),
    Row(
        "env-from-digit",
        "Kubernetes refuses it in the Pod",
        {"transform.env": {"GOOD": "1", "1ST": "2"}},
        "spec.transform.env",
        "'1ST' is not a valid name of an environment variable: use letters, digits, '_', '-' and '.'",
    ),
    Row("empty-env", "no name", {"transform.env": {"": "x"}}, "spec.transform.env", "'' is not a valid name"),
    Row(
        "relative-working-dir",
        "relative to what?",
        {"transform.workingDir": "app"},
        "spec.transform.workingDir",
        "'app' is not an absolute path: begin it with '/'",
    ),
    Row("unquoted-user", "text", {"transform.user": 1000}, "spec.transform.user", "must be of type string"),
    Row("empty-user", "absent says default", {"transform.user": ""}, "spec.transform.user", "at least 1 chars"),
    Row(
        "pull-secret-twice",
        "a set",
        {"transform.imagePullSecrets": ["a", "a"]},
        "spec.transform.imagePullSecrets[1]",
        "Duplicate value",
    ),
    Row(
        "pull-secret-name",
        "no Secret has that name",
        {"transform.imagePullSecrets": ["My_Registry"]},
        "spec.transform.imagePullSecrets[0]",
        "'My_Registry' is not a valid name of a Kubernetes object: use lower-case letters, digits, '-' and '.'",
    ),
]

SECRETS = [
    Row(
        "secret-without-name",
        "which one?",
        secrets({"mountPath": "/etc/kafka"}),
        "spec.transform.secrets[0].name",
        "Required value",
    ),
    Row(
        "secret-name",
        "no Secret has that name",
        secrets({"name": "Kafka", "mountPath": "/etc/kafka"}),
        "spec.transform.secrets[0].name",
        "'Kafka' is not a valid name of a Kubernetes object",
    ),
    Row(
        "unused-secret",
        "it would go nowhere",
        secrets({"name": "kafka"}),
        "spec.transform.secrets[0]",
        "Secret 'kafka' is incomplete: set mountPath, or set key together with envVar",
    ),
    Row(
        "key-without-variable",
        "it would go nowhere",
        secrets({"name": "kafka", "key": "password"}),
        "spec.transform.secrets[0]",
        "set key together with envVar",
    ),
    Row(
        "variable-without-key",
        "which entry of the Secret?",
        secrets({"name": "kafka", "envVar": "PASSWORD"}),
        "spec.transform.secrets[0]",
        "set key together with envVar",
    ),
    Row(
        "mounted-with-key",
        "a mount holds every entry; a key is for a variable",
        secrets({"name": "kafka", "mountPath": "/etc/kafka", "key": "password"}),
        "spec.transform.secrets[0]",
        "set key together with envVar",
    ),
    Row(
        "secret-key",
        "a Secret cannot have it",
        secrets({"name": "kafka", "key": "a/b", "envVar": "A"}),
        "spec.transform.secrets[0].key",
        "'a/b' is not a valid key of a Secret",
    ),
    Row(
        "secret-variable",
        "Kubernetes refuses it in the Pod",
        secrets({"name": "kafka", "key": "a", "envVar": "A B"}),
        "spec.transform.secrets[0].envVar",
        "'A B' is not a valid name of an environment variable",
    ),
    Row(
        "relative-mount",
        "relative to what?",
        secrets({"name": "kafka", "mountPath": "etc/kafka"}),
        "spec.transform.secrets[0].mountPath",
        "'etc/kafka' is not a valid mount path: write an absolute path without ':'",
    ),
    Row(
        "mount-over-pfs",
        "it would hide the pipe",
        secrets({"name": "kafka", "mountPath": "/pfs/out"}),
        "spec.transform.secrets[0].mountPath",
        "'/pfs/out' is inside /pfs, which belongs to Pachyderm: use another path",
    ),
    Row(
        "mount-over-root",
        "measured: the Pod is made, and nothing of the image is left in it",
        secrets({"name": "kafka", "mountPath": "/"}),
        "spec.transform.secrets[0].mountPath",
        "a Secret mounted at '/' hides the whole image: use a folder of its own, such as /etc/kafka",
    ),
    Row(
        "mount-doubled-slash",
        "measured: Kubernetes takes it for another place than /pfs, and mounts over it",
        secrets({"name": "kafka", "mountPath": "//pfs"}),
        "spec.transform.secrets[0].mountPath",
        "'//pfs' is not the shortest form of its path: leave out '//', '/./' and '/../'",
    ),
    Row(
        "mount-with-parents",
        "the same",
        secrets({"name": "kafka", "mountPath": "/etc/../pfs"}),
        "spec.transform.secrets[0].mountPath",
        "leave out '//', '/./' and '/../'",
    ),
    Row(
        "mount-ends-with-dots",
        "the same",
        secrets({"name": "kafka", "mountPath": "/etc/.."}),
        "spec.transform.secrets[0].mountPath",
        "leave out '//', '/./' and '/../'",
    ),
    *(
        Row(
            f"mount-over-{path.removeprefix('/').replace('/', '-')}",
            "Kubernetes refuses two mounts at one place, and pachd has one there",
            secrets({"name": "kafka", "mountPath": path}),
            "spec.transform.secrets[0].mountPath",
            f"Pachyderm mounts a volume of its own at '{path}': use another path",
        )
        for path in sorted({*MOUNT_PATHS, "/pach-bin/"} - {"/pfs"})
    ),
    *(
        Row(
            f"secret-called-{name}",
            "Kubernetes refuses two volumes of one name, and pachd has one of this name",
            secrets({"name": name, "mountPath": "/etc/kafka"}),
            "spec.transform.secrets[0].name",
            f"Secret '{name}' cannot be mounted, because Pachyderm names the volume after the Secret, and already has "
            f"a volume '{name}'",
        )
        for name in sorted((*VOLUMES, *VOLUMES_OF_SOME_SERVERS))
    ),
    Row(
        "one-place-for-two",
        "measured: FAILURE, Kubernetes refuses the Pod",
        secrets({"name": "a", "mountPath": "/etc/kafka"}, {"name": "b", "mountPath": "/etc/kafka"}),
        "spec.transform.secrets",
        "two Secrets have the same mountPath, and Kubernetes mounts only one volume at a path: give each Secret its",
    ),
    Row(
        "one-place-in-two-forms",
        "measured: Kubernetes takes it, and the second hides the first",
        secrets({"name": "a", "mountPath": "/etc/kafka"}, {"name": "b", "mountPath": "/etc/kafka/"}),
        "spec.transform.secrets",
        "two Secrets have the same mountPath",
    ),
    Row(
        "dotted-secret-mounted",
        "pachd names the volume after it, and Kubernetes refuses a volume with a dot",
        secrets({"name": "a.b", "mountPath": "/etc/kafka"}),
        "spec.transform.secrets[0].name",
        "Secret 'a.b' cannot be mounted, because Pachyderm names the volume after the Secret, and a volume name has",
    ),
    Row(
        "secret-mounted-twice",
        "pachd would make two volumes of one name, and Kubernetes refuses that",
        secrets({"name": "kafka", "mountPath": "/a"}, {"name": "kafka", "mountPath": "/b"}),
        "spec.transform.secrets",
        "a Secret has more than one mountPath, and Pachyderm can mount a Secret only once: keep one mountPath",
    ),
]

SPOUT = [
    Row("no-spout", "it would be another kind of pipeline", {"spout": ABSENT}, "spec.spout", "Required value"),
    Row("empty-marker", "no name", {"spout.marker": ""}, "spec.spout.marker", "leave the field out"),
    Row(
        "marker-out",
        "it is the pipe",
        {"spout.marker": "out"},
        "spec.spout.marker",
        "marker 'out' is reserved, because /pfs/out is the pipe that the spout writes to",
    ),
    Row("marker-parent", "a folder", {"spout.marker": ".."}, "spec.spout.marker", "use another name"),
    Row(
        "marker-nested",
        "measured: the server takes it, and the worker fails at the link /pfs/a/b, over and over",
        {"spout.marker": "a/b"},
        "spec.spout.marker",
        "marker 'a/b' is a path, which Pachyderm's worker cannot link into /pfs: use a plain name",
    ),
    Row("marker-absolute", "a path", {"spout.marker": "/offset"}, "spec.spout.marker", "use a plain name"),
    Row("marker-outside", "a path", {"spout.marker": "../x"}, "spec.spout.marker", "use a plain name"),
    Row("marker-slash", "a path", {"spout.marker": "offset/"}, "spec.spout.marker", "use a plain name"),
    Row("marker-in-out", "a path", {"spout.marker": "out/x"}, "spec.spout.marker", "use a plain name"),
    Row(
        "marker-glob",
        "Pachyderm reads it as a pattern",
        {"spout.marker": "off*"},
        "spec.spout.marker",
        "marker 'off*' has characters that Pachyderm refuses or reads as a pattern: use letters, digits",
    ),
    Row("marker-space", "a slip", {"spout.marker": "off set"}, "spec.spout.marker", "use letters, digits"),
    Row("marker-long", "no file name", {"spout.marker": "o" * 256}, "spec.spout.marker", "more than 255 bytes"),
    Row(
        "no-internal-port",
        "where would the Service lead to?",
        {"spout.service": {"externalPort": 30080}},
        "spec.spout.service.internalPort",
        "Required value",
    ),
    Row(
        "port-zero",
        "no port",
        {"spout.service": {"internalPort": 0}},
        "spec.spout.service.internalPort",
        "greater than or equal to 1",
    ),
    Row(
        "port-too-high",
        "no port",
        {"spout.service": {"internalPort": 65536}},
        "spec.spout.service.internalPort",
        "less than or equal to 65535",
    ),
    Row(
        "node-port-by-default",
        "Pachyderm's default type is NodePort",
        {"spout.service": {"internalPort": 8080, "externalPort": 8080}},
        "spec.spout.service.externalPort",
        "use a port of that range, or set type to ClusterIP or LoadBalancer",
    ),
    Row(
        "node-port-too-high",
        "Kubernetes refuses it",
        {"spout.service": {"internalPort": 8080, "externalPort": 32768, "type": "NodePort"}},
        "spec.spout.service.externalPort",
        "the port is outside the range 30000-32767, which type NodePort (the default) requires: use a port of that",
    ),
    Row(
        "external-port-zero",
        "no port",
        {"spout.service": {"internalPort": 8080, "externalPort": 0, "type": "ClusterIP"}},
        "spec.spout.service.externalPort",
        "greater than or equal to 1",
    ),
    Row(
        "external-port-too-high",
        "no port",
        {"spout.service": {"internalPort": 8080, "externalPort": 65536, "type": "ClusterIP"}},
        "spec.spout.service.externalPort",
        "less than or equal to 65535",
    ),
    Row(
        "service-type",
        "Pachyderm knows three",
        {"spout.service": {"internalPort": 8080, "type": "ExternalName"}},
        "spec.spout.service.type",
        'supported values: "ClusterIP", "NodePort", "LoadBalancer"',
    ),
]

FRESHNESS = [
    Row(
        "age-in-days",
        "Go and Kubernetes have no unit for days",
        {"freshness.maxCommitAge": "2d"},
        "spec.freshness.maxCommitAge",
        "'2d' is not a usable age: write hours, minutes and seconds, such as 10m or 1h30m (at least 10s)",
    ),
    Row(
        "short-age",
        "the pause between two polls is no silence",
        {"freshness.maxCommitAge": "9s"},
        "spec.freshness.maxCommitAge",
        "'9s' is not a usable age",
    ),
    Row(
        "age-as-number",
        "seconds, or minutes?",
        {"freshness.maxCommitAge": 600},
        "spec.freshness.maxCommitAge",
        "must be of type string",
    ),
    Row(
        "empty-age", "absent says default", {"freshness.maxCommitAge": ""}, "spec.freshness.maxCommitAge", "usable age"
    ),
    Row(
        "grace-without-age",
        "nothing waits for the start",
        {"freshness": {"startupGrace": "5m"}},
        "spec.freshness.startupGrace",
        "startupGrace has no effect without maxCommitAge: set maxCommitAge too, or remove startupGrace",
    ),
    Row(
        "fraction-of-an-hour",
        "whole numbers only",
        {"freshness.markerStalledAfter": "1.5h"},
        "spec.freshness.markerStalledAfter",
        "'1.5h' is not a duration: write hours, minutes and seconds, such as 2m, 1h30m or 0s",
    ),
    Row(
        "zero-without-unit",
        "0s switches off",
        {"freshness.outputStalledAfter": "0"},
        "spec.freshness.outputStalledAfter",
        "'0' is not a duration",
    ),
    Row(
        "endless",
        "a number has at most five digits",
        {"freshness.outputStalledAfter": "100000h"},
        "spec.freshness.outputStalledAfter",
        "'100000h' is not a duration",
    ),
    Row(
        "age-alone",
        "the field is an object",
        {"freshness": "10m"},
        "spec.freshness",
        "must be of type object",
    ),
]

REQUESTS = "spec.resourceRequests"
LIMITS = "spec.resourceLimits"
RESOURCES = [
    Row("zero-cpu", "nothing runs", {"resourceRequests.cpu": 0}, f"{REQUESTS}.cpu", "'0' is not a valid amount of CPU"),
    Row("negative-cpu", "less", {"resourceLimits.cpu": "-1"}, f"{LIMITS}.cpu", "'-1' is not a valid amount of CPU"),
    Row("tiny-cpu", "a slip for 100m", {"resourceLimits.cpu": "100u"}, f"{LIMITS}.cpu", "at least 1m"),
    Row("cpu-in-words", "no quantity", {"resourceRequests.cpu": "two"}, f"{REQUESTS}.cpu", "such as 500m"),
    Row(
        "unquoted-fraction",
        "the API server takes whole numbers or text",
        {"resourceRequests.cpu": 0.5},
        f"{REQUESTS}.cpu",
        "must be of type integer,string",
    ),
    Row(
        "memory-in-mb",
        "512MB is no quantity",
        {"resourceLimits.memory": "512MB"},
        f"{LIMITS}.memory",
        "'512MB' is not a usable number of bytes: write it with Mi or Gi",
    ),
    Row("milli-memory", "0.5 byte", {"resourceLimits.memory": "512m"}, f"{LIMITS}.memory", "m means thousandths"),
    Row("bare-memory", "512 bytes", {"resourceRequests.memory": 512}, f"{REQUESTS}.memory", "at least 1Mi"),
    Row("negative-disk", "less", {"resourceRequests.disk": "-1Gi"}, f"{REQUESTS}.disk", "at least 1Mi"),
    Row(
        "gpu-without-number",
        "how many?",
        {"resourceLimits.gpu": {"type": "nvidia.com/gpu"}},
        f"{LIMITS}.gpu.number",
        "Required value",
    ),
    Row(
        "no-gpu",
        "leave it out",
        {"resourceLimits.gpu": {"type": "nvidia.com/gpu", "number": 0}},
        f"{LIMITS}.gpu.number",
        "greater than or equal to 1",
    ),
    Row(
        "gpus-by-the-thousand",
        "no node has as many",
        {"resourceLimits.gpu": {"type": "nvidia.com/gpu", "number": 1025}},
        f"{LIMITS}.gpu.number",
        "less than or equal to 1024",
    ),
    Row(
        "gpu-type",
        "Kubernetes knows no such resource",
        {"resourceLimits.gpu": {"type": "gpu", "number": 1}},
        f"{LIMITS}.gpu.type",
        "'gpu' is not a resource that nodes can offer: write it as domain/name, such as nvidia.com/gpu",
    ),
    Row(
        "gpu-type-of-a-quota",
        "measured: FAILURE, Kubernetes refuses the Pod",
        {"resourceLimits.gpu": {"type": "requests.nvidia.com/gpu", "number": 1}},
        f"{LIMITS}.gpu.type",
        "'requests.nvidia.com/gpu' is not a resource that nodes can offer",
    ),
    Row(
        "gpu-requested-only",
        "Kubernetes refuses it in the Pod",
        {"resourceRequests.gpu": {"type": "nvidia.com/gpu", "number": 1}},
        f"{REQUESTS}.gpu",
        "set the GPU in resourceLimits alone, or set the same GPU in both",
    ),
    Row(
        "gpu-differs",
        "Kubernetes refuses it in the Pod",
        {
            "resourceRequests.gpu": {"type": "nvidia.com/gpu", "number": 1},
            "resourceLimits.gpu": {"type": "nvidia.com/gpu", "number": 2},
        },
        f"{REQUESTS}.gpu",
        "resourceRequests.gpu differs from resourceLimits.gpu, and Kubernetes does not overcommit GPUs",
    ),
    *(
        Row(
            f"{field}-above-limit",
            "measured: FAILURE, Kubernetes refuses the Pod",
            {f"resourceRequests.{field}": request, f"resourceLimits.{field}": limit},
            f"{REQUESTS}.{field}",
            "the request is above the same field of resourceLimits: lower the request, or raise the limit",
        )
        for field, request, limit in (("cpu", "1001m", 1), ("memory", "1Gi", "1G"), ("disk", "2Gi", "1Gi"))
    ),
    Row(
        "memory-below-pachyderms-own-request",
        "measured: FAILURE, Kubernetes refuses the Pod",
        {"resourceLimits.memory": "61Mi"},
        f"{LIMITS}.memory",
        "the limit is below 64M, which Pachyderm requests if resourceRequests.memory is not set: raise the limit",
    ),
    Row(
        "memory-below-pachyderms-own-request-beside-cpu",
        "a request of something else changes nothing",
        {"resourceLimits.memory": "61Mi", "resourceRequests.cpu": 1},
        f"{LIMITS}.memory",
        "or set resourceRequests.memory",
    ),
]

SCHEDULING = [
    Row(
        "toleration-without-key",
        "a slip that Kubernetes refuses in the Pod",
        {"tolerations": [{"value": "yes"}]},
        "spec.tolerations[0]",
        "a toleration without a key matches every taint, and needs operator: Exists",
    ),
    Row(
        "toleration-with-a-value-too-many",
        "Kubernetes refuses it in the Pod",
        {"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]},
        "spec.tolerations[0]",
        "operator Exists matches every value: remove value, or set operator to Equal",
    ),
    Row(
        "toleration-seconds",
        "Kubernetes refuses them in the Pod",
        {"tolerations": [{"key": "a", "effect": "NoSchedule", "tolerationSeconds": 5}]},
        "spec.tolerations[0]",
        "tolerationSeconds has a meaning only for effect NoExecute: remove it, or set that effect",
    ),
    Row(
        "toleration-key",
        "no taint has that key",
        {"tolerations": [{"key": "a b", "operator": "Exists"}]},
        "spec.tolerations[0].key",
        "the key is not valid for a taint: write [domain/]name",
    ),
    Row(
        "toleration-value",
        "no taint has that value",
        {"tolerations": [{"key": "a", "value": "b c"}]},
        "spec.tolerations[0].value",
        "the value is not valid for a taint",
    ),
    *(
        Row(
            f"sidecar-{field}-above-its-limit",
            "Kubernetes refuses the Pod",
            {f"sidecarResourceRequests.{field}": request, f"sidecarResourceLimits.{field}": limit},
            f"spec.sidecarResourceRequests.{field}",
            "the request is above the same field of sidecarResourceLimits: lower the request, or raise the limit",
        )
        for field, request, limit in (("cpu", 2, "1500m"), ("memory", "2Gi", "2G"), ("disk", "1.5Gi", "1Gi"))
    ),
    Row(
        "project-with-a-blank",
        "Pachyderm refuses it",
        {"project": "a b"},
        "spec.project",
        "'a b' cannot be the name of a project: use at most 51 letters, digits, '_' and '-'",
    ),
    Row(
        "project-too-long",
        "Pachyderm refuses it",
        {"project": "p" * 52},
        "spec.project",
        "cannot be the name of a project",
    ),
    Row(
        "label-value",
        "no node has that label",
        {"schedulingSpec.nodeSelector": {"zone": "a b"}},
        "spec.schedulingSpec.nodeSelector",
        "a key or a value is not valid for a label: write keys as [domain/]name and values as names",
    ),
    Row(
        "label-key",
        "no node has that label",
        {"schedulingSpec.nodeSelector": {"/zone": "a"}},
        "spec.schedulingSpec.nodeSelector",
        "a key or a value is not valid for a label: write keys as [domain/]name and values as names",
    ),
    Row(
        "priority-class",
        "no such object",
        {"schedulingSpec.priorityClassName": "High"},
        "spec.schedulingSpec.priorityClassName",
        "'High' is not a valid name of a Kubernetes object",
    ),
    Row(
        "merge-patch",
        "measured: the server takes any JSON, and cannot make the Pod",
        {"podPatch": '{"hostNetwork": true}'},
        "spec.podPatch",
        "podPatch is not a JSON patch, which is a list of operations: begin it with '[' and end it with ']'",
    ),
    Row("empty-patch", "leave it out", {"podPatch": ""}, "spec.podPatch", "begin it with '['"),
    Row("yaml-patch", "the server wants JSON", {"podPatch": "- op: add"}, "spec.podPatch", "begin it with '['"),
    Row("cut-patch", "half a list", {"podPatch": '[{"op": "add"'}, "spec.podPatch", "end it with ']'"),
    *(
        Row(
            f"negative-index-{number}",
            "measured: pachd panics, and again after each restart",
            {"podPatch": patch},
            "spec.podPatch",
            "podPatch has a path with a negative index, on which Pachyderm crashes: count from 0",
        )
        for number, patch in enumerate(
            (
                '[{"op":"replace","path":"/containers/-1/image","value":"x"}]',
                '[{"op": "remove", "path" :\t\n"/volumes/-2"}]',
                '[{"op": "copy", "from": "/containers/-1", "path": "/containers/-"}]',
            )
        )
    ),
    Row("suspend-in-words", "yes or no", {"suspend": "yes"}, "spec.suspend", "must be of type boolean"),
    Row("unquoted-nonce", "text", {"restartNonce": 1}, "spec.restartNonce", "must be of type string"),
    Row(
        "deletion-policy",
        "there are three",
        {"deletionPolicy": "Retain"},
        "spec.deletionPolicy",
        'supported values: "Delete", "KeepRepo", "Orphan"',
    ),
]

ROWS = [*NAMES, *TRANSFORM, *SECRETS, *SPOUT, *FRESHNESS, *RESOURCES, *SCHEDULING]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_the_api_server_refuses_the_spec_with_its_field_and_a_message(spouts: Spouts, row: Row) -> None:
    with pytest.raises(client.ApiException) as refused:
        spouts.try_create(a_spout(row.changes, name=row.name))
    assert [cause.field for cause in refusals(refused.value)] == [row.at], row.reason
    assert row.says in refusals(refused.value)[0].message, row.reason


def test_the_api_server_refuses_a_spout_without_a_spec(spouts: Spouts) -> None:
    spout = a_spout()
    del spout["spec"]
    with pytest.raises(client.ApiException) as refused:
        spouts.try_create(spout)
    assert refusals(refused.value) == [Refusal("spec", "Required value")]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("spout.service.annotations", {"a": "b"}, id="service-annotations"),
        pytest.param("transform.image_pull_secrets", ["a"], id="snake-case"),
    ],
)
def test_the_api_server_names_an_unknown_field(spouts: Spouts, path: str, value: object) -> None:
    service = {"spout.service.internalPort": 8080} if path.startswith("spout.service") else {}
    with pytest.raises(client.ApiException, match=f'unknown field \\\\"spec.{path}\\\\"'):
        spouts.try_create(a_spout({**service, path: value}))
