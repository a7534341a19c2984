"""The README's install section, run word for word on an API server, without what needs a container engine."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from spout_operator import __version__
from spout_operator.core.policy import RESTRICTED, Policy
from spout_operator.process import policy_text
from spout_testbed import Testbed
from spout_testbed.builds import kubectl_program
from spout_testbed.programs import program
from tests.packaging.chart.charts import ROOT

#: No container engine builds images here, and no kubelet runs the Pod of `helm test`.
LEFT_OUT = ("docker build", "helm test")


def blocks() -> dict[str, str]:
    """The shell blocks of the install section, by their first words."""
    section = (ROOT / "README.md").read_text().partition("## Install on a cluster")[2].partition("\n## ")[0]
    found = re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    names = ("helm", "kubectl", "argocd", "flux", "spout", "policy")
    assert len(found) == len(names)
    return dict(zip(names, found, strict=True))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the files that the commands name, and the programs that they call."""
    for name in ("charts", "crds", "deploy", "examples"):
        shutil.copytree(ROOT / name, tmp_path / name, symlinks=True)
    (tmp_path / "bin").mkdir()
    return tmp_path


def follow(bed: Testbed, checkout: Path, block: str, helm: str = "helm4") -> str:
    """Run a block as if a person had pasted it."""
    link = checkout / "bin" / "helm"
    link.unlink(missing_ok=True)
    link.symlink_to(program("helm3" if helm == "helm3" else "helm4"))
    lines = [line for line in block.splitlines() if not line.startswith(LEFT_OUT)]
    search = [str(checkout / "bin"), str(kubectl_program().parent), os.environ["PATH"]]
    environment = {**os.environ, "KUBECONFIG": str(bed.kubeconfig), "PATH": ":".join(search)}
    script = "set -e\n" + "\n".join(lines)
    done = subprocess.run(  # noqa: S603 - the README's own
        ["/bin/bash", "-c", script], cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(autouse=True)
def cleared(bed: Testbed) -> Iterator[None]:
    """Delete what a test has left, also when it failed."""
    yield
    bed.kubectl("delete", "spouts", "--all", "-A", "--ignore-not-found", check=False)
    part = "--selector=app.kubernetes.io/part-of=spout-operator"
    kinds = (
        "deployments,services,configmaps,serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings,secrets"
    )
    bed.kubectl("delete", kinds, part, "-A", "--ignore-not-found")
    bed.kubectl("delete", "secrets", "-A", "-l", "owner=helm", "--ignore-not-found")
    bed.kubectl("delete", "crd", "spouts.spout-operator.io", "--ignore-not-found")


@pytest.mark.parametrize("helm", ["helm3", "helm4"])
def test_the_helm_commands_of_the_readme_install_the_operator(bed: Testbed, checkout: Path, helm: str) -> None:
    said = follow(bed, checkout, blocks()["helm"], helm)
    assert "STATUS: deployed" in said
    image = "-o=jsonpath={.spec.template.spec.containers[0].image}"
    found = bed.kubectl("get", "deployment", "spout-operator", "-n", "spout-operator", image).stdout
    assert found == f"REGISTRY/spout-operator:{__version__}"
    assert "my-spout" in follow(bed, checkout, blocks()["spout"], helm)
    assert policy_in(bed) == RESTRICTED

    follow(bed, checkout, blocks()["policy"], helm)

    assert policy_in(bed).rules[0].pod_patch
    found = bed.kubectl("get", "deployment", "spout-operator", "-n", "spout-operator", image).stdout
    assert found == f"REGISTRY/spout-operator:{__version__}", "the other values stay as they are"


def policy_in(bed: Testbed) -> Policy:
    """The policy of the installation, as the operator reads it."""
    query = r"-o=jsonpath={.data.policy\.yaml}"
    found = bed.kubectl("get", "configmap", "spout-operator-policy", "-n", "spout-operator", query)
    return policy_text.read(found.stdout)


def test_the_kubectl_commands_of_the_readme_install_the_operator(bed: Testbed, checkout: Path) -> None:
    follow(bed, checkout, blocks()["kubectl"])
    path = '-o=jsonpath={.spec.template.spec.containers[0].env[?(@.name=="SPOUT_OPERATOR_PACHD_ADDRESS")].value}'
    found = bed.kubectl("get", "deployment", "spout-operator", "-n", "spout-operator", path).stdout
    assert found == "grpc://pachd.pachyderm:650"
    assert policy_in(bed) == RESTRICTED
    assert "my-spout" in follow(bed, checkout, blocks()["spout"])


def paths(bed: Testbed, kind: str, namespace: str, query: str) -> set[str]:
    """The folders of the repository that these objects name."""
    return set(bed.kubectl("get", kind, "-n", namespace, f"-o=jsonpath={{.items[*].spec.{query}}}").stdout.split())


def test_the_argo_cd_commands_of_the_readme_create_the_applications(bed: Testbed, checkout: Path) -> None:
    bed.kubectl("create", "namespace", "argocd")
    bed.kubectl("create", "configmap", "argocd-cm", "-n", "argocd")

    follow(bed, checkout, blocks()["argocd"])

    data = bed.kubectl("get", "configmap", "argocd-cm", "-n", "argocd", "-o=jsonpath={.data}").stdout
    assert "resource.customizations.health.spout-operator.io_Spout" in data
    assert "resource.customizations.actions.spout-operator.io_Spout" in data
    named = paths(bed, "applications", "argocd", "source.path")
    assert named == {"deploy/overlays/cluster-wide", "spouts"}
    bed.kubectl("kustomize", str(checkout / "deploy" / "overlays" / "cluster-wide"))


def test_the_flux_commands_of_the_readme_create_the_kustomizations(bed: Testbed, checkout: Path) -> None:
    bed.kubectl("create", "namespace", "flux-system")

    follow(bed, checkout, blocks()["flux"])

    assert paths(bed, "kustomizations", "flux-system", "path") == {"./deploy/overlays/cluster-wide", "./spouts"}
    for other in ("source-oci.yaml", "spouts-with-expressions.yaml"):
        bed.kubectl("apply", "-f", str(checkout / "deploy" / "flux" / other))
