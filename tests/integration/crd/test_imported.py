"""What `spout-operator import` writes, given to a real API server by kubectl."""

import json
from pathlib import Path

import pytest

from spout_operator.core.resource import SpoutResource
from spout_operator.core.spec import parsing
from spout_testbed import Testbed
from spout_testbed.harness.bodies import Body
from spout_testbed.harness.spouts import Spouts
from tests.import_command import run_import
from tests.upstream_specs import V1, V2, Example

#: Names and values that a reader of YAML 1.1 takes for booleans, numbers and dates.
ODD = {name: name for name in ("N", "Y", "ON", "No", "e3", "_1.5")} | {
    "NUMBER": "1e3",
    "DATE": "2026-01-31",
    "X": "0x1F",
}
EVERYTHING = {
    "pipeline": {"name": "everything", "project": {"name": "Ingest_1"}},
    "description": "two lines,\nand \"quotes\": 'all' # of \\ them ü",
    "transform": {
        "image": "registry:5000/a/b:1",
        "cmd": ["sh", "-c", "echo \"$N\" 'x'", ""],
        "stdin": ["set -eu", "", "- # no comment", "\tx"],
        "env": {**ODD, "EMPTY": "", "LINES": "a\n b\n", "DB_PASSWORD": "a: b"},
        "secrets": [{"name": "s", "key": "k", "env_var": "E"}, {"name": "t", "mount_path": "/t", "value": "hunter2"}],
        "image_pull_secrets": ["registry"],
        "working_dir": "/app",
        "user": "1000",
        "err_cmd": ["x"],
    },
    "spout": {
        "overwrite": True,
        "marker": "offset",
        "service": {"internal_port": 80, "external_port": 30080, "type": "ClusterIP"},
    },
    "resource_requests": {"cpu": 0.1, "memory": "64M", "disk": "1Gi", "gpu": {"type": "nvidia.com/gpu", "number": "1"}},
    "resource_limits": {"cpu": 1, "memory": "1e9", "gpu": {"type": "nvidia.com/gpu", "number": "1"}},
    "sidecar_resource_requests": {"cpu": 0.5},
    "sidecar_resource_limits": {"cpu": "1", "memory": "1Gi"},
    "scheduling_spec": {"node_selector": {"Y": "n"}, "priority_class_name": "ingest"},
    "tolerations": [
        {"key": "a", "operator": "EQUAL", "value": "1", "effect": "NO_EXECUTE", "toleration_seconds": "0"},
        {"operator": "EXISTS"},
    ],
    "pod_patch": '[{"op": "add", "path": "/hostNetwork", "value": true}]',
    "parallelism_spec": {"constant": 2},
    "metadata": {"annotations": {"a": "b"}, "labels": {"a": "b"}},
    "stopped": True,
    "a\n---\nb: c": 1,
}


@pytest.mark.parametrize("example", [*V1, *V2], ids=str)
def test_an_example_of_pachyderm_is_accepted_with_nothing_dropped(
    example: Example, bed: Testbed, spouts: Spouts, namespace: str
) -> None:
    manifest = run_import("-", standard_input=json.dumps(example.document))

    bed.kubectl("create", "--validate=strict", "-n", namespace, "-f", "-", input=manifest)

    made = spouts.get(example.document["pipeline"]["name"].replace("_", "-"))
    assert made is not None
    assert made["spec"]["transform"].get("env", {}) == example.document["transform"].get("env", {})
    parsing.parse_spout(SpoutResource.from_body(made))


def test_kubectl_reads_every_field_as_it_was_meant(bed: Testbed, spouts: Spouts, namespace: str) -> None:
    manifest = run_import("-", standard_input=json.dumps(EVERYTHING))

    bed.kubectl("create", "--validate=strict", "-n", namespace, "-f", "-", input=manifest)

    made = spouts.get("ingest-1-everything")
    assert made is not None
    assert_same(made["spec"])
    assert "hunter2" not in manifest


def assert_same(spec: Body) -> None:
    """Whether it is what `EVERYTHING` says."""
    transform = EVERYTHING["transform"]
    assert isinstance(transform, dict)
    assert spec == {
        "name": "everything",
        "project": "Ingest_1",
        "description": EVERYTHING["description"],
        "transform": {
            **{field: transform[field] for field in ("image", "cmd", "stdin", "env", "user")},
            "secrets": [{"name": "s", "key": "k", "envVar": "E"}, {"name": "t", "mountPath": "/t"}],
            "imagePullSecrets": ["registry"],
            "workingDir": "/app",
        },
        "spout": {
            "overwrite": True,
            "marker": "offset",
            "service": {"internalPort": 80, "externalPort": 30080, "type": "ClusterIP"},
        },
        "resourceRequests": {
            "cpu": "0.1",
            "memory": "64M",
            "disk": "1Gi",
            "gpu": {"type": "nvidia.com/gpu", "number": 1},
        },
        "resourceLimits": {"cpu": "1", "memory": "1e9", "gpu": {"type": "nvidia.com/gpu", "number": 1}},
        "sidecarResourceRequests": {"cpu": "0.5"},
        "sidecarResourceLimits": {"cpu": "1", "memory": "1Gi"},
        "schedulingSpec": {"nodeSelector": {"Y": "n"}, "priorityClassName": "ingest"},
        "tolerations": [
            {"key": "a", "value": "1", "effect": "NoExecute", "tolerationSeconds": 0},
            {"operator": "Exists"},
        ],
        "podPatch": '[{"op":"add","path":"/hostNetwork","value":true}]',
        "suspend": True,
    }


def test_a_folder_is_applied_and_then_there_is_no_difference(bed: Testbed, namespace: str, tmp_path: Path) -> None:
    specs, folder = tmp_path / "specs.json", tmp_path / "spouts"
    specs.write_text(json.dumps([example.document for example in V1]))
    run_import(str(specs), "--output", str(folder))

    bed.kubectl("apply", "--dry-run=server", "--validate=strict", "-n", namespace, "-f", str(folder))
    before = bed.kubectl("diff", "-n", namespace, "-f", str(folder), check=False)
    bed.kubectl("apply", "-n", namespace, "-f", str(folder))
    after = bed.kubectl("diff", "-n", namespace, "-f", str(folder), check=False)

    # As `diff` itself: 1 where there is a difference.
    assert before.returncode == 1, before.stderr
    assert (after.returncode, after.stdout) == (0, "")
