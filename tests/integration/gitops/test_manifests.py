"""A real API server accepts what deploy/ renders to, and the rights of the namespaced overlay are enough."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from kubernetes import client

from spout_testbed import Testbed
from spout_testbed.harness import audit
from spout_testbed.harness.bodies import a_spec
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually
from tests.memory_pachd import MemoryPachd

DEPLOY = Path(__file__).parents[3] / "deploy"
DIGEST = f"sha256:{'0' * 64}"


@pytest.fixture(scope="module", autouse=True)
def namespaces(bed: Testbed, crd: str) -> None:
    """Create the namespaces that the manifests name: a dry run creates none for the objects after it."""
    for name in ("spout-operator", "ingest", "clicks", "pachyderm"):
        bed.kubectl("create", "namespace", name, check=False)


@pytest.fixture
def deploy(tmp_path: Path) -> Path:
    """A copy of deploy/ that a test can edit, as users do."""
    shutil.copytree(DEPLOY.parent / "crds", tmp_path / "crds")
    return Path(shutil.copytree(DEPLOY, tmp_path / "deploy"))


@pytest.mark.parametrize("folder", ["overlays/cluster-wide", "overlays/namespaced", "overlays/ha", "samples/kustomize"])
def test_the_api_server_accepts_the_manifests(bed: Testbed, folder: str) -> None:
    sides = ("--server-side", "--force-conflicts", "--field-manager=gitops")
    bed.kubectl("apply", *sides, "--dry-run=server", "--validate=strict", "-k", str(DEPLOY / folder))


def test_a_server_side_apply_takes_over_what_was_applied_client_side(bed: Testbed) -> None:
    """A user who installed with `kubectl apply -k` changes to a server-side apply or to Flux later."""
    overlay = str(DEPLOY / "overlays" / "cluster-wide")
    bed.kubectl("delete", "deployment", "spout-operator", "-n", "spout-operator", "--ignore-not-found")
    bed.kubectl("apply", "-k", overlay)
    bed.kubectl("apply", "--server-side", "-k", overlay)
    again = bed.kubectl("diff", "--server-side", "-k", overlay, check=False)
    assert (again.returncode, again.stdout) == (0, "")


def test_a_tag_with_a_digest_reaches_the_spout_and_is_taken(bed: Testbed, deploy: Path) -> None:
    sample = deploy / "samples" / "kustomize"
    kustomization = yaml.safe_load((sample / "kustomization.yaml").read_text())
    kustomization["images"][0]["digest"] = DIGEST
    (sample / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))

    taken = bed.kubectl("apply", "--server-side", "--dry-run=server", "-k", str(sample), "-o", "yaml").stdout

    (spout,) = [one for one in yaml.safe_load(taken)["items"] if one["kind"] == "Spout"]
    assert spout["spec"]["transform"]["image"] == f"myaccount/myimage:0.2@{DIGEST}"


def test_a_generated_secret_of_another_namespace_is_not_followed(bed: Testbed, deploy: Path) -> None:
    """The reason why the sample's Spout is in Pachyderm's namespace: kustomize renames within one namespace only."""
    sample = deploy / "samples" / "kustomize"
    kustomization = yaml.safe_load((sample / "kustomization.yaml").read_text())
    del kustomization["namespace"]
    kustomization["secretGenerator"][0]["namespace"] = "pachyderm"
    (sample / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))

    manifests = yaml.safe_load_all(bed.kubectl("kustomize", str(sample)).stdout)

    (spout,) = [one for one in manifests if one["kind"] == "Spout"]
    assert spout["spec"]["transform"]["secrets"][0]["name"] == "kafka"


def test_a_second_namespace_is_added_as_the_overlay_says(deploy: Path, bed: Testbed) -> None:
    overlay = deploy / "overlays" / "namespaced"
    (overlay / "clicks.yaml").write_text((overlay / "ingest.yaml").read_text().replace("ingest", "clicks"))
    text = (overlay / "kustomization.yaml").read_text()
    text = text.replace("  - ingest.yaml\n", "  - ingest.yaml\n  - clicks.yaml\n")
    (overlay / "kustomization.yaml").write_text(text.replace("value: ingest}", "value: ingest clicks}"))

    bed.kubectl("apply", "--server-side", "--force-conflicts", "--dry-run=server", "-k", str(overlay))

    manifests = list(yaml.safe_load_all(bed.kubectl("kustomize", str(overlay)).stdout))
    roles = {one["metadata"]["namespace"] for one in manifests if one["kind"] == "Role"}
    (deployment,) = [one for one in manifests if one["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    watched = {variable["name"]: variable.get("value") for variable in container["env"]}
    assert watched["SPOUT_OPERATOR_NAMESPACES"] == "ingest clicks"
    assert roles == {"ingest", "clicks", "kube-system", "spout-operator"}


@pytest.fixture
def namespaced(bed: Testbed, tmp_path: Path) -> Iterator[tuple[OperatorProcess, MemoryPachd]]:
    """Start an operator with the rights and the settings of the overlay."""
    bed.kubectl("delete", "clusterrole,clusterrolebinding", "spout-operator", "--ignore-not-found")
    bed.kubectl("apply", "-k", str(DEPLOY / "overlays" / "namespaced"))
    with MemoryPachd() as pachd:
        process = OperatorProcess(
            kubeconfig=bed.kubeconfig_for_account("spout-operator", "spout-operator"),
            pachd_address=pachd.address,
            log=tmp_path / "operator.log",
            flags=("--lease=spout-operator/spout-operator", "--namespace=ingest"),
        )
        with process:
            yield process, pachd


def test_the_rights_of_the_namespaced_overlay_are_enough(
    bed: Testbed, kube: client.ApiClient, namespaced: tuple[OperatorProcess, MemoryPachd]
) -> None:
    process, pachd = namespaced
    since = audit.size(bed.audit_log)
    spouts = Spouts(kube, "ingest", process.log)
    eventually(lambda: process.is_leading, what="the operator to lead", details=process.log.read_text)

    spouts.create("one", a_spec({"spout.marker": "offset"}))
    spouts.wait("one", "to be made", synced="True")
    pachd.come_up("one")
    spouts.wait("one", "to be ready", ready="True")
    spouts.delete("one")
    spouts.wait_gone("one")

    asked = list(audit.requests(bed.audit_log, since=since))
    assert asked
    assert [one for one in asked if one.status in {401, 403}] == []


def test_the_patch_of_argocd_cm_leaves_the_rest_alone(bed: Testbed, namespace: str) -> None:
    bed.kubectl("create", "configmap", "argocd-cm", "-n", namespace, "--from-literal=url=https://argocd.example")

    patch = DEPLOY / "argocd" / "argocd-cm.yaml"
    bed.kubectl("patch", "configmap", "argocd-cm", "-n", namespace, "--patch-file", str(patch))

    data = yaml.safe_load(bed.kubectl("get", "configmap", "argocd-cm", "-n", namespace, "-o", "yaml").stdout)["data"]
    assert data["url"] == "https://argocd.example"
    assert data.keys() >= yaml.safe_load(patch.read_text())["data"].keys()
