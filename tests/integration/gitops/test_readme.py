"""Every command of deploy/README.md, in its order, on a real API server."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from spout_testbed import Testbed
from spout_testbed.harness.cluster import CRD_FILE, ROOT, wait_for_crd
from spout_testbed.waiting import eventually

README = (ROOT / "deploy" / "README.md").read_text()
COMMANDS = [
    block or inline
    for block, inline in re.findall(r"^```sh\n(.*?)^```$|`(kubectl [^`]+)`", README, re.DOTALL | re.MULTILINE)
]


@pytest.fixture
def cluster(bed: Testbed, crd: str) -> Iterator[Testbed]:
    """A cluster with Argo CD's ConfigMap. The CRD is installed again after the test, as a command deletes it."""
    bed.kubectl("create", "namespace", "argocd", check=False)
    bed.kubectl("create", "configmap", "argocd-cm", "-n", "argocd", check=False)
    yield bed
    bed.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRD_FILE))
    wait_for_crd(bed)


def as_controllers_do(bed: Testbed) -> None:
    """Do what the controllers of a cluster would do: run the Pods, and remove a deleted namespace."""
    here = ("-n", "spout-operator", "deployment/spout-operator")
    generation = bed.kubectl("get", *here, "-o", "jsonpath={.metadata.generation}", check=False).stdout or "0"
    up = '"replicas":1,"updatedReplicas":1,"availableReplicas":1,"readyReplicas":1'
    status = f'{{"status":{{"observedGeneration":{generation},{up}}}}}'
    bed.kubectl("patch", *here, "--subresource=status", "--type=merge", f"--patch={status}", check=False)
    ending = bed.kubectl("get", "ns/spout-operator", "-o", "jsonpath={.metadata.deletionTimestamp}", check=False).stdout
    if ending:
        empty = '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"spout-operator"},"spec":{"finalizers":[]}}'
        bed.kubectl(
            "replace", "--raw", "/api/v1/namespaces/spout-operator/finalize", "-f", "-", input=empty, check=False
        )


def test_each_command_of_the_readme_does_what_it_says(cluster: Testbed, tmp_path: Path) -> None:
    for folder in ("deploy", "crds"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "token").write_text("a token")
    environment = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig)}
    assert len(COMMANDS) == 5
    for command in COMMANDS:
        script = subprocess.Popen(  # noqa: S603 - our own README
            ["/bin/bash", "-euc", command],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

        def ended(script: "subprocess.Popen[bytes]" = script) -> bool:
            as_controllers_do(cluster)
            return script.poll() is not None

        eventually(ended, what=command, seconds=60)
        said = script.communicate()[0].decode()
        assert script.returncode == 0, f"{command}\n{said}"
