"""Two replicas on a real Pachyderm: the leader is killed while it creates pipelines, and after it has told of them."""

import dataclasses
import datetime
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from spout_operator.pachyderm.v1.sdk import Client
from spout_testbed import Testbed
from spout_testbed.harness import bodies
from spout_testbed.harness.cluster import administrator
from spout_testbed.harness.operator_process import HTTP_PORT, SECOND_HTTP_PORT, OperatorProcess
from spout_testbed.harness.requests import pachd_calls, pachyderm_requests
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually
from tests.e2e.conftest import a_spec
from tests.e2e.failing_code import with_command
from tests.e2e.told import Told

LEASE = "--lease=spout-operator/spout-operator"
#: Another fault than that of `[1]`.
NO_OPERATION = '[{"op": "fly", "path": "/containers/0"}]'
NAMES = [f"takeover-{number}" for number in range(10)]


@pytest.fixture
def operator(bed: Testbed, tmp_path: Path) -> Iterator[OperatorProcess]:
    """The replica that leads."""
    process = _replica(bed, tmp_path / "first.log", HTTP_PORT)
    with process:
        eventually(lambda: process.is_leading, what="the first to lead", details=process.log.read_text)
        yield process


@pytest.fixture
def second(bed: Testbed, operator: OperatorProcess, tmp_path: Path) -> Iterator[OperatorProcess]:
    """The replica that waits."""
    with _replica(bed, tmp_path / "second.log", SECOND_HTTP_PORT) as process:
        yield process


@pytest.fixture
def kube(bed: Testbed) -> Iterator[client.ApiClient]:
    with administrator(bed) as api_client:
        yield api_client


def test_a_killed_leader_leaves_no_spout_without_a_pipeline_and_none_with_two_versions(  # noqa: PLR0917 - fixtures
    bed: Testbed,
    operator: OperatorProcess,
    spouts: Spouts,
    second: OperatorProcess,
    pachyderm: Client,
    kube: client.ApiClient,
) -> None:
    def answered() -> int:
        return pachd_calls(bed.pachd.log)["pps.API.CreatePipeline"]

    before = answered()
    with ThreadPoolExecutor(1) as beside:
        creating = beside.submit(lambda: [spouts.create(name, a_spec()) for name in NAMES])
        eventually(lambda: answered() > before, what="a first answered create", interval=0.005)
        killed = datetime.datetime.now()  # noqa: DTZ005 - as the log has it
        operator.kill()
        creating.result()
    assert answered() - before < len(NAMES), "it was killed in the middle"
    eventually(lambda: second.is_leading, what="the second to lead", details=second.log.read_text)

    leads = second.logged_at("leads: holds the Lease")
    assert leads is not None
    assert (leads - killed).total_seconds() < 20
    for name in NAMES:
        spouts.wait(name, "to be made by one of the two", seconds=90, synced="True", version=1)
    infos = {info.pipeline.name: info for info in pachyderm.list_pipeline().pipeline_info}
    assert {name: infos[name].version for name in NAMES} == dict.fromkeys(NAMES, 1)
    told = Told(kube, spouts).until(datetime.datetime.now(datetime.UTC)).values()
    created = Counter(name for name, reason, _ in told if reason == "Created")
    assert set(created.values()) == {1}, f"a step is told at most once: {created}"
    second.stop()


@dataclasses.dataclass(frozen=True)
class Before:
    """A Spout, what it has told before the leader dies, and an edit of which the next leader tells."""

    spec: bodies.Body
    told: set[str]
    edit: dict[str, Any] = dataclasses.field(default_factory=lambda: {"suspend": True})
    then: str = "Suspended"


FAILS = Before(with_command(a_spec(), "sh", "-c", "exit 3"), {"Created", "UserCodeFailing"})
BEFORE = {
    "runs": Before(a_spec(), {"Created", "Running"}),
    "is-suspended": Before(a_spec(suspend=True), {"Created", "Suspended"}, {"description": "edited"}, "Updated"),
    "has-ended": Before(with_command(a_spec(), "sh", "-c", "exit 0"), {"Created", "UserCodeEnded"}),
    "has-no-image": Before(a_spec(transform={"image": "registry.invalid/x:1"}), {"Created", "ImagePullBackOff"}),
    "is-stalled": Before(a_spec(podPatch="[1]"), {"Stalled"}, {"podPatch": NO_OPERATION}, "Stalled"),
    **{f"fails-{number}": FAILS for number in range(3)},
}


def test_whoever_takes_over_repeats_no_event_of_a_step_and_none_of_a_status(
    operator: OperatorProcess, spouts: Spouts, second: OperatorProcess, kube: client.ApiClient
) -> None:
    for name, before in BEFORE.items():
        spouts.create(name, before.spec)
    events = Told(kube, spouts)
    events.wait({name: before.told for name, before in BEFORE.items()})
    told = events.until(datetime.datetime.now(datetime.UTC))

    operator.kill()
    eventually(lambda: second.is_leading, what="the second to lead", details=second.log.read_text)
    in_trouble = sum(bool(before.told & {"UserCodeFailing", "UserCodeEnded"}) for before in BEFORE.values())
    eventually(
        lambda: requests(second)["GetLogs"] >= in_trouble,
        what="the second to have read the log of each Spout whose user code was in trouble",
        seconds=60,
        details=lambda: f"{requests(second)}\n{second.log.read_text()[-4000:]}",
    )
    # The Event of an edit shows that the second has reconciled the Spout, and comes after all that it had to tell.
    edited_at = datetime.datetime.now(datetime.UTC)
    for name, before in BEFORE.items():
        spouts.edit(name, before.edit)
    events.wait({name: {before.then} for name, before in BEFORE.items()}, since=edited_at)

    assert events.until(edited_at) == told
    assert len(told) == sum(len(before.told) for before in BEFORE.values()), "each once"
    second.stop()


def requests(operator: OperatorProcess) -> Counter[str]:
    """The calls to Pachyderm so far, by method."""
    found = pachyderm_requests(operator.get("/metrics"))
    return Counter({method: count for (method, code), count in found.items() if code == "OK"})


def _replica(bed: Testbed, log: Path, port: int) -> OperatorProcess:
    return OperatorProcess(
        kubeconfig=bed.kubeconfig_for_account("spout-operator", "spout-operator"),
        pachd_address=bed.pachd_address,
        log=log,
        flags=(LEASE,),
        port=port,
    )
