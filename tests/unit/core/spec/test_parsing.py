"""Parsing: a Spout resource to what it asks for, or to all that is wrong with it at once."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spout_operator.core import model
from spout_operator.core.errors import Stalled
from spout_operator.core.freshness import Freshness
from spout_operator.core.reasons import Reason
from spout_operator.core.resource import SpoutResource
from spout_operator.core.spec import parsing
from spout_operator.core.spec.quantity import Quantity, cores
from tests.builders import ABSENT, a_key, a_name, a_resource, a_spec, a_spout, a_spout_body, a_transform


def refusal(changes: Mapping[str, object], **metadata: Any) -> str:
    """What is said of a Spout that cannot be read."""
    with pytest.raises(Stalled) as error:
        parsing.parse_spout(a_resource(changes, **metadata))
    assert error.value.reason is Reason.INVALID_SPEC
    return error.value.message


def told(changes: Mapping[str, object]) -> str:
    """What is said of a Spout; nothing where it can be read."""
    try:
        parsing.parse_spout(a_resource(changes))
    except Stalled as error:
        return error.message
    return ""


def test_an_absent_field_has_the_default_of_pachyderm() -> None:
    parsed = parsing.parse_spout(a_resource({"spout": {}}, name="my-spout", namespace="ingest"))

    assert parsed == model.Spout(
        key=model.SpoutKey(namespace="ingest", name="my-spout"),
        pipeline_name=a_name(),
        spec=model.PipelineSpec(
            transform=model.Transform(
                image="myaccount/myimage:0.1",
                cmd=("go", "run", "./main.go"),
                stdin=(),
                env={},
                secrets=(),
                image_pull_secrets=(),
                working_dir="",
                user="",
            ),
            description="",
            spout=model.SpoutOptions(overwrite=False, marker="", service=None),
            resource_requests=model.Resources(cpu=None, memory=None, disk=None, gpu=None),
            resource_limits=model.Resources(cpu=None, memory=None, disk=None, gpu=None),
            scheduling_spec=model.Scheduling(node_selector={}, priority_class_name=""),
            pod_patch="",
            restart_nonce="",
        ),
        suspend=False,
        deletion_policy=model.DeletionPolicy.DELETE,
    )


@dataclass(frozen=True)
class Field:
    """A field of the spec, and the Spout that is asked for with it."""

    path: str
    value: Any
    asked: model.Spout
    reason: str = "it is taken as it stands"


def spec(**fields: Any) -> model.Spout:
    return a_spout(spec=a_spec(**fields))


def transform(**fields: Any) -> model.Spout:
    return spec(transform=a_transform(**fields))


def options(**fields: Any) -> model.Spout:
    return spec(spout=model.SpoutOptions(**{"marker": "offset", **fields}))


def fresh(**fields: datetime.timedelta) -> model.Spout:
    return a_spout(freshness=Freshness(**fields))


MINUTE = datetime.timedelta(minutes=1)
SECRET = {"name": "kafka", "key": "password", "envVar": "KAFKA_PASSWORD", "mountPath": "/etc/kafka"}
FIELDS = [
    Field("name", "other", a_spout(pipeline_name=a_name("other")), "the pipeline is named as the spec says"),
    Field("name", "", a_spout(pipeline_name=a_name()), "an empty name is none: metadata.name is taken"),
    Field("name", "9" + "b--9" * 12, a_spout(pipeline_name=a_name("9" + "b--9" * 12)), "all that can be in a name"),
    Field("name", "b", a_spout(pipeline_name=a_name("b")), "the shortest name"),
    Field("description", "Kafka", spec(description="Kafka")),
    Field("transform.image", "other:2", transform(image="other:2")),
    Field("transform.cmd", ["sh"], transform(cmd=("sh",))),
    Field("transform.stdin", ["set -eu", "go"], transform(stdin=("set -eu", "go"))),
    Field("transform.env", {"HOST": "kafkahost"}, transform(env={"HOST": "kafkahost"})),
    Field(
        "transform.secrets",
        [SECRET, {"name": "tls"}],
        transform(
            secrets=(
                model.SecretMount(name="kafka", key="password", env_var="KAFKA_PASSWORD", mount_path="/etc/kafka"),
                model.SecretMount(name="tls"),
            )
        ),
        "every field of every Secret",
    ),
    Field("transform.imagePullSecrets", ["registry"], transform(image_pull_secrets=("registry",))),
    Field("transform.workingDir", "/app", transform(working_dir="/app")),
    Field("transform.user", "1000", transform(user="1000")),
    Field("spout.overwrite", value=True, asked=options(overwrite=True)),
    Field("spout.marker", "position", options(marker="position")),
    Field(
        "spout.service",
        {"internalPort": 8080, "externalPort": 30080, "type": "LoadBalancer"},
        options(service=model.Service(internal_port=8080, external_port=30080, type="LoadBalancer")),
    ),
    Field(
        "spout.service",
        {"internalPort": 8080},
        options(service=model.Service(internal_port=8080, external_port=0, type="")),
        "the type is the server's choice: see core.spec.defaults",
    ),
    Field(
        "resourceRequests",
        {"cpu": "500m", "memory": "256Mi", "disk": "1Gi"},
        spec(
            resource_requests=model.Resources(
                cpu=cores("0.5"), memory=Quantity.parse("256Mi"), disk=Quantity.parse("1Gi")
            )
        ),
        "quantities by value",
    ),
    Field(
        "resourceRequests.cpu",
        "0.0001",
        spec(resource_requests=model.Resources(cpu=cores("1m"))),
        "CPU is rounded up to thousandths",
    ),
    Field("resourceLimits.cpu", "0", a_spout(), "0 is absent: Pachyderm's messages do not tell the two apart"),
    Field(
        "resourceLimits.cpu",
        2,
        spec(resource_limits=model.Resources(cpu=cores("2"))),
        "YAML makes a number of a quantity without quotes",
    ),
    Field(
        "resourceLimits.gpu",
        {"type": "nvidia.com/gpu", "number": 1},
        spec(resource_limits=model.Resources(gpu=model.Gpu(type="nvidia.com/gpu", number=1))),
    ),
    Field(
        "schedulingSpec",
        {"nodeSelector": {"disk": "ssd"}, "priorityClassName": "ingest"},
        spec(scheduling_spec=model.Scheduling(node_selector={"disk": "ssd"}, priority_class_name="ingest")),
    ),
    Field(
        "podPatch",
        '[ {"path": "/a",\n "op": "remove"} ]',
        spec(pod_patch='[{"op":"remove","path":"/a"}]'),
        "JSON in its canonical form: a new layout must not restart the spout",
    ),
    Field(
        "podPatch",
        '[{"op": "test", "path": "/a~1b", "value": "\\u00fc & <\\u003e \\u2028"}]',
        spec(pod_patch='[{"op":"test","path":"/a~1b","value":"ü \\u0026 \\u003c\\u003e \\u2028"}]'),
        "texts as Go writes them: Pachyderm's test compares them byte by byte",
    ),
    Field(
        "podPatch",
        '[{"op": "add", "path": "/a", "value": [1.0, 1e2, 0.5]}]',
        spec(pod_patch='[{"op":"add","path":"/a","value":[1,100,0.5]}]'),
        "the same for numbers",
    ),
    Field("project", "ingest", a_spout(pipeline_name=a_name(project="ingest"))),
    Field("project", "default", a_spout(), "the project that every server has"),
    Field(
        "sidecarResourceRequests",
        {"cpu": "500m", "memory": "256Mi"},
        spec(sidecar_resource_requests=model.Resources(cpu=cores("500m"), memory=Quantity.parse("256Mi"))),
    ),
    Field(
        "sidecarResourceLimits",
        {"disk": "1Gi"},
        spec(sidecar_resource_limits=model.Resources(disk=Quantity.parse("1Gi"))),
    ),
    Field(
        "tolerations",
        [{"key": "ingest", "value": "yes", "effect": "NoExecute", "tolerationSeconds": 0}],
        spec(tolerations=(model.Toleration(key="ingest", value="yes", effect="NoExecute", toleration_seconds=0),)),
        "Equal is the default, as in a Pod; 0 seconds are not the same as none",
    ),
    Field(
        "tolerations", [{"operator": "Exists"}], spec(tolerations=(model.Toleration(operator="Exists"),)), "every taint"
    ),
    Field("adoptionPolicy", "IfUnowned", a_spout(adoption_policy=model.AdoptionPolicy.IF_UNOWNED)),
    Field("adoptionPolicy", "Never", a_spout()),
    Field("restartNonce", "2026-01-31", spec(restart_nonce="2026-01-31")),
    Field("suspend", value=True, asked=a_spout(suspend=True)),
    Field("deletionPolicy", "Delete", a_spout(deletion_policy=model.DeletionPolicy.DELETE)),
    Field("deletionPolicy", "KeepRepo", a_spout(deletion_policy=model.DeletionPolicy.KEEP_REPO)),
    Field("deletionPolicy", "Orphan", a_spout(deletion_policy=model.DeletionPolicy.ORPHAN)),
    Field("freshness", {}, a_spout(), "no opinion on commits; the two others have defaults"),
    Field(
        "freshness",
        {"maxCommitAge": "1h30m", "startupGrace": "0s"},
        fresh(max_commit_age=90 * MINUTE, startup_grace=0 * MINUTE),
        "no time to start in",
    ),
    Field("freshness", {"maxCommitAge": "10s"}, fresh(max_commit_age=MINUTE / 6), "the shortest age"),
    Field(
        "freshness",
        {"markerStalledAfter": "0s", "outputStalledAfter": "1h"},
        fresh(marker_stalled_after=0 * MINUTE, output_stalled_after=60 * MINUTE),
        "zero switches off, and is not the default",
    ),
    Field("freshness.maxCommitAge", None, a_spout(), "null is absent"),
    Field("transform.env", None, a_spout(), "null is absent: YAML writes it for a key without a value"),
    Field("somethingNew", {"a": 1}, a_spout(), "a field of a newer CRD is not this operator's business"),
]


@pytest.mark.parametrize("row", FIELDS, ids=lambda row: f"{row.path}={row.value!a:.20}".replace("\\", "/"))
def test_every_field_is_read(row: Field) -> None:
    assert parsing.parse_spout(a_resource({row.path: row.value})) == row.asked, row.reason


@dataclass(frozen=True)
class Wrong:
    """A value that a field cannot have, and what the finding must say besides the field's path."""

    path: str
    value: Any
    says: tuple[str, ...]
    reason: str = "says what was found and what is expected"


WRONG = [
    Wrong("project", "a b", ("'a b'", "at most 51 letters"), "no project has that name"),
    Wrong("project", "a" * 52, ("at most 51 letters",), "too long"),
    Wrong("project", "-a", ("the first a letter or digit",)),
    Wrong("tolerations", [5], ("every item", "dict")),
    Wrong("adoptionPolicy", "Always", ("'Always'", "expected one of Never, IfUnowned")),
    Wrong("transform.image", ABSENT, ("missing", "name the image"), "says what to do"),
    Wrong("transform.image", "", ("missing",), "empty is missing"),
    Wrong("transform.image", 5, ("found a int", "expected a str")),
    Wrong("transform.cmd", "go run", ("found a str", "expected a list"), "a line instead of a list: a common slip"),
    Wrong("transform.cmd", ["sleep", 5], ("every item", "str"), "an argument without quotes"),
    Wrong("transform.stdin", [None], ("every item", "str")),
    Wrong("transform.env", ["HOST=a"], ("found a list",), "Docker's way to write it"),
    Wrong("transform.env", {"PORT": 1, "A": True, "B": "b"}, ("values of A, PORT are no strings", "quotes"), "which"),
    Wrong("transform.secrets", ["kafka"], ("every item", "dict")),
    Wrong("transform.secrets", {"name": "kafka"}, ("found a dict", "expected a list")),
    Wrong("transform.imagePullSecrets", "registry", ("expected a list",)),
    Wrong("transform.workingDir", ["/app"], ("found a list",)),
    Wrong("transform.user", 1000, ("found a int", "expected a str"), "a number without quotes: a common slip"),
    Wrong("transform", "image", ("found a str",), "a whole section of the wrong type"),
    Wrong("spout", [], ("found a list",), "a whole section of the wrong type"),
    Wrong("spout.overwrite", "yes", ("found a str", "expected a bool")),
    Wrong("spout.marker", 7, ("found a int",)),
    Wrong("spout.service", 8080, ("found a int",)),
    Wrong("spout.service.internalPort", "8080", ("found a str", "expected a int")),
    Wrong(
        "spout.service.internalPort", value=True, says=("found a bool", "expected a int"), reason="True is 1 in Python"
    ),
    Wrong("spout.service.type", 1, ("found a int",)),
    Wrong(
        "spout.service.type",
        "ExternalName",
        ("'ExternalName'", "expected one of ClusterIP, NodePort, LoadBalancer"),
        "no type of Pachyderm",
    ),
    Wrong("spout.service.type", "ClusterIP\n", ("'ClusterIP\\n'",), "the CRD has a list of values"),
    Wrong("resourceRequests", "1Gi", ("found a str",)),
    Wrong("resourceRequests.cpu", "half", ("'half' is not a quantity", "500m"), "shows how to write one"),
    Wrong("resourceRequests.cpu", value=True, says=("'True' is not a quantity",), reason="YAML's `on` is no amount"),
    Wrong("resourceLimits.memory", "256MB", ("'256MB' is not a quantity", "256Mi"), "not as Kubernetes writes it"),
    Wrong("resourceLimits.disk", "1e9999999", ("'1e9999999'",), "out of range is the user's mistake, not a defect"),
    Wrong("resourceLimits.gpu.number", "1", ("found a str", "expected a int")),
    Wrong("schedulingSpec.nodeSelector", {"disk": True}, ("disk", "quotes"), "labels are strings"),
    Wrong("schedulingSpec.priorityClassName", {}, ("found a dict",)),
    Wrong("podPatch", "[", ("is no JSON", "; write a JSON patch, for example '[]'"), "shows an example"),
    Wrong("podPatch", "[NaN]", ("is no JSON (NaN is no JSON value)",), "Python reads it, Go does not"),
    Wrong("podPatch", "1e999", ("is no JSON", "1e999 is out of range"), "Python reads infinity, Go nothing"),
    Wrong(
        "podPatch",
        '["\\ud800"]',
        ("is no JSON (it holds one half of a surrogate pair without",),
        "Go takes each half for the same character",
    ),
    Wrong("podPatch", '{"hostNetwork": true}', ("is no JSON patch", "list"), "another kind of patch"),
    Wrong("podPatch", '[{"op": "add", "path": "/a"}]', ("operation 1 of 1", "has no value"), "see test_pod_patch.py"),
    Wrong("podPatch", [], ("found a list", "expected a str"), "a list instead of its text"),
    Wrong(
        "podPatch",
        "[" * 60_000,
        ("is no JSON (nested too deeply)",),
        "nested beyond reading: the user's mistake, not a defect",
    ),
    Wrong("freshness", "10m", ("found a str", "expected a dict"), "an age without its field"),
    Wrong("freshness.maxCommitAge", "2d", ("'2d' is not a duration", "for example 10m or 1h30m"), "Go has no days"),
    Wrong("freshness.maxCommitAge", "", ("'' is not a duration",), "absent is the way to say default"),
    Wrong("freshness.maxCommitAge", 600, ("found a int", "expected a str"), "600 of what?"),
    Wrong("freshness.maxCommitAge", "9s", ("found '9s'", "at least 10s"), "shorter than the pause of two polls"),
    Wrong("freshness.markerStalledAfter", "0", ("'0' is not a duration",), "zero has a unit too"),
    Wrong("freshness.outputStalledAfter", value=False, says=("found a bool",), reason="0s switches it off"),
    Wrong("description", 1, ("found a int",)),
    Wrong("restartNonce", 1, ("found a int", "expected a str"), "a counter without quotes: a common slip"),
    Wrong("suspend", "true", ("found a str", "expected a bool"), "quotes where none belong"),
    Wrong("deletionPolicy", "Keep", ("'Keep'", "Delete, KeepRepo, Orphan"), "names the ones there are"),
    Wrong("deletionPolicy", ["Delete"], ("found a list", "expected a str"), "not even a string"),
    Wrong("name", "my.spout", ("'my.spout'", "lower-case letters, digits", "'my-spout'"), "Pachyderm takes no dots"),
    Wrong("name", "My_Spout", ("'My_Spout'", "for example 'my-spout'"), "measured: FAILURE"),
    Wrong("name", "my-spout-", ("for example 'my-spout'",), "measured: it starts for ever"),
    Wrong("name", "-a", ("the first and the last are a letter or digit", "for example 'a'"), "Pachyderm's rule"),
    Wrong("name", "n" * 52, ("at most 51", f"'{'n' * 51}'"), "it would not fit into a label"),
    Wrong("name", "name\n", ("lower-case letters", "'name'"), "a line end hides at the end"),
    Wrong("name", "spöut", ("'spout'",), "Pachyderm takes ASCII only"),
    Wrong("resourceRequests.gpu", {"type": "a/b", "number": 1}, ("resourceLimits", "overcommit"), "measured: FAILURE"),
]


@pytest.mark.parametrize("row", WRONG, ids=lambda row: f"{row.path}={row.value!a:.20}".replace("\\", "/"))
def test_a_wrong_value_is_told_with_its_field(row: Wrong) -> None:
    message = refusal({row.path: row.value})

    path, *_ = message.split(": ", maxsplit=1)
    assert path == f"spec.{row.path}", row.reason
    assert all(part in message for part in row.says), f"{row.reason}: {message}"


@dataclass(frozen=True)
class Together:
    """Fields that are right by themselves and cannot be together; the finding begins with `says`."""

    changes: Mapping[str, Any]
    says: str
    reason: str = "measured: Kubernetes refuses the Pod, and the pipeline fails"


def mounts(*paths: str) -> Mapping[str, Any]:
    return {"transform.secrets": [{"name": f"secret-{number}", "mountPath": path} for number, path in enumerate(paths)]}


MOUNT = "spec.transform.secrets[0].mountPath"
TOGETHER = [
    Together(
        {"freshness": {"startupGrace": "2m"}},
        "spec.freshness.startupGrace: has no effect without maxCommitAge",
        "nothing waits for the start",
    ),
    *(
        Together(
            {f"resourceRequests.{field}": request, f"resourceLimits.{field}": limit},
            f"spec.resourceRequests.{field}: {request} is above resourceLimits.{field}, which is {limit}; "
            "lower the request, or raise the limit",
        )
        for field, request, limit in (("cpu", "1001m", 1), ("memory", "1Gi", "1G"), ("disk", "2Gi", "1Gi"))
    ),
    Together(
        {"sidecarResourceRequests.cpu": 2, "sidecarResourceLimits.cpu": 1},
        "spec.sidecarResourceRequests.cpu: 2 is above sidecarResourceLimits.cpu, which is 1; "
        "lower the request, or raise the limit",
    ),
    Together(
        {
            "resourceRequests.gpu": {"type": "nvidia.com/gpu", "number": 1},
            "resourceLimits.gpu": {"type": "nvidia.com/gpu", "number": 2},
        },
        "spec.resourceRequests.gpu: differs from resourceLimits.gpu, and Kubernetes does not overcommit GPUs; "
        "set the GPU in resourceLimits alone, or set the same GPU in both",
    ),
    Together(
        {"resourceLimits.gpu": {"type": "requests.nvidia.com/gpu", "number": 1}},
        "spec.resourceLimits.gpu.type: 'requests.nvidia.com/gpu' is the name of a quota, not of a resource "
        "that nodes have; remove 'requests.'",
    ),
    Together(
        mounts("/etc/kafka", "/etc/kafka"),
        f"{MOUNT}: '/etc/kafka' is also the mountPath of another Secret; give each Secret its own folder",
    ),
    Together(
        mounts("//etc/./kafka/", "/x/../etc/kafka"), f"{MOUNT}: '//etc/./kafka/' is also the mountPath of another"
    ),
    Together(
        mounts("/"),
        f"{MOUNT}: '/' would hide the whole image; use a folder of its own, such as /etc/kafka",
        "measured: the Pod is made and cannot start",
    ),
    Together(mounts("/x/.."), f"{MOUNT}: '/x/..' would hide the whole image", "the same, in other words"),
    Together(
        mounts("/pfs"),
        f"{MOUNT}: '/pfs' is inside /pfs, which belongs to Pachyderm; use another path, such as /etc/kafka",
    ),
    Together(mounts("//pfs"), f"{MOUNT}: '//pfs' is inside /pfs", "measured: it is mounted over Pachyderm's"),
    Together(mounts("/a/../pfs/out"), f"{MOUNT}: '/a/../pfs/out' is inside /pfs", "the same"),
    Together(
        mounts("etc"),
        f"{MOUNT}: 'etc' is not an absolute path; start it with '/', as in /etc/kafka",
        "relative to what?",
    ),
]


@pytest.mark.parametrize("row", TOGETHER, ids=lambda row: row.says)
def test_fields_that_exclude_each_other_are_told(row: Together) -> None:
    assert refusal(row.changes).startswith(row.says), row.reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (mounts("/etc/kafka", "/etc/kafka/tls", "/pfsx"), "places of their own"),
        (
            {"resourceRequests": {"cpu": "1000m", "memory": "1Gi"}, "resourceLimits": {"cpu": 1, "memory": "1024Mi"}},
            "=",
        ),
        ({"resourceRequests": {"cpu": 5, "memory": "1Gi", "disk": "1Gi"}}, "there is no limit to be above"),
        ({"resourceLimits.gpu": {"type": "nvidia.com/gpu", "number": 1}}, "a limit is a request"),
    ],
)
def test_fields_that_go_together_are_accepted(changes: Mapping[str, Any], reason: str) -> None:
    assert told(changes) == "", reason


@pytest.mark.parametrize(
    ("field", "items", "path"),
    [
        ("transform.secrets", [{"name": "kafka"}, {"name": "kafka", "mountPath": 5}], "transform.secrets[].mountPath"),
        ("tolerations", [{"operator": "Exists"}, {"key": "a", "value": 5}], "tolerations[].value"),
    ],
)
def test_a_field_of_an_item_is_told_with_its_path(field: str, items: list[dict[str, object]], path: str) -> None:
    assert refusal({field: items}).startswith(f"spec.{path}: found a int")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Kafka", "Kubernetes has no such Secret"),
        ("kafka.", "a dot at the end"),
        ("kafka ", "a blank at the end"),
        ("kafka\n", "a newline would begin another line in the log"),
        ("k\u0430fka", "a letter that looks like another one"),
        ("*", "a glob is no name"),
        ("../kafka", "nor is a path"),
        ("a" * 254, "too long"),
    ],
    ids=ascii,
)
def test_what_cannot_be_the_name_of_a_secret_is_told(name: str, reason: str) -> None:
    expected = f": found {name!r:.100}, expected the name of a Kubernetes object"

    mounted = refusal({"transform.secrets": [{"name": name, "mountPath": "/etc/kafka"}]})
    assert mounted.startswith(f"spec.transform.secrets[].name{expected}"), reason
    pulled = refusal({"transform.imagePullSecrets": [name]})
    assert pulled.startswith(f"spec.transform.imagePullSecrets[]{expected}"), reason


TOLERATIONS = [
    ({"value": "yes"}, "key: missing; a toleration without a key matches every taint, and needs operator: Exists"),
    (
        {"key": "a", "operator": "Exists", "value": "b"},
        "value: operator Exists matches every value; remove value, or set operator to Equal",
    ),
    ({"key": "a", "operator": "Like"}, "operator: found 'Like', expected one of Exists, Equal"),
    ({"key": "a", "effect": "Evict"}, "effect: found 'Evict', expected one of NoSchedule, PreferNoSchedule, NoExecute"),
    (
        {"key": "a", "effect": "NoSchedule", "tolerationSeconds": 5},
        "tolerationSeconds: only effect NoExecute has it; remove it, or set that effect",
    ),
]


@pytest.mark.parametrize(("toleration", "says"), TOLERATIONS)
def test_a_toleration_that_kubernetes_would_refuse_in_a_pod(toleration: dict[str, object], says: str) -> None:
    assert refusal({"tolerations": [{"operator": "Exists"}, toleration]}) == f"spec.tolerations[1].{says}"


def test_all_findings_are_told_at_once() -> None:
    rows = {row.path: row for row in WRONG if row.value is not ABSENT and row.path.count(".") < 2}
    alone = {path: row for path, row in rows.items() if not any(other.startswith(f"{path}.") for other in rows)}

    message = refusal({path: row.value for path, row in alone.items()})

    assert [path for path in alone if f"spec.{path}: " not in message] == []


def test_findings_are_told_one_after_the_other() -> None:
    assert refusal({"suspend": "true", "restartNonce": 1}) == (
        "spec.restartNonce: found a int, expected a str; spec.suspend: found a str, expected a bool"
    )


RULE = "at most 51 lower-case letters, digits and '-', of which the first and the last are a letter or digit"


@pytest.mark.parametrize(
    ("changes", "metadata", "says", "reason"),
    [
        (
            {},
            {"name": "a.name"},
            (
                f"metadata.name 'a.name' is no name under which Pachyderm can run a spout; set spec.name to {RULE}, "
                "for example 'a-name'"
            ),
            "metadata.name names the pipeline where spec.name does not",
        ),
        (
            {"name": "a.name"},
            {},
            f"'a.name' is no name under which Pachyderm can run a spout; set spec.name to {RULE}, for example 'a-name'",
            "spec.name was found",
        ),
        (
            {"name": "計数"},
            {},
            f"'計数' is no name under which Pachyderm can run a spout; set spec.name to {RULE}",
            "nothing is like it, so there is no example",
        ),
    ],
    ids=["metadata", "spec", "no example"],
)
def test_a_name_that_does_not_do_is_told_with_one_that_does(
    changes: Mapping[str, object], metadata: dict[str, Any], says: str, reason: str
) -> None:
    assert refusal(changes, **metadata) == f"spec.name: {says}", reason


def test_spec_name_is_the_way_out_for_a_long_metadata_name() -> None:
    assert parsing.parse_spout(a_resource({"name": "short"}, name="a.name.with.dots")).pipeline_name == a_name("short")


SECRET_VALUE = "hunter2-0451"  # noqa: S105 - a value to look for, no secret


@dataclass(frozen=True)
class Leak:
    """A way to put a secret where a finding could quote it."""

    changes: Mapping[str, object]
    reason: str


LEAKS = [
    Leak({"transform.env": {"A": [SECRET_VALUE]}}, "a list for a value"),
    Leak({"transform.env": {"A": {"value": SECRET_VALUE}}}, "an object for a value"),
    Leak({"transform.env": {"A": SECRET_VALUE, "B": 1}}, "beside a wrong value"),
    Leak({"transform.env": [{"name": "A", "value": SECRET_VALUE}]}, "the way Pods write it"),
    Leak({"transform.env": SECRET_VALUE}, "not even a map"),
    Leak({"transform.env": {"A": SECRET_VALUE}, "transform.image": 5, "podPatch": "{"}, "another field is wrong"),
]


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.reason)
def test_values_of_variables_are_never_quoted(leak: Leak) -> None:
    assert SECRET_VALUE not in refusal(leak.changes), leak.reason


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just("x") | st.just(SECRET_VALUE),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.sampled_from("abc"), children, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_whatever_stands_for_env_its_values_stay_unquoted(env: object) -> None:
    assert SECRET_VALUE not in told({"transform.env": env})


@given(json_values, st.sampled_from(sorted({row.path for row in WRONG})))
def test_any_json_in_any_field_is_read_or_told(value: object, path: str) -> None:
    message = told({path: value})

    assert not message or message.startswith(f"spec.{path}")


@dataclass(frozen=True)
class Broken:
    """A Spout whose spec cannot be parsed: what is needed to delete or claim it can be read all the same."""

    body: Mapping[str, Any]
    name: str
    secret: str | None
    reason: str


BROKEN = [
    Broken(a_spout_body({"transform": "x"}), "my-spout", None, "transform is no object"),
    Broken(a_spout_body({"transform": ABSENT}), "my-spout", None, "no transform"),
    Broken(a_spout_body({"transform.env": ["A=hunter2"]}), "my-spout", "A=hunter2", "env is a list"),
    Broken(
        a_spout_body({"transform.env": [{"name": "A", "value": "hunter2"}]}),
        "my-spout",
        "hunter2",
        "env is a list as a container has it",
    ),
    Broken(a_spout_body({"transform.env": {"A": {"B": "hunter2"}}}), "my-spout", "hunter2", "env is too deep"),
    Broken(
        a_spout_body({"transform.env": {"A": 1234567}, "name": "p"}), "p", "1234567", "a number is shown as a text too"
    ),
    Broken({"metadata": a_spout_body(name="n")["metadata"]}, "n", None, "no spec at all"),
]


@pytest.mark.parametrize("row", BROKEN, ids=lambda row: row.reason)
def test_a_broken_spout_still_tells_what_is_needed_to_look_after_it(row: Broken) -> None:
    assert parsing.pipeline_name(SpoutResource.from_body(row.body)).name == row.name, row.reason
    if row.secret is not None:
        assert parsing.secrets_of(SpoutResource.from_body(row.body)).shown(f"x {row.secret} y") == "x [redacted] y", (
            row.reason
        )
    assert parsing.parse_deletion_policy(SpoutResource.from_body(row.body)) is model.DeletionPolicy.DELETE, row.reason


NAMED = a_resource({"name": "pipeline-7", "project": "kafka-in", "transform.env": {"A": "hunter2-0451"}})


@pytest.mark.parametrize(
    ("text", "shown", "reason"),
    [
        ("x hunter2-0451 y", "x [redacted] y", "a value of the Spout"),
        ("x before-an-edit y", "x [redacted] y", "a value of its pipeline as it was"),
        ("x grpc://pachd:650 y", "x grpc://pachd:650 y", "what the caller says that everybody knows"),
        ("x ingest/my-spout y", "x ingest/my-spout y", "the name of the Spout"),
        ("x kafka-in/pipeline-7 y", "x kafka-in/pipeline-7 y", "the name of its pipeline"),
    ],
)
def test_the_values_of_a_spout_are_secret_and_its_names_are_not(text: str, shown: str, reason: str) -> None:
    values = ["before-an-edit", "grpc://pachd:650", "ingest/my-spout", "my-spout", "kafka-in/pipeline-7", "pipeline-7"]

    found = parsing.secrets_of(NAMED, env=values, names=["grpc://pachd:650"])

    assert found.shown(text) == shown, reason


def test_the_values_of_all_spouts_are_secret_together() -> None:
    specs = [a_resource({"transform.env": {"A": value}}).spec for value in ("hunter2-0451", "swordfish")]

    found = parsing.secrets_of_all([*specs, {}])

    assert found.shown("hunter2-0451, swordfish, my-spout") == "[redacted], [redacted], my-spout"


def test_the_deletion_policy_of_a_broken_spout_is_kept() -> None:
    body = a_spout_body({"transform": "x", "deletionPolicy": "Orphan"})

    assert parsing.parse_deletion_policy(SpoutResource.from_body(body)) is model.DeletionPolicy.ORPHAN


def test_an_unknown_deletion_policy_deletes_nothing() -> None:
    with pytest.raises(Stalled, match=r"'keep', expected one of Delete, KeepRepo, Orphan") as error:
        parsing.parse_deletion_policy(a_resource({"deletionPolicy": "keep"}))

    assert error.value.reason is Reason.INVALID_SPEC


def test_the_key_is_namespace_and_name() -> None:
    key = a_resource(name="a", namespace="b").key

    assert key == a_key("a", "b")
    assert str(key) == "b/a"
