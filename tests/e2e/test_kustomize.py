"""deploy/component: a new tag and a new password, each edited in one place, reach the running spout."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from spout_operator.pachyderm.v1.sdk import Client
from spout_testbed import Testbed
from spout_testbed.harness.bodies import a_spout
from spout_testbed.harness.cluster import administrator
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts
from tests.e2e.conftest import ROOT, a_spec, allows

IMAGE = "python"


@pytest.fixture
def folder(tmp_path: Path, bed: Testbed, name: str) -> Path:
    """A kustomization with one Spout and the Secret that it mounts, in Pachyderm's namespace."""
    spec = a_spec(transform={"image": f"{IMAGE}:3.13", "secrets": [{"name": name, "mountPath": "/etc/kafka"}]})
    body = a_spout(name=name, spec=spec)
    kustomization = {
        "namespace": bed.pachyderm_namespace,
        "components": [os.path.relpath(ROOT / "deploy" / "component", tmp_path)],
        "resources": ["spout.yaml"],
        "secretGenerator": [{"name": name, "literals": ["password=old"]}],
    }
    (tmp_path / "spout.yaml").write_text(yaml.safe_dump(body))
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return tmp_path


@pytest.fixture
def there(bed: Testbed, operator: OperatorProcess, pachyderm: Client, name: str) -> Iterator[Spouts]:
    """The Spouts of Pachyderm's namespace. The operator deletes the test's Spout, with its pipeline, at the end."""
    with administrator(bed) as api_client:
        spouts = Spouts(api_client, bed.pachyderm_namespace, operator.log)
        yield spouts
        spouts.delete(name)
        spouts.wait_gone(name)


def apply(bed: Testbed, folder: Path, **changes: Any) -> None:
    """Edit the kustomization, and apply it as a GitOps tool does."""
    file = folder / "kustomization.yaml"
    file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), **changes}))
    bed.kubectl("apply", "--server-side", "--field-manager=gitops", "-k", str(folder))


def secret_of(spouts: Spouts, name: str) -> str:
    body = spouts.get(name)
    assert body is not None
    return str(body["spec"]["transform"]["secrets"][0]["name"])


@allows(secrets=["spout-*"])
def test_a_new_tag_and_a_new_password_reach_the_spout(
    bed: Testbed, there: Spouts, folder: Path, name: str, pachyderm: Client
) -> None:
    apply(bed, folder)
    there.wait(name, "to be ready", ready="True", version=1, marker="5")
    old = secret_of(there, name)
    assert pachyderm.inspect_pipeline(name).transform.secrets[0].name == old != name

    apply(bed, folder, images=[{"name": IMAGE, "newTag": "3.14"}])
    there.wait(name, "to run the new image", ready="True", version=2, marker="5")
    assert pachyderm.inspect_pipeline(name).transform.image == f"{IMAGE}:3.14"

    apply(bed, folder, secretGenerator=[{"name": name, "literals": ["password=new"]}])
    there.wait(name, "to mount the new password", ready="True", version=3, marker="5")
    assert pachyderm.inspect_pipeline(name).transform.secrets[0].name == secret_of(there, name) != old
