"""Each request to a real kube-apiserver has a deadline, and is made only by a replica that may act."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from spout_operator.core.errors import NotLeading, Retryable
from spout_operator.kubernetes.spouts import KubernetesSpouts
from spout_testbed import Testbed
from spout_testbed.harness.cluster import forwarded
from tests.contract.clients import DEADLINE, an_api
from tests.contract.spouts.harness import FINALIZER, Side

Call = Callable[[Side, str], object]
CALLS: dict[str, Call] = {
    "read": lambda side, _: side.read(side.key()),
    "versions": lambda side, _: side.versions(None),
    "write-status": lambda side, uid: side.write_status(side.key(), uid, {"observedGeneration": 1}),
    "write-finalizers": lambda side, uid: side.write_finalizers(side.key(), uid, "1", [FINALIZER]),
}
calls = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


@pytest.mark.parametrize("permitted", [None, 0.5], ids=["deadline", "rest of the Lease"])
def test_a_server_that_does_not_answer_is_waited_for_until_the_deadline_or_the_end_of_the_lease(
    real_bed: Testbed, real_side: Side, tmp_path: Path, permitted: float | None
) -> None:
    real_side.users.create("my-spout")
    with forwarded(real_bed.kubeconfig, tmp_path / "silent") as forwarder:
        api = an_api(tmp_path / "silent", permit=None if permitted is None else lambda: permitted)
        side = Side(port=KubernetesSpouts(api), users=real_side.users, namespace=real_side.namespace)
        side.found()
        forwarder.silence()

        asked = time.monotonic()
        with pytest.raises(Retryable, match="no answer in time"):
            side.read(side.key())
        took = time.monotonic() - asked

    assert took >= (permitted or DEADLINE[1])
    assert took < (permitted or DEADLINE[1]) + 1


@calls
def test_a_replica_that_does_not_lead_makes_no_request(real_bed: Testbed, real_side: Side, call: Call) -> None:
    def not_leading() -> float:
        raise NotLeading("another replica may be acting")

    uid = real_side.users.create("my-spout")["metadata"]["uid"]
    before = real_side.found()
    port = KubernetesSpouts(an_api(real_bed.kubeconfig, permit=not_leading))
    side = Side(port=port, users=real_side.users, namespace=real_side.namespace)

    with pytest.raises(NotLeading):
        call(side, uid)

    assert real_side.found() == before


def test_a_status_that_the_schema_refuses_is_retryable_and_not_written(real_side: Side) -> None:
    uid = real_side.users.create("my-spout")["metadata"]["uid"]
    before = real_side.found()

    with pytest.raises(Retryable, match="422"):
        real_side.write_status(real_side.key(), uid, {"observedGeneration": "not a number"})

    assert real_side.found() == before
