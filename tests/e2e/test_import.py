"""Pipelines that pachctl created, imported from the server and from what pachctl prints: both say the same."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from spout_operator.pachyderm.v1.sdk import Client
from spout_testbed import Testbed
from tests.import_command import run_import
from tests.upstream_specs import V1

FULL = {
    "pipeline": {"name": "full"},
    "description": "all that a spout of this server can have",
    "transform": {
        "image": "a/b:1",
        "cmd": ["sh"],
        "stdin": ["set -eu", "exec ./consume"],
        "env": {"N": "on", "NUMBER": "1e3"},
        "secrets": [{"name": "s", "key": "k", "env_var": "E"}, {"name": "t", "mount_path": "/t"}],
        "image_pull_secrets": ["registry"],
        "working_dir": "/app",
        "user": "1000",
    },
    "spout": {"overwrite": True, "marker": "offset", "service": {"internal_port": 80}},
    "resource_requests": {"cpu": 0.1, "memory": "64M"},
    "resource_limits": {"cpu": 1.5, "memory": "1Gi"},
    "scheduling_spec": {"node_selector": {"disk": "ssd"}, "priority_class_name": "ingest"},
    "pod_patch": '[{"op": "add", "path": "/hostNetwork", "value": true}]',
}
EDGES = {
    "pipeline": {"name": "edges"},
    "transform": {"image": "a/b:1", "cmd": ["sh"]},
    "input": {"pfs": {"repo": "spout", "glob": "/*"}},
}


@pytest.fixture
def created(bed: Testbed, pachyderm: Client) -> Iterator[None]:
    """The examples of Pachyderm, a spout with everything, one that is stopped, and a pipeline that is no spout."""
    for document in (*(example.document for example in V1), FULL, EDGES):
        bed.pachctl("create", "pipeline", "-f", "-", input=json.dumps(document))
    bed.pachctl("stop", "pipeline", "spoutmarker")
    yield
    for name in (
        "edges",
        *(info.pipeline.name for info in pachyderm.list_pipeline(allow_incomplete=True).pipeline_info),
    ):
        bed.pachctl("delete", "pipeline", name, "--force", check=False)


def manifests(text: str) -> dict[str, Any]:
    """Manifests by their name."""
    return {body["metadata"]["name"]: body for body in yaml.safe_load_all(text)}


@pytest.mark.usefixtures("created")
def test_a_server_and_what_pachctl_created_and_prints_become_the_same_manifests(bed: Testbed) -> None:
    spouts = json.dumps([*(example.document for example in V1), FULL])
    listed = bed.pachctl("list", "pipeline", "--raw", "--output", "yaml").stdout
    specs = bed.pachctl("list", "pipeline", "--spec").stdout

    created = manifests(run_import("-", standard_input=spouts))
    created["spoutmarker"]["spec"]["suspend"] = True

    assert manifests(run_import("--from-server", "--pachd-address", bed.pachd_address)) == created
    assert manifests(run_import("-", standard_input=listed, leaves_out=True)) == created
    del created["spoutmarker"]["spec"]["suspend"]
    assert manifests(run_import("-", standard_input=specs, leaves_out=True)) == created
