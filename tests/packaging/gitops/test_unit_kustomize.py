"""What kustomize renders from deploy/: the overlays, and a Spout with a generated image tag and Secret name."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from spout_testbed.builds import kubectl_program

DEPLOY = Path(__file__).parents[3] / "deploy"
OVERLAYS = ("cluster-wide", "namespaced", "ha")


def built(folder: Path) -> list[dict[str, Any]]:
    """Render with the kubectl of the machine, or with that of the test bed."""
    argv = [str(kubectl_program()), "kustomize", str(folder)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


def only(manifests: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = [manifest for manifest in manifests if manifest["kind"] == kind]
    return found


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_has_the_crd_the_operator_and_its_rights(overlay: str) -> None:
    manifests = built(DEPLOY / "overlays" / overlay)
    kinds = {manifest["kind"] for manifest in manifests}
    assert {"CustomResourceDefinition", "Namespace", "Deployment", "Role", "ServiceAccount"} <= kinds
    assert only(manifests, "Deployment")["spec"]["replicas"] == (2 if overlay == "ha" else 1)


def test_the_namespaced_overlay_watches_the_namespaces_that_it_has_roles_in() -> None:
    manifests = built(DEPLOY / "overlays" / "namespaced")
    container = only(manifests, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    watched = {variable["name"]: variable.get("value") for variable in container["env"]}["SPOUT_OPERATOR_NAMESPACES"]
    roles = [one["metadata"]["namespace"] for one in manifests if one["kind"] == "Role"]
    assert set(watched.split()) == set(roles) - {"spout-operator", "kube-system"}
    assert [one["metadata"]["name"] for one in manifests if one["kind"] == "ClusterRole"] == ["spout-operator-crd"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_policy_of_ones_own_replaces_that_of_the_base_as_the_readme_says(overlay: str, tmp_path: Path) -> None:
    for folder in ("deploy", "crds"):
        shutil.copytree(DEPLOY.parent / folder, tmp_path / folder)
    section = (DEPLOY / "README.md").read_text().partition("## Who may create Spouts")[2].partition("\n## ")[0]
    (example,) = re.findall(r"^```yaml\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    own = tmp_path / "my-install"
    own.mkdir()
    (own / "kustomization.yaml").write_text(f"resources: [../deploy/overlays/{overlay}]\n{example}")
    trusted = DEPLOY.parent / "charts" / "spout-operator" / "files" / "policies" / "trusted.yaml"
    shutil.copy(trusted, own / "policy.yaml")

    manifests = built(own)

    policy = only(manifests, "ConfigMap")
    assert policy["data"] == {"policy.yaml": trusted.read_text()}
    volumes = only(manifests, "Deployment")["spec"]["template"]["spec"]["volumes"]
    assert [one["configMap"] for one in volumes if "configMap" in one] == [{"name": policy["metadata"]["name"]}]


def test_new_image_tags_and_generated_secret_names_reach_a_spout() -> None:
    manifests = built(DEPLOY / "samples" / "kustomize")
    secret, spout = only(manifests, "Secret"), only(manifests, "Spout")
    assert spout["spec"]["transform"]["image"] == "myaccount/myimage:0.2"
    assert secret["metadata"]["name"].startswith("kafka-")
    assert [one["name"] for one in spout["spec"]["transform"]["secrets"]] == [secret["metadata"]["name"]]


def test_a_generated_image_pull_secret_is_renamed_in_the_spout_too(tmp_path: Path) -> None:
    shutil.copytree(DEPLOY, tmp_path / "deploy", ignore=shutil.ignore_patterns("overlays"))
    sample = tmp_path / "deploy" / "samples" / "kustomize"
    spout = yaml.safe_load((sample / "spout.yaml").read_text())
    spout["spec"]["transform"]["imagePullSecrets"] = ["kafka"]
    (sample / "spout.yaml").write_text(yaml.safe_dump(spout))

    manifests = built(sample)

    secret, spout = only(manifests, "Secret"), only(manifests, "Spout")
    assert spout["spec"]["transform"]["imagePullSecrets"] == [secret["metadata"]["name"]]


def test_the_component_leaves_kustomizes_own_schema_alone(tmp_path: Path) -> None:
    """With an own openapi schema, a patch of one container would drop the others."""
    component = yaml.safe_load((DEPLOY / "component" / "kustomization.yaml").read_text())
    assert "openapi" not in component
    (tmp_path / "component").mkdir()
    for file in (DEPLOY / "component").glob("*.yaml"):
        (tmp_path / "component" / file.name).write_text(file.read_text())
    head = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {template: {spec: {containers: "
    (tmp_path / "deployment.yaml").write_text(f"{head}[{{name: a, image: a}}, {{name: b, image: b}}]}}}}}}}}")
    (tmp_path / "patch.yaml").write_text(head + "[{name: a, image: c}]}}}}")
    (tmp_path / "kustomization.yaml").write_text(
        "{components: [component], resources: [deployment.yaml], patches: [{path: patch.yaml}]}"
    )
    (deployment,) = built(tmp_path)
    found = {one["name"]: one["image"] for one in deployment["spec"]["template"]["spec"]["containers"]}
    assert found == {"a": "c", "b": "b"}


def test_flux_waits_for_the_operator_and_then_for_the_spouts() -> None:
    source, operator, spouts = yaml.safe_load_all((DEPLOY / "flux" / "operator.yaml").read_text())
    assert operator["spec"]["sourceRef"]["name"] == source["metadata"]["name"]
    assert (DEPLOY.parent / operator["spec"]["path"]).is_dir()
    assert spouts["spec"]["dependsOn"] == [{"name": operator["metadata"]["name"]}]
    assert operator["spec"]["wait"] is spouts["spec"]["wait"] is True
    assert "healthCheckExprs" not in spouts["spec"]
