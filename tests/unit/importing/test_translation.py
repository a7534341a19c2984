"""A pipeline spec to what a Spout would ask for, and what is said of the rest."""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from spout_operator.core.owner_annotations import CLUSTER, RESTART_NONCE, SPOUT
from spout_operator.importing.errors import NoSpoutError, NotImportedError, UnfitError, UnreadableError
from spout_operator.importing.manifests import manifest_of
from spout_operator.importing.translation import candidate
from spout_operator.importing.writing import to_yaml
from tests.builders import a_name

TRANSFORM = {"image": "a/b:1", "cmd": ["run"]}


def a_document(name: str = "my-spout", **fields: object) -> dict[str, Any]:
    """The smallest spec of a spout, with further fields in whichever spelling."""
    return {"pipeline": {"name": name}, "transform": dict(TRANSFORM), "spout": {}, **fields}


def a_transform(**fields: object) -> dict[str, Any]:
    """A document with further fields of its transform."""
    return a_document(transform={**TRANSFORM, **fields})


def spec_of(document: object) -> Mapping[str, Any]:
    """The spec of the manifest."""
    spec: Mapping[str, Any] = manifest_of(candidate(document)).body["spec"]
    return spec


def comments_of(document: object) -> list[str]:
    """The comments below spec, from its outermost object to the innermost."""
    return [comment for _, comments in manifest_of(candidate(document)).comments.items() for comment in comments]


@dataclass(frozen=True)
class Read:
    """A part of a document, and what the manifest has for it beside the smallest one."""

    document: Mapping[str, Any]
    spec: Mapping[str, Any]
    reason: str


SERVICE = {"internalPort": 80, "externalPort": 30080, "type": "ClusterIP"}
TOLERATION = {"key": "a", "value": "b", "effect": "NoExecute", "tolerationSeconds": 30}
SECRET = {"name": "s", "key": "k", "envVar": "E"}
READ = [
    Read(
        a_transform(working_dir="/app", image_pull_secrets=["r"], stdin=["a"], user="1", env={"A_b": "c"}),
        {
            "transform": {
                **TRANSFORM,
                "stdin": ["a"],
                "env": {"A_b": "c"},
                "imagePullSecrets": ["r"],
                "workingDir": "/app",
                "user": "1",
            }
        },
        "snake case; the names of variables stay",
    ),
    Read(
        a_transform(workingDir="/app", imagePullSecrets=["r"]),
        {"transform": {**TRANSFORM, "imagePullSecrets": ["r"], "workingDir": "/app"}},
        "camel case",
    ),
    Read(
        a_transform(secrets=[{"name": "s", "env_var": "E", "key": "k"}, {"name": "t", "mount_path": "/t"}]),
        {"transform": {**TRANSFORM, "secrets": [SECRET, {"name": "t", "mountPath": "/t"}]}},
        "the names of Secrets",
    ),
    Read(
        a_document(spout={"overwrite": True, "marker": "m"}),
        {"spout": {"overwrite": True, "marker": "m"}},
        "what a spout with a marker has",
    ),
    Read(
        a_document(spout={"service": {"internal_port": 80, "external_port": "30080", "type": "ClusterIP"}}),
        {"spout": {"service": SERVICE}},
        "a port in quotes, which protobuf reads",
    ),
    Read(
        a_document(spout={"service": {"internal_port": 80, "type": "NodePort"}}),
        {"spout": {"service": {"internalPort": 80}}},
        "the type that Pachyderm fills in",
    ),
    Read(
        a_document(
            resource_requests={"cpu": 0.1, "memory": "64M", "gpu": {"type": "a/b", "number": "1"}},
            resourceLimits={"gpu": {"type": "a/b", "number": "1"}},
        ),
        {
            "resourceRequests": {"cpu": "0.1", "memory": "64M", "gpu": {"type": "a/b", "number": 1}},
            "resourceLimits": {"gpu": {"type": "a/b", "number": 1}},
        },
        "numbers of 64 bits are texts in the JSON of protobuf; requests that somebody asked for stay",
    ),
    Read(
        a_document(sidecar_resource_requests={"cpu": 1}, sidecarResourceLimits={"memory": "1Gi"}),
        {"sidecarResourceRequests": {"cpu": "1"}, "sidecarResourceLimits": {"memory": "1Gi"}},
        "the storage container",
    ),
    Read(
        a_document(scheduling_spec={"node_selector": {"a_b": "c"}, "priority_class_name": "p"}),
        {"schedulingSpec": {"nodeSelector": {"a_b": "c"}, "priorityClassName": "p"}},
        "labels stay as they are",
    ),
    Read(
        a_document(
            tolerations=[
                {"key": "a", "operator": "EQUAL", "value": "b", "effect": "NO_EXECUTE", "toleration_seconds": "30"}
            ]
        ),
        {"tolerations": [TOLERATION]},
        "the words of Kubernetes instead of those of Pachyderm",
    ),
    Read(
        a_document(tolerations=[{"operator": "EXISTS", "effect": "ALL_EFFECTS"}]),
        {"tolerations": [{"operator": "Exists"}]},
        "every taint",
    ),
    Read(a_document(pod_patch=" [ ] ", description="d"), {"description": "d", "podPatch": "[]"}, "a patch in one form"),
    Read(a_document(stopped=True), {"suspend": True}, "a pipeline that is stopped"),
    Read(
        {**a_document(), "pipeline": {"name": "my-spout", "project": {"name": "Ingest"}}},
        {"name": "my-spout", "project": "Ingest"},
        "a project; the Spout is named for it, and so says the name of the pipeline",
    ),
    Read({**a_document(), "pipeline": {"name": "my-spout", "project": {"name": "default"}}}, {}, "the default project"),
    Read(a_document(input=None, description=None, spout={}), {}, "null is nothing"),
    Read(
        a_document(metadata={"annotations": {SPOUT: "ns/my-spout", CLUSTER: "c", RESTART_NONCE: "1"}}),
        {"restartNonce": "1"},
        "what an operator keeps in the metadata",
    ),
]


@pytest.mark.parametrize("row", READ, ids=lambda row: row.reason)
def test_a_field_that_a_spout_has(row: Read) -> None:
    assert spec_of(row.document) == {"transform": TRANSFORM, "spout": {}, **row.spec}, row.reason


def of_server(**details: object) -> dict[str, Any]:
    """What `pachctl inspect pipeline --raw` of 2.12.2 prints."""
    spec = {"pipeline": {"name": "tiny", "project": {"name": "default"}}, "spout": {}, "transform": TRANSFORM}
    defaults = {"cpu": 1, "memory": "256Mi", "disk": "1Gi"}
    return {
        "pipeline": {"project": {"name": "default"}, "name": "tiny"},
        "version": "1",
        "spec_commit": {"repo": {"name": "tiny", "type": "spec"}, "id": "0054668bf72c42de99f111e45ba0dd30"},
        "state": "PIPELINE_STARTING",
        "stopped": True,
        "parallelism": "1",
        "type": "PIPELINE_TYPE_SPOUT",
        "auth_token": "hunter2",
        "details": {
            "transform": TRANSFORM,
            "created_at": "2026-11-24T21:57:26.119819691Z",
            "workers_requested": "1",
            "output_branch": "master",
            "resource_requests": defaults,
            "sidecar_resource_requests": defaults,
            "salt": "51dc669551ea4823a7c32d50508d8193",
            "spout": {},
            "datum_tries": "3",
            "reprocess_spec": "until_success",
            **details,
        },
        "user_spec_json": json.dumps(spec),
        "effective_spec_json": json.dumps({**spec, "resourceRequests": defaults}),
    }


def test_of_what_2_12_prints_the_spec_that_was_asked_for_is_taken() -> None:
    assert spec_of(of_server()) == {"transform": TRANSFORM, "spout": {}, "suspend": True}
    assert comments_of(of_server()) == []


def test_where_2_12_does_not_know_what_was_asked_for_the_spec_with_its_defaults_is_taken() -> None:
    document = {key: value for key, value in of_server().items() if not key.endswith("_spec_json")}

    found = spec_of(document)

    assert found["resourceRequests"] == {"cpu": "1", "memory": "256Mi", "disk": "1Gi"}
    assert comments_of(document) == []


def test_what_1_13_prints_has_no_defaults_in_the_manifest() -> None:
    """As `pachctl list pipeline --raw` of 1.13.4 prints it."""
    document = a_document(
        version="1",
        parallelism_spec={"constant": "1"},
        created_at="2026-11-24T21:46:30.819466787Z",
        output_branch="master",
        cache_size="64M",
        salt="11f69d48e73647d6a4f1d007f48c0037",
        max_queue_size="1",
        workers_requested="1",
        spec_commit={"repo": {"name": "__spec__"}, "id": "1c72b6acf3044e9eafd5859dd65d2543"},
        datum_tries="3",
        reprocess_spec="until_success",
        job_counts={"3": 1},
    )

    assert spec_of(document) == {"transform": TRANSFORM, "spout": {}}
    assert comments_of(document) == []


@dataclass(frozen=True)
class LeftOut:
    """A document, and the only comment about it."""

    document: Mapping[str, Any]
    comment: str


DATUMS = "it is about the jobs and datums of a pipeline with an input, and a spout has none"
LEFT_OUT = [
    LeftOut(
        a_document(parallelism_spec={"constant": 3}),
        "parallelism_spec: a Spout has no such field, and a new pipeline has one worker",
    ),
    LeftOut(
        a_document(parallelismSpec={"coefficient": 0.5}),
        "parallelismSpec: a Spout has no such field, and a new pipeline has one worker",
    ),
    LeftOut(a_document(output_branch="staging"), "output_branch: a Spout always writes to the branch master"),
    LeftOut(a_document(datum_tries=5), f"datum_tries: {DATUMS}"),
    LeftOut(
        a_document(metadata={"labels": {"team": "hunter2"}}),
        "metadata.labels: a Spout has no field for the labels of its Pod",
    ),
    LeftOut(
        a_document(metadata={"annotations": {"a": "hunter2", RESTART_NONCE: ""}}),
        "metadata.annotations: a Spout has no field for the annotations of its Pod",
    ),
    LeftOut(
        a_document(metadata={"annotations": {SPOUT: "ns/other", CLUSTER: "c"}}),
        "the pipeline already belongs to the Spout ns/other, and no other Spout can take it over",
    ),
    LeftOut(
        {**of_server(), "metadata": {SPOUT: "ns/other"}},
        "the pipeline already belongs to the Spout ns/other, and no other Spout can take it over",
    ),
    LeftOut(a_transform(err_cmd=["hunter2"]), f"err_cmd: {DATUMS}"),
    LeftOut(
        a_transform(accept_return_code=[3]),
        "accept_return_code: a Spout has no such field; let the program exit with 0",
    ),
    LeftOut(
        a_transform(secrets=[{**SECRET, "value": "hunter2"}]),
        "secrets.value: a Spout names a Secret and never holds its content; make the Secret with kubectl",
    ),
    LeftOut(
        a_transform(env={"DB_PASSWORD": "hunter2", "PARTITION_KEY": "a", "EMPTY_TOKEN": ""}),
        "DB_PASSWORD: by its name this is a secret, which everybody reads who reads this file; put it into a Secret, "
        "and name that in transform.secrets",
    ),
    LeftOut(
        a_document(spout={"service": {"internal_port": 80, "IP": "10.0.0.1"}}),
        "IP: Kubernetes chooses the address of a Service",
    ),
    LeftOut(
        a_document(spout={"offset": "hunter2"}),
        "spout.offset: this is no field of a pipeline spec that the operator knows",
    ),
    LeftOut(a_document(trasnform={"a": 1}), "trasnform: this is no field of a pipeline spec that the operator knows"),
    LeftOut(
        {**a_document(), "a\n---\nkind: Secret": 1},
        '"a\\n---\\nkind: Secret": this is no field of a pipeline spec that the operator knows',
    ),
    LeftOut(a_document(TFJob={"kind": "TFJob"}), "TFJob: a Spout has no such field"),
    LeftOut(a_document(update=True), "update: it is about one request of pachctl and not about the pipeline"),
]


@pytest.mark.parametrize("row", LEFT_OUT, ids=lambda row: row.comment[:60])
def test_what_a_spout_cannot_express_is_one_comment_without_its_value(row: LeftOut) -> None:
    assert comments_of(row.document) == [row.comment]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (a_document(input={"pfs": {"repo": "data"}}), "it has an input (pfs)"),
        (
            {"pipeline": {"name": "my-spout"}, "input": {"cron": {"name": "tick", "spec": "@hourly"}}},
            "it has an input (cron)",
        ),
        ({"pipeline": {"name": "my-spout"}, "service": {"internal_port": 80}}, "it is a service"),
        ({"pipeline": {"name": "my-spout"}, "transform": TRANSFORM}, "it has no field spout"),
        (a_document(spout=None), "it has no field spout"),
    ],
)
def test_a_pipeline_of_another_kind_is_no_spout(document: Mapping[str, Any], reason: str) -> None:
    with pytest.raises(NoSpoutError) as error:
        candidate(document)

    assert str(error.value) == f"the pipeline 'my-spout' is no spout: {reason}"


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("text", "is no pipeline spec, which is an object"),
        ([1], "is no pipeline spec, which is an object"),
        ({}, "is no pipeline spec: it does not name a pipeline"),
        ({"pipeline": "my-spout"}, "is no pipeline spec: it does not name a pipeline"),
        ({"pipeline": {"name": 5}}, "is no pipeline spec: it does not name a pipeline"),
        ({"apiVersion": "v1", "kind": "Secret", "data": "hunter2"}, "is a manifest of Kubernetes (kind 'Secret')"),
        (a_document(pod_patch="[]", podPatch="[]"), "has the field podPatch in two spellings"),
    ],
)
def test_what_is_no_pipeline_spec(document: object, says: str) -> None:
    with pytest.raises(UnreadableError) as error:
        candidate(document)

    assert str(error.value).startswith(says)
    assert "hunter2" not in str(error.value)


UNFIT = [
    (a_document(name="___"), "the pipeline '___' cannot be a Spout: rename it to at most 51 lower-case letters"),
    (a_transform(cmd=None), "the pipeline 'my-spout' cannot be a Spout: spec.transform.cmd: missing"),
    (
        a_transform(env={"PORT": 9092}),
        "the pipeline 'my-spout' cannot be a Spout: spec.transform.env: the values of PORT are",
    ),
    (
        a_transform(env=[{"name": "A", "value": "hunter2"}]),
        "the pipeline 'my-spout' cannot be a Spout: spec.transform.env: found a list",
    ),
    (
        a_transform(secrets={"kafka": "hunter2"}),
        "the pipeline 'my-spout' cannot be a Spout: spec.transform.secrets: found a dict",
    ),
    (
        a_transform(secrets=["hunter2"]),
        "the pipeline 'my-spout' cannot be a Spout: spec.transform.secrets: expected every item",
    ),
    (
        a_transform(working_dir="a", workingDir="b"),
        "the pipeline 'my-spout' has the field transform.workingDir in two spellings",
    ),
    (a_document(transform="hunter2"), "the pipeline 'my-spout' cannot be a Spout: spec.transform: found a str"),
    (
        a_document(resource_limits={"cpu": "lots"}),
        "the pipeline 'my-spout' cannot be a Spout: spec.resourceLimits.cpu: 'lots'",
    ),
    (
        {key: value for key, value in of_server().items() if key not in {"details", "user_spec_json"}},
        "the pipeline 'tiny' is printed without its spec; print it with `pachctl inspect pipeline NAME --raw`",
    ),
    ({**of_server(), "user_spec_json": "{hunter2"}, "the pipeline 'tiny' has a userSpecJson that is no JSON"),
]


@pytest.mark.parametrize(("document", "says"), UNFIT, ids=[row[1][:80] for row in UNFIT])
def test_a_pipeline_that_no_spout_asks_for_is_told_with_the_finding_of_the_parser(document: object, says: str) -> None:
    with pytest.raises(UnfitError) as error:
        manifest_of(candidate(document))

    assert str(error.value).startswith(says)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "becomes"),
    [("kafka_spout", "kafka-spout"), ("My.Spout", "my-spout"), ("a-", "a"), ("n" * 52, "n" * 51), ("spöut", "spout")],
)
def test_a_name_that_no_spout_can_have_becomes_the_proposal_and_a_comment_says_so(name: str, becomes: str) -> None:
    manifest = manifest_of(candidate(a_document(name=name)))

    assert manifest.name == becomes
    assert manifest.body["metadata"] == {"name": becomes}
    assert "name" not in manifest.body["spec"]
    (comment,) = manifest.comments["metadata",]
    assert comment.startswith(
        f"the pipeline is named {name!r}, and no Spout can have that name; this Spout makes another pipeline"
    )


def test_pipelines_of_the_same_name_in_two_projects_become_spouts_of_two_names() -> None:
    projects = ("default", "Dev_1", "prod")
    documents = [{**a_document(), "pipeline": {"name": "a", "project": {"name": project}}} for project in projects]

    manifests = [manifest_of(candidate(document)) for document in documents]

    assert [manifest.name for manifest in manifests] == ["a", "dev-1-a", "prod-a"]
    assert [manifest.pipeline for manifest in manifests] == [a_name("a", project) for project in projects]


FIELDS_OF_A_SPEC = [
    "pipeline", "project", "name", "transform", "env", "secrets", "spout", "service", "internal_port", "tolerations",
    "operator", "resource_requests", "gpu", "cpu", "metadata", "annotations", "details", "user_spec_json", "input",
    "stopped", "pod_patch", "scheduling_spec", "node_selector", "type", RESTART_NONCE, SPOUT,
]  # fmt: skip
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(["EXISTS", "[]", "a"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(FIELDS_OF_A_SPEC) | st.text(max_size=2), inner)
    ),
    max_leaves=12,
)
documents = st.builds(
    lambda changes, transform: {
        **a_document(),
        **changes,
        **({"transform": {**TRANSFORM, **transform}} if transform else {}),
    },
    st.dictionaries(st.sampled_from(FIELDS_OF_A_SPEC), anything, max_size=4),
    st.dictionaries(st.sampled_from(["env", "secrets", "user", "cmd", "stdin", "err_cmd"]), anything, max_size=2),
)


@settings(max_examples=200)
@given(documents | anything)
def test_any_document_becomes_a_manifest_or_is_refused_as_it_should_be(document: object) -> None:
    """No other exception than ours, and what is written is what the parser accepts: `manifest_of` has asked it."""
    with contextlib.suppress(NotImportedError):
        manifest = manifest_of(candidate(document))

        assert yaml.safe_load(to_yaml(manifest)) == manifest.body
