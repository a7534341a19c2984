"""Whether a spout commits in time, told by the operator as a process on a real API server."""

import datetime

from spout_operator.core.resource import condition_of
from spout_operator.core.timestamps import parse_time
from spout_testbed import Testbed
from spout_testbed.harness.bodies import a_spec
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.requests import spout_writes
from spout_testbed.harness.spouts import Spouts, message
from spout_testbed.waiting import eventually
from tests.memory_pachd import MemoryPachd

#: Long enough for a test on a machine with other work to see the time before it is over.
AGE = datetime.timedelta(seconds=30)
SPEC = a_spec({"freshness": {"maxCommitAge": "30s", "startupGrace": "0s"}})
#: A look of the operator, and a write to the API server, on a machine with other work.
SLACK = datetime.timedelta(seconds=20)


def test_a_spout_that_stops_committing_is_not_fresh_until_its_next_commit(
    operator: OperatorProcess, spouts: Spouts, pachd: MemoryPachd, bed: Testbed
) -> None:
    spouts.create("one", SPEC)
    eventually(lambda: pachd.calls["InspectPipeline"] > 1, what="the pipeline")
    pachd.come_up("one")
    # A commit from before the worker is seen to be up would not be the newest of the two moments.
    spouts.wait("one", "to be up", ready="True")
    pachd.append_commit("one")
    status = spouts.wait("one", "to commit in time", ready="True", fresh="True", total=1)
    committed_at = parse_time(status["commits"]["last"]["finishedAt"])
    writes = spout_writes(bed).total()

    status = spouts.wait("one", "to be late", seconds=90, fresh="False")

    turned_at = parse_time(condition_of(status, "Fresh")["lastTransitionTime"])
    assert AGE <= turned_at - committed_at <= AGE + SLACK
    assert message(status, "Fresh").startswith(f"no commit since {status['commits']['last']['finishedAt']}; ")
    assert condition_of(status, "Ready")["status"] == "True"
    polls = pachd.calls["ListPipeline"]
    eventually(lambda: pachd.calls["ListPipeline"] >= polls + 3, what="some polls more")
    assert spout_writes(bed).total() == writes + 1, "one write when it turns, and none after"

    pachd.append_commit("one")
    spouts.wait("one", "to commit in time again", fresh="True", total=2)
