"""The chart on a real kube-apiserver: it accepts every object through install, upgrade and uninstall."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from spout_testbed import Testbed
from spout_testbed.errors import TestbedError
from spout_testbed.harness.cluster import wait_for_crd
from tests.packaging.chart.charts import CHART, VALUES, name_of, rendered, with_values
from tests.packaging.chart.conftest import RunHelm

SPOUT = """\
apiVersion: spout-operator.io/v1alpha1
kind: Spout
metadata: {name: one}
spec:
  transform: {image: "i:1", cmd: [run]}
  spout: {marker: offset}
"""
CRD = "spouts.spout-operator.io"


@pytest.fixture
def namespaces(bed: Testbed) -> None:
    """Create the namespaces that the values name."""
    names = ("ingest", "orders", "spout-operator")
    for name in names:
        bed.kubectl("create", "namespace", name, check=False)


@pytest.mark.parametrize("values", VALUES, ids=lambda file: file.name.removesuffix("-values.yaml"))
def test_the_api_server_accepts_every_object(bed: Testbed, namespaces: None, values: Path) -> None:
    manifests = rendered("helm4", *with_values(values))
    for manifest in manifests:
        manifest["metadata"].setdefault("namespace", "spout-operator")
    done = bed.kubectl(
        "apply", "--server-side", "--dry-run=server", "-f", "-", input=yaml.safe_dump_all(manifests), check=False
    )
    assert done.returncode == 0, done.stderr
    taken = done.stdout.count("serverside-applied (server dry run)")
    assert taken == len(manifests), [name_of(one) for one in manifests]


def test_a_restricted_namespace_admits_the_pods(bed: Testbed, namespace: str, helm: RunHelm) -> None:
    bed.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    specs: list[dict[str, Any]] = []
    for manifest in rendered("helm4"):
        if manifest["kind"] == "Deployment":
            specs.append(manifest["spec"]["template"]["spec"])
        elif manifest["kind"] == "Pod":
            specs.append(manifest["spec"])
    assert len(specs) == 2
    for spec in specs:
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, "spec": spec}
        bed.kubectl("create", "--dry-run=server", "-n", namespace, "-f", "-", input=json.dumps(pod))


def test_the_api_server_accepts_the_example_in_the_charts_annotations(
    bed: Testbed, namespace: str, helm: RunHelm
) -> None:
    annotations = yaml.safe_load((CHART / "Chart.yaml").read_text())["annotations"]
    assert all(name.startswith("artifacthub.io/") for name in annotations)
    (described,) = yaml.safe_load(annotations["artifacthub.io/crds"])
    (example,) = yaml.safe_load(annotations["artifacthub.io/crdsExamples"])
    assert helm("install", "spouts", str(CHART)).returncode == 0
    wait_for_crd(bed, described["name"])

    bed.kubectl("create", "--dry-run=server", "-n", namespace, "-f", "-", input=json.dumps(example))

    assert example["kind"] == described["kind"]
    assert example["apiVersion"].endswith(f"/{described['version']}")


def older_chart(folder: Path) -> Path:
    """An older chart, whose CRD has no field `description`."""
    chart = Path(shutil.copytree(CHART, folder / "older"))
    meta = chart / "Chart.yaml"
    meta.write_text(yaml.safe_dump({**yaml.safe_load(meta.read_text()), "version": "0.0.9"}))
    file = chart / "files" / "crds" / f"{CRD}.yaml"
    crd = yaml.safe_load(file.read_text())
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    del spec["properties"]["description"]
    file.write_text(yaml.safe_dump(crd))
    return chart


def knows_description(bed: Testbed) -> bool:
    crd = json.loads(bed.kubectl("get", "crd", CRD, "-o", "json").stdout)
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return "description" in spec["properties"]


@pytest.mark.parametrize("major", [3, 4])
def test_an_upgrade_replaces_the_crd_and_neither_it_nor_an_uninstall_deletes_spouts(
    bed: Testbed, namespace: str, helm: RunHelm, tmp_path: Path, major: int
) -> None:
    done = helm("install", "spouts", str(older_chart(tmp_path)), major=major)
    assert done.returncode == 0, done.stderr
    wait_for_crd(bed)
    assert not knows_description(bed)
    bed.kubectl("apply", "-n", namespace, "-f", "-", input=SPOUT)
    uid = bed.kubectl("get", "spout", "one", "-n", namespace, "-o=jsonpath={.metadata.uid}").stdout

    done = helm("upgrade", "spouts", str(CHART), major=major)

    assert done.returncode == 0, done.stderr
    assert "helm test spouts" in done.stdout
    assert "kubectl get spouts" in done.stdout
    assert knows_description(bed)
    assert bed.kubectl("get", "spout", "one", "-n", namespace, "-o=jsonpath={.metadata.uid}").stdout == uid

    done = helm("uninstall", "spouts", major=major)

    assert done.returncode == 0, done.stderr
    assert "kept due to the resource policy" in done.stdout
    assert CRD in done.stdout
    assert bed.kubectl("get", "spout", "one", "-n", namespace, "-o=jsonpath={.metadata.uid}").stdout == uid
    with pytest.raises(TestbedError, match="not found"):
        bed.kubectl("get", "deployment", "spouts-spout-operator", "-n", namespace)


def test_a_new_release_adopts_a_kept_crd(bed: Testbed, helm: RunHelm) -> None:
    assert helm("install", "spouts", str(CHART)).returncode == 0
    helm("uninstall", "spouts")

    done = helm("install", "spouts", str(CHART))

    assert done.returncode == 0, done.stderr


def test_an_install_that_watches_a_missing_namespace_names_it(helm: RunHelm) -> None:
    done = helm("install", "spouts", str(CHART), "--set", "watchNamespaces={nowhere}")

    assert done.returncode != 0
    assert 'namespaces "nowhere" not found' in done.stderr


def test_the_install_notes_name_a_missing_secret_and_the_command_that_creates_it(namespace: str, helm: RunHelm) -> None:
    said = helm("install", "spouts", str(CHART), "--set", "pachyderm.tokenSecret.name=token").stdout

    assert f"The Pod does not start until the Secret token in the namespace {namespace} has the key token." in said
    assert f"kubectl -n {namespace} create secret generic token --from-file=token=FILE" in said
    assert said.count("The Pod does not start") == 1


def test_an_install_for_one_namespace_needs_no_right_elsewhere(bed: Testbed, namespace: str, helm: RunHelm) -> None:
    """Somebody else has created the roles, the account and the CRD."""
    bed.kubectl(
        "create", "clusterrole", "installer", "--verb=*", "--resource=deployments.apps,services,secrets,configmaps"
    )
    bed.kubectl("create", "rolebinding", "one", "--clusterrole=installer", "--user=one", "-n", namespace)
    values = with_values(CHART / "ci" / "no-rbac-values.yaml")

    done = helm("install", "spouts", str(CHART), *values, "--set=pachyderm.caSecret.name=ca", "--kube-as-user=one")

    bed.kubectl("delete", "clusterrole", "installer")
    assert done.returncode == 0, done.stderr


def test_a_second_release_shares_the_crd(bed: Testbed, helm: RunHelm) -> None:
    assert helm("install", "one", str(CHART), "--set", "watchNamespaces={kube-public}").returncode == 0
    sets = ("--set", "watchNamespaces={default}")

    refused = helm("install", "two", str(CHART), *sets)
    assert refused.returncode != 0
    assert "invalid ownership metadata" in refused.stderr

    assert helm("install", "two", str(CHART), *sets, "--set", "crds.install=false").returncode == 0
    helm("uninstall", "two")
    assert bed.kubectl("get", "crd", CRD, "-o=jsonpath={.metadata.name}").stdout == CRD


@pytest.mark.parametrize("major", [3, 4])
def test_a_release_can_take_over_a_crd_that_kubectl_applied(bed: Testbed, helm: RunHelm, major: int) -> None:
    bed.kubectl("apply", "--server-side", "-k", str(CHART.parents[1] / "crds"))
    assert "invalid ownership metadata" in helm("install", "spouts", str(CHART), major=major).stderr

    done = helm("install", "spouts", str(CHART), "--take-ownership", major=major)

    assert done.returncode == 0, done.stderr
