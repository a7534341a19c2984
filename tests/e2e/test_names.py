"""A spout runs under every kind of accepted name, and under no refused one."""

import pytest
from kubernetes import client

from spout_operator.pachyderm.v1.sdk import Client, pps_pb2
from spout_testbed import Testbed
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually
from tests.e2e.conftest import a_spec

#: Names with their reasons; fewer than the 16 pipelines that this pachd accepts.
ACCEPTED = {
    "a": "one letter",
    "7": "one digit",
    "42": "digits only",
    "2nd-spout": "a digit first",
    "spout-2": "a digit last",
    "a--b---c": "several dashes inside",
    "0-9": "digits and a dash",
    "n" * 51: "as long as can be",
    "1" + "-" * 49 + "1": "as long as can be, and of dashes inside",
}


def test_a_spout_runs_under_every_kind_of_accepted_name(spouts: Spouts, bed: Testbed) -> None:
    for name in ACCEPTED:
        spouts.create(name, a_spec(transform={"env": {"LIMIT": "1"}}))

    for name, reason in ACCEPTED.items():
        status = spouts.wait(name, f"to run: {reason}", seconds=120, ready="True", state="Running", marker="1")
        assert status["pipeline"]["workersAvailable"] == 1, reason
        for made in (f"rc/pipeline-{name}-v1", f"secret/spout-pachctl-secret-{name}"):
            assert bed.kubectl("get", made, "-n", bed.pachyderm_namespace).returncode == 0, reason


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("My-Spout", "spout-pachctl-secret-My-Spout"),
        ("my_spout", "spout-pachctl-secret-my_spout"),
        ("n" * 52, "pipeline-nnn"),
    ],
)
def test_a_pipeline_with_a_refused_name_fails_on_pachyderm(
    spouts: Spouts, pachyderm: Client, name: str, says: str
) -> None:
    refused(spouts, name)

    assert says in failure_of(pachyderm, name)


def test_a_pipeline_whose_name_ends_with_a_dash_never_starts(spouts: Spouts, pachyderm: Client, bed: Testbed) -> None:
    refused(spouts, "my-spout-")
    create(pachyderm, "my-spout-")

    # When this one has failed, pachd has made three attempts at the other one too.
    failure_of(pachyderm, "My-Spout")

    assert pachyderm.inspect_pipeline("my-spout-").state == pps_pb2.PIPELINE_STARTING
    made = bed.kubectl("get", "rc", "pipeline-my-spout--v1", "-n", bed.pachyderm_namespace, check=False)
    assert made.returncode != 0


def refused(spouts: Spouts, name: str) -> None:
    with pytest.raises(client.ApiException, match=r"spec\.name"):
        spouts.create("my-spout", a_spec(name=name))


def create(pachyderm: Client, name: str) -> None:
    """Create a spout without the operator."""
    pachyderm.create_pipeline(
        name, transform=pps_pb2.Transform(image="example/spout:1", cmd=["true"]), spout=pps_pb2.Spout()
    )


def failure_of(pachyderm: Client, name: str) -> str:
    """Create a spout without the operator, and return why it fails. It has to fail."""
    create(pachyderm, name)
    info = eventually(
        lambda: found if (found := pachyderm.inspect_pipeline(name)).state == pps_pb2.PIPELINE_FAILURE else None,
        what=f"{name} to fail",
        seconds=60,
        details=lambda: str(pachyderm.inspect_pipeline(name)),
    )
    return str(info.reason)
