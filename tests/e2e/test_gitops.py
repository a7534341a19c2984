"""GitOps: applying the same folder again changes nothing, and a tool's own labels restart no spout."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from spout_operator.pachyderm.v1.sdk import Client
from spout_testbed import Testbed
from spout_testbed.harness.bodies import a_spout
from spout_testbed.harness.requests import pachd_calls
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually
from tests.e2e.conftest import USER_CODE, a_spec

TIMES = 50


@pytest.fixture
def folder(tmp_path: Path, spouts: Spouts, name: str) -> Path:
    """The folder in Git: one Spout, with quantities as people write them."""
    spec = a_spec(resourceRequests={"cpu": "0.1", "memory": "64Mi"})
    body = a_spout(name=name, namespace=spouts.namespace, spec=spec)
    assert [sys.executable, str(USER_CODE)] == spec["transform"]["cmd"]
    (tmp_path / "git").mkdir()
    (tmp_path / "git" / "spout.yaml").write_text(yaml.safe_dump(body))
    return tmp_path / "git"


def apply(bed: Testbed, folder: Path) -> str:
    return bed.kubectl("apply", "--server-side", "--field-manager=gitops", "-f", str(folder)).stdout


def version_of(bed: Testbed, spouts: Spouts, name: str) -> tuple[str, int]:
    body: dict[str, Any] = json.loads(bed.kubectl("get", "spout", name, "-n", spouts.namespace, "-o", "json").stdout)
    return body["metadata"]["resourceVersion"], body["status"]["pipeline"]["version"]


def settle(spouts: Spouts, name: str) -> None:
    """Wait for five commits of data and five of the marker; then the user code only sleeps."""
    spouts.wait(name, "to be ready", ready="True")
    spouts.wait(name, "to have written all", total=10, marker="5", ready="True")


def test_applying_the_same_folder_fifty_times_changes_nothing(
    bed: Testbed, spouts: Spouts, folder: Path, name: str, pachyderm: Client
) -> None:
    apply(bed, folder)
    settle(spouts, name)
    before, calls = version_of(bed, spouts, name), pachd_calls(bed.pachd.log)

    for _ in range(TIMES):
        apply(bed, folder)

    assert version_of(bed, spouts, name) == before
    made = pachd_calls(bed.pachd.log) - calls
    assert made["pps.API.CreatePipeline"] == 0
    assert pachyderm.inspect_pipeline(name).version == 1


@pytest.mark.parametrize("side", [("--server-side", "--field-manager=gitops"), ()], ids=["server-side", "client-side"])
def test_kubectl_diff_finds_no_difference_after_a_reconcile(
    bed: Testbed, spouts: Spouts, folder: Path, name: str, side: tuple[str, ...]
) -> None:
    bed.kubectl("apply", *side, "-f", str(folder))
    settle(spouts, name)

    found = bed.kubectl("diff", *side, "-f", str(folder), check=False)

    assert (found.returncode, found.stdout) == (0, "")


def test_labels_and_annotations_of_a_tool_restart_nothing(
    bed: Testbed, spouts: Spouts, folder: Path, name: str, pachyderm: Client
) -> None:
    apply(bed, folder)
    settle(spouts, name)
    calls = pachd_calls(bed.pachd.log)

    tracking = f"argocd.argoproj.io/tracking-id=spouts:spout-operator.io/Spout:{spouts.namespace}/{name}"
    bed.kubectl("annotate", "spout", name, "-n", spouts.namespace, tracking)
    bed.kubectl("label", "spout", name, "-n", spouts.namespace, "kustomize.toolkit.fluxcd.io/name=spouts")
    listed = pachd_calls(bed.pachd.log)["pps.API.ListPipeline"]
    spouts.wait(name, "to stay ready", ready="True", version=1)
    eventually(lambda: pachd_calls(bed.pachd.log)["pps.API.ListPipeline"] > listed + 3, what="some ticks")

    assert (pachd_calls(bed.pachd.log) - calls)["pps.API.CreatePipeline"] == 0
    info = pachyderm.inspect_pipeline(name)
    assert info.version == 1
    assert "argocd" not in str(info.metadata), "what is the tool's is not copied: it would prune the pipeline's Pods"
