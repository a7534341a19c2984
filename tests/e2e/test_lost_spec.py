"""Pachyderm has lost the spec of a pipeline: its owner is not known, and its Spout says how to delete it."""

import pytest

from spout_operator.pachyderm.v1.sdk import Client
from spout_testbed import Testbed
from spout_testbed.harness.spouts import Spouts, message
from tests.e2e.conftest import a_spec

IDLE = {"transform": {"env": {"LIMIT": "0"}}}


def lost(spouts: Spouts, name: str, pachyderm: Client, **spec: object) -> None:
    """Create a Spout, and lose the spec of its pipeline."""
    spouts.create(name, a_spec(**IDLE, **spec))
    spouts.wait(name, "to run", ready="True")
    pachyderm.delete_commit(("__spec__", pachyderm.inspect_pipeline(name).spec_commit.id))


@pytest.mark.parametrize("policy", ["Delete", "KeepRepo"])
def test_a_spout_with_a_lost_spec_goes_when_its_pipeline_is_deleted_as_the_message_says(
    spouts: Spouts, name: str, bed: Testbed, pachyderm: Client, policy: str
) -> None:
    lost(spouts, name, pachyderm, deletionPolicy=policy)

    spouts.delete(name)

    status = spouts.wait(name, "to say what to do", ready="False", reason="PachydermError", reconciling="True")
    command = ["delete", "pipeline", name, *(["--keep-repo"] if policy == "KeepRepo" else [])]
    assert f"pachctl {' '.join(command)};" in message(status)
    bed.pachctl(*command)
    spouts.wait_gone(name, seconds=60)
    assert (name in {repo.repo.name for repo in pachyderm.list_repo()}) is (policy == "KeepRepo")


def test_a_spout_with_a_lost_spec_goes_without_its_pipeline_as_an_orphan(
    spouts: Spouts, name: str, pachyderm: Client
) -> None:
    lost(spouts, name, pachyderm)
    spouts.delete(name)
    status = spouts.wait(name, "to say what to do", ready="False", reason="PachydermError")
    assert "set spec.deletionPolicy to Orphan" in message(status)

    spouts.edit(name, {"deletionPolicy": "Orphan"})

    spouts.wait_gone(name)
    assert name in {info.pipeline.name for info in pachyderm.list_pipeline(allow_incomplete=True).pipeline_info}
