"""What each version of Pachyderm 2 can do."""

import pytest

from spout_operator.pachyderm.v2.backend import capabilities_of


@pytest.mark.parametrize(
    ("version", "takes_over"),
    [("2.8.10", False), ("2.9.7", False), ("2.10.0", True), ("2.11.6-rc.1", True), ("2.12.2", True)],
)
def test_a_pipeline_is_taken_over_without_a_restart_where_pipelines_have_metadata(
    version: str, takes_over: bool
) -> None:
    assert capabilities_of(version).takes_over_without_restart is takes_over
