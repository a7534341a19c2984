"""Pachyderm in trouble: without its PostgreSQL, and killed in the middle of creates and updates."""

import itertools
from pathlib import Path

from pachyderm_sdk import Client

from spout_testbed import Testbed
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.requests import pachyderm_requests
from spout_testbed.harness.spouts import Spouts, message
from spout_testbed.waiting import eventually
from tests.e2e.pachyderm_2.conftest import a_spec, numbers, own_commits, raise_limit, up_to

#: A minute, at the operator's two polls a second.
POLLS_WITHOUT_DATABASE = 120
#: In creates, and in updates; and how many of them have to cut off a call.
KILLS, CUT_OFF = 5, 3


def failed(operator: OperatorProcess, method: str) -> int:
    """How many of these calls have failed so far."""
    found = pachyderm_requests(operator.get("/metrics"))
    return sum(count for (called, code), count in found.items() if called == method and code != "OK")


def test_a_spout_is_unknown_while_postgresql_is_away_and_recovers_by_itself(  # noqa: PLR0917 - fixtures
    spouts: Spouts, name: str, pachyderm: Client, source: Path, bed: Testbed, operator: OperatorProcess
) -> None:
    spouts.create(name, a_spec(source))
    before = spouts.wait(name, "five commits", ready="True", total=5)

    bed.postgres.stop()
    try:
        raise_limit(source, 10)
        lost = spouts.wait(name, "to say that nothing is known", ready="Unknown", reason="PachydermUnreachable")
        assert "answers, but its PostgreSQL does not" in message(lost)
        assert (lost["pipeline"], lost["commits"]) == (before["pipeline"], before["commits"])
        eventually(
            lambda: failed(operator, "ListPipeline") >= POLLS_WITHOUT_DATABASE,
            what=f"{POLLS_WITHOUT_DATABASE} polls",
            seconds=2 * POLLS_WITHOUT_DATABASE,
        )
    finally:
        bed.postgres.start()

    status = spouts.wait(name, "to be well and to commit", ready="True", version=1, total=10, seconds=120)
    assert status["commits"]["total"] == len(own_commits(pachyderm, name)) == 10
    assert numbers(pachyderm, name) == up_to(10)


def kill_in_the_middle(bed: Testbed, operator: OperatorProcess) -> bool:
    """Kill pachd when a call of CreatePipelineV2 has begun, and start it again.

    Returns:
        Whether a call was cut off. On a busy machine it can have ended by then.
    """
    before, mark = failed(operator, "CreatePipelineV2"), bed.pachd.log.stat().st_size

    def has_begun() -> bool:
        with bed.pachd.log.open("rb") as log:
            log.seek(mark)
            return b"CreatePipelineV2" in log.read()

    eventually(has_begun, what="a call to begin", interval=0.005, seconds=60, details=operator.log.read_text)
    bed.pachd.kill()
    bed.pachd.start()
    return failed(operator, "CreatePipelineV2") > before


def test_pachd_that_dies_in_the_middle_of_creates_and_updates_has_made_each_once(  # noqa: PLR0917 - fixtures
    spouts: Spouts, name: str, pachyderm: Client, source: Path, bed: Testbed, operator: OperatorProcess
) -> None:
    pairs = [(f"{name}-{kill}-a", f"{name}-{kill}-b") for kill in range(KILLS)]
    names = list(itertools.chain(*pairs))
    for version, write in ((1, spouts.create), (2, spouts.edit)):
        cut_off = 0
        for pair in pairs:
            for each in pair:
                write(each, a_spec(source, suspend=True, description=f"version {version}"))
            cut_off += kill_in_the_middle(bed, operator)
        assert cut_off >= CUT_OFF, f"{cut_off} of {KILLS} kills were in the middle of a call"

        for each in names:
            spouts.wait(each, "to be as asked", ready="True", reason="Suspended", version=version, seconds=120)
        found = {info.pipeline.name: info.version for info in pachyderm.pps.list_pipeline()}
        assert found == dict.fromkeys(names, version)
