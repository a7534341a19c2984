"""Each request to a real kube-apiserver has a deadline, is made once, and only by a replica that may act."""

import dataclasses
import time
from pathlib import Path

import pytest

from spout_operator.core.errors import EventRefused, NotLeading, Retryable
from spout_operator.kubernetes.events import LONGEST_NAME, KubernetesEvents
from spout_operator.ports import Permit
from spout_testbed import Testbed
from spout_testbed.harness.cluster import forwarded
from tests.contract.clients import DEADLINE, an_api
from tests.contract.events.harness import Side, after, an_event


def by_way_of(side: Side, kubeconfig: Path, permit: Permit | None = None) -> Side:
    """Another process that writes to the same namespace."""
    return dataclasses.replace(side, port=KubernetesEvents(an_api(kubeconfig, permit=permit), instance="this-replica"))


def test_an_event_whose_answer_was_lost_is_not_written_twice(
    real_bed: Testbed, real_side: Side, tmp_path: Path
) -> None:
    before = an_event(note="over a connection that is open")
    with forwarded(real_bed.kubeconfig, tmp_path / "silent") as forwarder:
        side = by_way_of(real_side, tmp_path / "silent")
        side.write(before)
        forwarder.silence(answers_only=True)
        asked = time.monotonic()
        with pytest.raises(Retryable, match="no answer in time"):
            side.write(an_event(), after(seconds=1))
        took = time.monotonic() - asked
    assert DEADLINE[1] <= took < DEADLINE[1] + 1
    assert real_side.found() == [(before, 1), (an_event(), 1)]

    by_way_of(real_side, real_bed.kubeconfig).write(an_event(), after(seconds=1))

    assert real_side.found() == [(before, 1), (an_event(), 1)]


def test_one_more_of_a_series_whose_answer_was_lost_is_not_counted_twice(
    real_bed: Testbed, real_side: Side, tmp_path: Path
) -> None:
    with forwarded(real_bed.kubeconfig, tmp_path / "silent") as forwarder:
        side = by_way_of(real_side, tmp_path / "silent")
        side.write(an_event())
        forwarder.silence(answers_only=True)
        with pytest.raises(Retryable, match="no answer in time"):
            side.write(an_event(), after(minutes=1))

    assert side.found() == [(an_event(), 2)]


def test_a_replica_that_does_not_lead_makes_no_request(real_bed: Testbed, real_side: Side) -> None:
    def not_leading() -> float:
        raise NotLeading("another replica may be acting")

    with pytest.raises(NotLeading):
        by_way_of(real_side, real_bed.kubeconfig, not_leading).write(an_event())

    assert real_side.found() == []


def test_a_namespace_that_is_gone_refuses_its_events(real_bed: Testbed, real_side: Side) -> None:
    side = dataclasses.replace(real_side, namespace=f"not-{real_side.namespace}")

    with pytest.raises(EventRefused, match="404"):
        side.write(an_event())


@pytest.mark.parametrize("last", "-.a", ids=["a hyphen", "a dot", "a letter"])
def test_a_long_name_of_a_spout_makes_a_name_that_the_api_server_takes(real_side: Side, last: str) -> None:
    name = f"{'a' * 227}{last}{'b' * 25}"
    assert len(name) == LONGEST_NAME

    real_side.write(an_event(), name=name)

    assert [stored.key.name for stored in real_side.others.look()] == [name]
