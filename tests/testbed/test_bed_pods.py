"""A worker Pod of Pachyderm 2.12 runs for real: init containers, user code, storage sidecar, and what podPatch adds."""

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from spout_testbed import Testbed
from spout_testbed.waiting import eventually

Json = dict[str, Any]

PUT = "/pach-bin/pachctl put file {name}@master:/{file} -f -"


@pytest.fixture(scope="module")
def bed() -> Iterator[Testbed]:
    with Testbed.start(pachyderm="2.12") as started:
        yield started


def create(bed: Testbed, name: str, script: str, *, patch: Sequence[Json] = (), secrets: Sequence[Json] = ()) -> None:
    """A spout whose user code is a shell script."""
    spec = {
        "pipeline": {"name": name},
        "transform": {"image": "none:1", "cmd": ["sh", "-c", script], "secrets": list(secrets)},
        "spout": {},
        "podPatch": json.dumps(list(patch)) if patch else "",
    }
    bed.pachctl("create", "pipeline", "-f", "-", input=json.dumps(spec))


def pod_of(bed: Testbed, name: str) -> Json:
    listed = bed.kubectl("get", "pods", "-n", bed.pachyderm_namespace, "-l", f"pipelineName={name}", "-o", "json")
    pods: list[Json] = json.loads(listed.stdout)["items"]
    return pods[0] if pods else {}


def statuses(bed: Testbed, name: str) -> dict[str, Json]:
    """The status of each container of the worker of this pipeline, by its name."""
    status = pod_of(bed, name).get("status", {})
    found = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    return {each["name"]: each for each in found}


def own_commits(bed: Testbed, name: str) -> int:
    return bed.pachctl("list", "commit", f"{name}@master", "--raw").stdout.count('"USER"')


def test_user_code_commits_through_the_sidecar_and_goes_on_after_a_kill(bed: Testbed) -> None:
    put = PUT.format(name="writer", file="$number")
    create(bed, "writer", f"number=0; while true; do number=$((number + 1)); echo $number | {put}; sleep 0.2; done")
    first = bed.workers.wait_running("writer")
    eventually(lambda: own_commits(bed, "writer") >= 3, what="three commits", details=first.log.read_text)
    assert bed.pachctl("get", "file", "writer@master:/1").stdout == "1\n"

    assert bed.workers.kill("writer") == first.pid
    reached = own_commits(bed, "writer")
    eventually(lambda: own_commits(bed, "writer") > reached + 1, what="the user code to go on", seconds=60)
    second = bed.workers.wait_running("writer")
    assert (second.pod, second.restarts) == (first.pod, 1)
    assert second.pid != first.pid
    bed.pachctl("delete", "pipeline", "writer")


@pytest.mark.parametrize("container", ["user", "storage"])
def test_a_container_restarts_alone(bed: Testbed, container: str) -> None:
    name = f"restart-{container}"
    create(bed, name, "sleep 1000")
    bed.workers.wait_running(name)
    assert {each: status["restartCount"] for each, status in statuses(bed, name).items()} == {
        "init": 0,
        "user": 0,
        "storage": 0,
    }
    bed.workers.kill(name, container)
    eventually(lambda: statuses(bed, name)[container]["restartCount"] == 1, what="the container to start again")
    after = statuses(bed, name)
    (other,) = {"user", "storage"} - {container}
    assert after[other]["restartCount"] == 0
    assert not after[other].get("lastState")
    assert after[container]["lastState"]["terminated"]["exitCode"] == 137
    bed.pachctl("delete", "pipeline", name)


def add(path: str, value: Json) -> Json:
    return {"op": "add", "path": path, "value": value}


def test_init_containers_run_in_order_and_what_the_patch_adds_shares_volumes(bed: Testbed) -> None:
    mount = [{"name": "notes", "mountPath": "/notes"}]
    note = "echo $NAME of $POD >> /notes/log"

    def container(name: str, script: str) -> Json:
        field = {"fieldRef": {"fieldPath": "metadata.name"}}
        env = [{"name": "NAME", "value": name}, {"name": "POD", "valueFrom": field}]
        return {
            "name": name,
            "image": "none:1",
            "command": ["sh", "-c", script],
            "env": env,
            "volumeMounts": mount,
        }

    patch = [
        add("/volumes/-", {"name": "notes", "emptyDir": {}}),
        add("/initContainers/-", container("first", f"{note}; sleep 0.5")),
        # It fails the first time.
        add(
            "/initContainers/-",
            container("second", f"{note}; grep -q second /notes/before || (cp /notes/log /notes/before; exit 3)"),
        ),
        add("/initContainers/-", container("third", note)),
        add("/containers/-", container("reader", f"{note}; cat /notes/log; sleep 1000")),
    ]
    create(bed, "ordered", "sleep 1000", patch=patch)
    bed.workers.wait_running("ordered")
    pod = pod_of(bed, "ordered")["metadata"]["name"]
    log = bed.workers.log("ordered", "reader")
    expected = "".join(f"{name} of {pod}\n" for name in ("first", "second", "second", "third", "reader"))
    eventually(lambda: log.read_text() == expected, what="the notes of all containers", details=log.read_text)
    found = statuses(bed, "ordered")
    assert {name: status["restartCount"] for name, status in found.items() if name != "user"} == {
        "init": 0,
        "first": 0,
        "second": 1,
        "third": 0,
        "storage": 0,
        "reader": 0,
    }
    assert found["second"]["lastState"]["terminated"]["exitCode"] == 3
    assert found["third"]["state"]["terminated"]["reason"] == "Completed"
    bed.pachctl("delete", "pipeline", "ordered")


def test_a_container_that_ends_again_and_again_makes_its_pod_unready(bed: Testbed) -> None:
    failing = {"name": "failing", "image": "none:1", "command": ["sh", "-c", "echo failed; exit 7"]}
    create(bed, "unready", "sleep 1000", patch=[add("/containers/-", failing)])
    eventually(lambda: statuses(bed, "unready").get("failing", {}).get("restartCount", 0) >= 2, what="two restarts")

    def pausing() -> Json | None:
        """The status of the Pod, in one look, in the pause before the next restart."""
        status: Json = pod_of(bed, "unready")["status"]
        found = {each["name"]: each["state"] for each in status["containerStatuses"]}
        return status if found["failing"].get("waiting", {}).get("reason") == "CrashLoopBackOff" else None

    status = eventually(pausing, what="the pause before the next restart")
    containers = {each["name"]: each for each in status["containerStatuses"]}
    assert status["phase"] == "Running"
    assert {each["type"]: each["status"] for each in status["conditions"]}["Ready"] == "False"
    assert containers["failing"]["lastState"]["terminated"]["exitCode"] == 7
    assert containers["user"]["state"].keys() == {"running"}
    bed.pachctl("delete", "pipeline", "unready")


def test_a_command_that_does_not_exist_is_seen_in_the_status(bed: Testbed) -> None:
    wrong = {"name": "wrong", "image": "none:1", "command": ["/no/such/program"]}
    create(bed, "missing", "sleep 1000", patch=[add("/containers/-", wrong)])
    eventually(lambda: statuses(bed, "missing").get("wrong", {}).get("restartCount", 0) >= 1, what="a restart")
    assert statuses(bed, "missing")["wrong"]["lastState"]["terminated"]["exitCode"] == 127
    assert "/no/such/program" in bed.workers.log("missing", "wrong").read_text()
    bed.pachctl("delete", "pipeline", "missing")


def test_a_deleted_pod_is_created_again(bed: Testbed) -> None:
    create(bed, "again", "sleep 1000")
    first = bed.workers.wait_running("again")
    bed.kubectl("delete", "pod", first.pod, "-n", bed.pachyderm_namespace, "--now")
    eventually(
        lambda: [each.pod for each in bed.workers.running() if each.pipeline == "again"] not in ([], [first.pod]),
        what="another Pod",
    )
    assert bed.workers.wait_running("again").restarts == 0
    bed.pachctl("delete", "pipeline", "again")


def test_a_worker_and_its_sidecar_have_the_rights_of_their_service_account(bed: Testbed) -> None:
    script = (
        "import json, ssl, sys, urllib.request; folder = '/var/run/secrets/kubernetes.io/serviceaccount'\n"
        "import os; host = os.environ['KUBERNETES_SERVICE_HOST']\n"
        "namespace = open(folder + '/namespace').read()\n"
        "request = urllib.request.Request(f'https://{host}/api/v1/namespaces/{namespace}/pods',"
        " headers={'Authorization': 'Bearer ' + open(folder + '/token').read()})\n"
        "context = ssl.create_default_context(cafile=folder + '/ca.crt')\n"
        "items = json.load(urllib.request.urlopen(request, context=context))['items']\n"
        "names = [each['metadata']['name'] for each in items]\n"
        "print('sees its Pod:', os.environ['HOSTNAME'] in names, flush=True)\n"
        "import time; time.sleep(1000)\n"
    )
    asking = {"name": "asking", "image": "none:1", "command": [sys.executable, "-c", script]}
    create(bed, "account", "sleep 1000", patch=[add("/containers/-", asking)])
    bed.workers.wait_running("account")
    log = bed.workers.log("account", "asking")
    eventually(lambda: "sees its Pod: True" in log.read_text(), what="the API server's answer", details=log.read_text)
    bed.pachctl("delete", "pipeline", "account")
