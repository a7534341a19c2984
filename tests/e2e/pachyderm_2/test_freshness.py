"""Commits that are late, on a real Pachyderm 2.12.2 and its workers. There are no markers."""

import datetime
from pathlib import Path

from spout_operator.core.resource import condition_of
from spout_operator.core.timestamps import parse_time
from spout_testbed import Testbed
from spout_testbed.harness.cluster import administrator
from spout_testbed.harness.spouts import Spouts
from tests.e2e.history import History
from tests.e2e.pachyderm_2.conftest import a_spec, raise_limit

#: The least that the CRD allows.
AGE = datetime.timedelta(seconds=10)


def test_a_spout_that_stops_committing_is_not_fresh_until_its_next_commit_and_ready_stays(
    spouts: Spouts, name: str, bed: Testbed, source: Path
) -> None:
    with administrator(bed) as kube:
        history = History(kube, spouts)
        spouts.create(name, a_spec(source, limit=2, freshness={"maxCommitAge": "10s", "startupGrace": "0s"}))
        history.wait(name, "two commits", ready="True", fresh="True", total=2)

        status = history.wait(name, "to be late", ready="True", fresh="False")
        fresh = condition_of(status, "Fresh")
        assert fresh["reason"] == "CommitTooOld"
        assert parse_time(fresh["lastTransitionTime"]) - parse_time(status["commits"]["last"]["finishedAt"]) >= AGE

        raise_limit(source, 3)
        history.wait(name, "to commit in time again", ready="True", fresh="True", total=3)

        assert history.since_ready(name) == [("True", "Running")]

        # Pachyderm makes a commit of its own where a pipeline starts. It is none of the spout's.
        spouts.edit(name, {"suspend": True})
        history.wait(name, "to be suspended", ready="True", reason="Suspended", fresh="Unknown")
        spouts.edit(name, {"suspend": False})
        status = history.wait(name, "to be late again", ready="True", reason="Running", fresh="False")
        assert status["commits"]["total"] == 3

    in_time, too_late = ("True", "CommitInTime"), ("False", "CommitTooOld")
    seen = [state for state in history.of(name, "Fresh") if state in {in_time, too_late}]
    assert seen == [in_time, too_late, in_time, in_time, too_late], "a start has the time anew"
