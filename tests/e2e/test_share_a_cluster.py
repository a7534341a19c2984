"""docs/guides/share-a-cluster.md, followed as the administrator, as a member of team A and as one of team B."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spout_operator.pachyderm.v1.sdk import Client
from spout_testbed import Testbed
from tests.e2e.shared_cluster import ON_PACHYDERM_2, SharedCluster, shared_cluster, the_page


@pytest.fixture
def cluster(bed: Testbed, tmp_path: Path, clear: Callable[[], None]) -> Iterator[SharedCluster]:
    with shared_cluster(bed, tmp_path, clear) as cluster:
        yield cluster


def test_each_command_of_the_guide_prints_what_the_page_shows(cluster: SharedCluster, pachyderm: Client) -> None:
    steps = [step for step in the_page() if step.section != ON_PACHYDERM_2]
    assert sum(step.shown is not None for step in steps) == 8
    for step in steps:
        cluster.follow(step)
    names = {info.pipeline.name for info in pachyderm.list_pipeline().pipeline_info}
    assert names == {"team-a-orders", "team-b-clicks"}

    cluster.count("team-a")
    created = [cluster.create("team a", f"team-a-{number}") for number in range(2, 7)]
    assert [each.returncode for each in created] == [0, 0, 0, 0, 1], created
    assert "exceeded quota: spouts, requested: count/spouts.spout-operator.io=1" in created[-1].stdout
