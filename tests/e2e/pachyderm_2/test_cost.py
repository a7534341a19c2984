"""What the operator asks of Pachyderm 2 while nothing happens, by its own count of requests."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from spout_testbed import Testbed
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.requests import pachyderm_requests, spout_writes
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually
from tests.e2e.pachyderm_2.conftest import a_spec

SPOUTS = 8


def requests(operator: OperatorProcess) -> Counter[str]:
    """The calls to Pachyderm so far, by method."""
    found = pachyderm_requests(operator.get("/metrics"))
    return Counter({method: count for (method, code), count in found.items() if code == "OK"})


def polls(operator: OperatorProcess, count: int) -> Callable[[], bool]:
    """A condition: the operator has polled `count` times from now on."""
    begin = requests(operator)["ListPipeline"]
    return lambda: requests(operator)["ListPipeline"] >= begin + count


def test_a_poll_at_rest_is_two_calls_whatever_the_number_of_spouts(
    spouts: Spouts, name: str, bed: Testbed, operator: OperatorProcess, source: Path
) -> None:
    names = [f"{name}-{number}" for number in range(SPOUTS)]
    for each in names:
        spouts.create(each, a_spec(source, suspend=True))
    for each in names:
        spouts.wait(each, "to be suspended", ready="True", reason="Suspended", seconds=120)
    eventually(polls(operator, 4), what="the operator to be at rest", seconds=30)
    before, writes = requests(operator), spout_writes(bed)

    eventually(polls(operator, 10), what="ten polls", seconds=60)

    made = requests(operator) - before
    assert set(made) == {"ListPipeline", "ListCommitSet"}
    assert abs(made["ListPipeline"] - made["ListCommitSet"]) <= 1, "a poll may have been under way"
    assert spout_writes(bed) == writes
