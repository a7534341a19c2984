"""The policy file changes while a real spout runs: nothing of it stops, and no edit is taken in that is not allowed."""

import pytest
import yaml

from spout_operator.pachyderm.v1.sdk import Client
from spout_testbed import Testbed
from spout_testbed.harness.bodies import Body
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts, message
from tests.e2e.conftest import a_spec

RULE = {"namespaces": ["*"], "pipelineNames": ["*"]}
TIGHT = yaml.safe_dump({"rules": [RULE]})
LOOSE = yaml.safe_dump({"rules": [{**RULE, "secrets": ["kafka-of-test"]}]})


@pytest.fixture
def policy_text() -> str:
    return LOOSE


def with_secret(**env: str) -> Body:
    """A spec with a Secret, whose code commits without end."""
    secrets = [{"name": "kafka-of-test", "key": "password", "envVar": "PASSWORD"}]
    return a_spec(transform={"secrets": secrets, "env": {"LIMIT": "1000000", **env}})


def test_a_spout_that_is_no_longer_allowed_goes_on_and_takes_in_edits_again_when_it_is(
    spouts: Spouts, name: str, bed: Testbed, pachyderm: Client, operator: OperatorProcess
) -> None:
    place = ("-n", bed.pachyderm_namespace)
    bed.kubectl("create", "secret", "generic", "kafka-of-test", "--from-literal=password=x", *place)
    spouts.create(name, with_secret())
    spouts.wait(name, "to commit", ready="True", total=2)
    started = bed.workers.wait_running(name)

    operator.change_policy(TIGHT)
    status = spouts.wait(name, "to be refused", ready="False", stalled="True", reason="PolicyDenied")
    assert "The pipeline goes on as it is; until the policy allows the Spout, no edit is taken in" in message(status)
    spouts.edit(name, {**with_secret(EDITED="yes"), "suspend": True})

    later = status["commits"]["total"] + 5
    spouts.wait(name, "to commit as before", stalled="True", reason="PolicyDenied", total=later, version=1)
    info = pachyderm.inspect_pipeline(name)
    assert (info.version, info.stopped, "EDITED" in info.transform.env) == (1, False, False)
    running = bed.workers.wait_running(name)
    assert (running.pod, running.restarts) == (started.pod, 0)

    operator.change_policy(LOOSE)
    spouts.wait(name, "to be suspended, edited", ready="True", stalled=None, reason="Suspended", version=2)
    assert pachyderm.inspect_pipeline(name).transform.env["EDITED"] == "yes"
    bed.kubectl("delete", "secret", "kafka-of-test", *place)
