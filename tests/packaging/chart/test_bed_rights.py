"""The operator runs with exactly the chart's roles: the API server refuses nothing, and no rule is superfluous."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from spout_operator.pachyderm.v1.sdk import Client
from spout_testbed import Testbed
from spout_testbed.harness import audit
from spout_testbed.harness.audit import Request
from spout_testbed.harness.bodies import a_spec
from spout_testbed.harness.cluster import administrator, wait_for_crd
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually
from tests.memory_pachd import MemoryPachd
from tests.packaging.chart.charts import CHART, Manifest
from tests.packaging.chart.conftest import RunHelm
from tests.packaging.chart.volumes import ConfigMapVolume

SPEC = a_spec({"spout.marker": "offset"})
MODES = {"cluster-wide": (), "one namespace": ("--set", "watchNamespaces={{{namespace}}}")}


@dataclass(frozen=True, kw_only=True)
class Use:
    """The requests of one run of the operator, from its first start to a restart."""

    account: str
    requests: frozenset[Request]
    roles: tuple[Manifest, ...]


@pytest.fixture(params=MODES, ids=lambda mode: mode.replace(" ", "-"))
def use(request: pytest.FixtureRequest, bed: Testbed, namespace: str, helm: RunHelm, tmp_path: Path) -> Use:
    """The whole life of a Spout under an operator with the chart's account."""
    sets = tuple(argument.format(namespace=namespace) for argument in MODES[request.param])
    done = helm("install", "spout-operator", str(CHART), *sets)
    assert done.returncode == 0, done.stderr
    wait_for_crd(bed)
    mark = audit.size(bed.audit_log)
    with MemoryPachd() as pachd:
        process = OperatorProcess(
            kubeconfig=bed.kubeconfig_for_account(namespace, "spout-operator"),
            pachd_address=pachd.address,
            log=tmp_path / "operator.log",
            environment=environment(helm, namespace, tmp_path / "config"),
        )
        with administrator(bed) as api_client, process:
            eventually(lambda: process.is_leading, what="the operator to lead", details=process.log.read_text)
            live(Spouts(api_client, namespace, process.log), pachd, process)
    account = f"system:serviceaccount:{namespace}:spout-operator"
    found = frozenset(one for one in audit.requests(bed.audit_log, since=mark) if one.user == account)
    installed = [one for one in yaml.safe_load_all(helm("get", "manifest", "spout-operator").stdout) if one]
    roles = [one for one in installed if one["kind"] in {"Role", "ClusterRole"}]
    own = tuple(role for role in roles if "-aggregate-to-" not in role["metadata"]["name"])
    return Use(account=account, requests=found, roles=own)


def environment(helm: RunHelm, namespace: str, folder: Path) -> dict[str, str]:
    """The variables that the installed Deployment gives to its Pod, resolved as a kubelet resolves them.

    Args:
        helm: has installed the release.
        namespace: of the release.
        folder: where the volume with the policy is to be.
    """
    installed = [one for one in yaml.safe_load_all(helm("get", "manifest", "spout-operator").stdout) if one]
    (deployment,) = [one for one in installed if one["kind"] == "Deployment"]
    (policy,) = [one for one in installed if one["kind"] == "ConfigMap"]
    volume = ConfigMapVolume(folder)
    volume.write(policy["data"])
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    found: dict[str, str] = {}
    for variable in container["env"]:
        # POD_NAMESPACE comes from the Pod, and other variables refer to it.
        value = variable.get("value", namespace)
        found[variable["name"]] = value.replace("$(POD_NAMESPACE)", namespace)
    found["SPOUT_OPERATOR_POLICY"] = str(volume.file("policy.yaml"))
    return found


def live(spouts: Spouts, pachd: MemoryPachd, process: OperatorProcess) -> None:
    """Create, edit, suspend and delete a Spout; restart the operator, and delete the pipeline with another client."""
    spouts.create("one", SPEC)
    spouts.wait("one", "to be made", synced="True")
    pachd.come_up("one")
    spouts.wait("one", "to be ready", ready="True")
    spouts.edit("one", {"transform": {"image": "i:2"}})
    spouts.wait("one", "to be updated", version=2)
    # An Event that happens again makes a series, which is a patch.
    for suspend in (True, False, True, False):
        spouts.edit("one", {"suspend": suspend})
        spouts.wait("one", "to be stopped" if suspend else "to be started", synced="True")
    process.stop()
    process.start()
    eventually(lambda: process.is_leading, what="the operator to lead again", details=process.log.read_text)
    # The operator creates a deleted pipeline again, after it has read whether the Spout still exists.
    Client.new_from_pachd_address(pachd.address).delete_pipeline("one", force=True)
    eventually(
        lambda: pachd.calls["CreatePipeline"] >= 3,
        what="the pipeline to be created again",
        details=process.log.read_text,
    )
    spouts.delete("one")
    spouts.wait_gone("one")


def test_the_roles_grant_every_right_that_the_operator_uses_and_no_other(bed: Testbed, use: Use) -> None:
    """Without any single right, the API server refuses a request that the operator made."""
    assert [one for one in use.requests if one.status == 403] == []
    rights = [
        (role, index, resource, verb)
        for role in use.roles
        for index, rule in enumerate(role["rules"])
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]
    assert len(rights) >= 10
    for role, index, resource, verb in rights:
        rule = role["rules"][index]
        what = f"{role['metadata']['name']}: {verb} {resource} {rule.get('resourceNames', '')}"
        used = [
            one
            for one in use.requests
            if (one.verb, one.group, one.resource) == (verb, rule["apiGroups"][0], resource)
            and one.name in rule.get("resourceNames", [one.name])
        ]
        assert used, f"nothing that was asked for needs {what}"
        with without(bed, role, index, resource, verb):
            eventually(
                lambda used=used: any(not allowed(bed, one, use.account) for one in used),  # type: ignore[misc] # a default that binds
                what=f"a refusal without {what}",
                seconds=10,
            )


@contextlib.contextmanager
def without(bed: Testbed, role: Manifest, index: int, resource: str, verb: str) -> Iterator[None]:
    """Take one right from the role, and give it back at the end."""
    rule = role["rules"][index]
    less = [
        {**rule, "resources": [one for one in rule["resources"] if one != resource]},
        {**rule, "resources": [resource], "verbs": [one for one in rule["verbs"] if one != verb]},
    ]
    others = [one for number, one in enumerate(role["rules"]) if number != index]
    namespace = role["metadata"].get("namespace")
    where = ("-n", namespace) if namespace else ()

    def write(rules: list[Manifest]) -> None:
        patch = json.dumps({"rules": [one for one in rules if one["resources"] and one["verbs"]]})
        bed.kubectl("patch", role["kind"], role["metadata"]["name"], *where, "--type=merge", "-p", patch)

    write(others + less)
    try:
        yield
    finally:
        write(role["rules"])


def allowed(bed: Testbed, request: Request, account: str) -> bool:
    """Whether the API server's authorizer allows a request."""
    resource, _, subresource = request.resource.partition("/")
    attributes = {
        "verb": request.verb,
        "group": request.group,
        "resource": resource,
        "subresource": subresource,
        "namespace": request.namespace,
        "name": request.name,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": account, "resourceAttributes": attributes},
    }
    answer = bed.kubectl("create", "-f", "-", "-o", "yaml", input=json.dumps(review)).stdout
    return bool(yaml.safe_load(answer)["status"]["allowed"])
