"""docs/guides/share-a-cluster.md on Pachyderm 2, where each team has a project."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pachyderm_sdk import Client

from spout_testbed import Testbed
from tests.e2e.shared_cluster import ON_PACHYDERM_2, SharedCluster, shared_cluster, the_page


@pytest.fixture
def cluster(bed: Testbed, tmp_path: Path, clear: Callable[[], None]) -> Iterator[SharedCluster]:
    with shared_cluster(bed, tmp_path, clear) as cluster:
        yield cluster


def test_each_command_of_the_guide_prints_what_the_page_shows(cluster: SharedCluster, pachyderm: Client) -> None:
    steps = [step for step in the_page() if step.section in ("The administrator", ON_PACHYDERM_2)]
    assert sum(step.shown is not None for step in steps) == 3
    for step in steps:
        cluster.follow(step)
    pipelines = [info.pipeline for info in pachyderm.pps.list_pipeline()]
    assert [(pipeline.project.name, pipeline.name) for pipeline in pipelines] == [("team-a", "orders")]
