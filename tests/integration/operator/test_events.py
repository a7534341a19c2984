"""The Events of a Spout on a real API server: `kubectl describe spout` reads like a story. Nothing is told twice."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client

from spout_testbed import Testbed
from spout_testbed.harness import audit
from spout_testbed.harness.bodies import a_spec
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually
from tests.memory_pachd import MemoryPachd

SPEC = a_spec({"spout.marker": "offset"})
ACCOUNT = "system:serviceaccount:spout-operator:spout-operator"


class Told:
    """The Events that people find, and the requests that they took."""

    def __init__(self, bed: Testbed, kube: client.ApiClient, spouts: Spouts) -> None:
        self._bed = bed
        self._api = client.EventsV1Api(kube)
        self._spouts = spouts
        self._mark = audit.size(bed.audit_log)

    def reasons(self) -> list[str]:
        """The reasons in the order in which they were told for the first time."""
        found = self._api.list_namespaced_event(self._spouts.namespace).items
        return [str(event.reason) for event in sorted(found, key=lambda event: event.event_time)]

    def are(self, *reasons: str) -> None:
        """Wait until there are just these Events."""
        eventually(
            lambda: self.reasons() == [*reasons],
            what=f"the Events {reasons}",
            details=lambda: f"there are {self.reasons()}\n{self._spouts.details('one')}",
        )

    def described(self) -> list[tuple[str, str, str]]:
        """Type, reason and the message of the lines of `kubectl describe spout`."""
        text = self._bed.kubectl("describe", "spout", "one", "-n", self._spouts.namespace).stdout
        _, _, table = text.partition("\nEvents:\n")
        lines = [re.split(r"\s{2,}", line.strip()) for line in table.splitlines()[2:]]
        return [(line[0], line[1], line[-1]) for line in lines]

    def requests(self) -> int:
        """How many requests of the operator there were for Events since the beginning, or the last call."""
        begin, self._mark = self._mark, audit.size(self._bed.audit_log)
        found = audit.requests(self._bed.audit_log, since=begin)
        return sum(one.resource == "events" and one.user == ACCOUNT for one in found)


@pytest.fixture
def told(bed: Testbed, kube: client.ApiClient, spouts: Spouts) -> Told:
    return Told(bed, kube, spouts)


def come_up(spouts: Spouts, pachd: MemoryPachd, *, version: int = 1) -> None:
    """Let the pipeline run, and wait until the Spout says so."""
    spouts.wait("one", "to be as asked for", synced="True")
    pachd.come_up("one")
    spouts.wait("one", "to be ready", ready="True", reason="Running", version=version)


def test_kubectl_describe_spout_tells_what_happened(
    operator: OperatorProcess, spouts: Spouts, pachd: MemoryPachd, told: Told
) -> None:
    spouts.create("one", SPEC)
    come_up(spouts, pachd)
    spouts.edit("one", {"transform": {"image": "i:2"}})
    come_up(spouts, pachd, version=2)
    told.are("Created", "Running", "Updated")
    for _ in range(2):
        spouts.edit("one", {"suspend": True})
        spouts.wait("one", "to be suspended", reason="Suspended")
        spouts.edit("one", {"suspend": False})
        come_up(spouts, pachd, version=2)

    story = told.described()

    assert [line[:2] for line in story] == [
        ("Normal", "Created"),
        ("Normal", "Running"),
        ("Normal", "Updated"),
        ("Normal", "Suspended"),
        ("Normal", "Resumed"),
    ]


def test_a_restart_repeats_no_event_and_at_rest_no_request_is_made(
    operator: OperatorProcess, spouts: Spouts, pachd: MemoryPachd, told: Told
) -> None:
    spouts.create("one", SPEC)
    come_up(spouts, pachd)
    told.are("Created", "Running")
    told.requests()

    operator.stop()
    operator.start()
    polls = pachd.calls["ListPipeline"]
    eventually(lambda: pachd.calls["ListPipeline"] >= polls + 10, what="ten polls")

    assert told.requests() == 0
    assert told.reasons() == ["Created", "Running"]


@pytest.fixture
def without_right(bed: Testbed, rights: None) -> Iterator[None]:
    """The operator's role as an installation of its own may have it: it knows nothing of Events."""
    rules = json.loads(bed.kubectl("get", "clusterrole", "spout-operator", "-o", "json").stdout)["rules"]

    def write(rules: list[Any]) -> None:
        bed.kubectl("patch", "clusterrole", "spout-operator", "--type=merge", "-p", json.dumps({"rules": rules}))

    write([rule for rule in rules if rule["apiGroups"] != ["events.k8s.io"]])
    yield
    write(rules)


def test_an_operator_without_the_right_says_so_and_does_its_work(
    without_right: None, stopped_operator: OperatorProcess, spouts: Spouts, pachd: MemoryPachd, told: Told
) -> None:
    stopped_operator.start()
    spouts.create("one", SPEC)
    come_up(spouts, pachd)
    refused = 'spout_operator_events_dropped_total{cause="refused"} 2.0'
    eventually(lambda: refused in stopped_operator.get("/metrics"), what="both Events to be dropped")

    log = stopped_operator.log.read_text()
    assert "the operator may not create and patch Events of events.k8s.io in all namespaces" in log
    assert log.count("is dropped: could not create an Event of the Spout") == 1
    assert told.reasons() == []
