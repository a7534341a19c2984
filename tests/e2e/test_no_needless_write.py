"""The operator writes nothing without a difference. The servers themselves count the writes."""

from collections.abc import Callable

from spout_operator.pachyderm.v1.sdk import Client
from spout_testbed import Testbed
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.requests import pachd_calls, spout_writes
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually
from tests.e2e.conftest import a_spec


def settled(spouts: Spouts, name: str) -> None:
    """Wait until the operator has written the last status, with the last marker and count."""
    spouts.wait(name, "to be at rest", ready="True", marker="5", total=10)


def ticks(bed: Testbed, count: int) -> Callable[[], bool]:
    """A condition: the operator has polled `count` times from now on."""
    begin = pachd_calls(bed.pachd.log)["pps.API.ListPipeline"]
    return lambda: pachd_calls(bed.pachd.log)["pps.API.ListPipeline"] >= begin + count


def test_a_restart_of_the_operator_and_the_same_manifest_write_nothing(
    spouts: Spouts, name: str, bed: Testbed, operator: OperatorProcess
) -> None:
    spouts.create(name, a_spec(resourceRequests={"cpu": "100m", "memory": "64Mi"}, description="counts to five"))
    settled(spouts, name)
    eventually(ticks(bed, 3), what="three ticks")
    writes, calls = spout_writes(bed), pachd_calls(bed.pachd.log)

    operator.stop()
    operator.start()
    eventually(ticks(bed, 3), what="three ticks")

    after = pachd_calls(bed.pachd.log)
    assert spout_writes(bed) == writes
    for method in ("CreatePipeline", "StartPipeline", "StopPipeline", "DeletePipeline"):
        assert after[f"pps.API.{method}"] == calls[f"pps.API.{method}"], method
    # Nothing is counted again: the status holds what was counted.
    assert after["pfs.API.ListCommitStream"] == calls["pfs.API.ListCommitStream"]
    # Nor is the marker read again; pachd itself reads the spec of each pipeline that it lists.
    assert after["pfs.API.WalkFile"] == calls["pfs.API.WalkFile"] > 0
    assert after["pfs.API.GetFile"] - calls["pfs.API.GetFile"] < 60


def test_a_poll_at_rest_is_one_list_and_one_read_of_the_heads_per_spout(
    spouts: Spouts, name: str, bed: Testbed
) -> None:
    for number in range(3):
        spouts.create(f"{name}-{number}", a_spec())
    for number in range(3):
        settled(spouts, f"{name}-{number}")
    eventually(ticks(bed, 3), what="the operator to be at rest")
    writes, calls = spout_writes(bed), pachd_calls(bed.pachd.log)

    eventually(ticks(bed, 5), what="five ticks")

    after = pachd_calls(bed.pachd.log)
    listed = after["pps.API.ListPipeline"] - calls["pps.API.ListPipeline"]
    assert spout_writes(bed) == writes
    assert after["pfs.API.ListBranch"] - calls["pfs.API.ListBranch"] <= 3 * (listed + 1)
    assert after["pps.API.InspectPipeline"] == calls["pps.API.InspectPipeline"]
    assert after["pfs.API.ListCommitStream"] == calls["pfs.API.ListCommitStream"]
    assert after["pps.API.CreatePipeline"] == calls["pps.API.CreatePipeline"]


def test_labels_and_annotations_do_not_update_the_pipeline(
    spouts: Spouts, name: str, bed: Testbed, pachyderm: Client
) -> None:
    spouts.create(name, a_spec())
    settled(spouts, name)
    calls = pachd_calls(bed.pachd.log)

    spouts.patch(name, {"metadata": {"labels": {"team": "ingest"}, "annotations": {"note": "x"}}})
    eventually(ticks(bed, 3), what="three ticks")

    after = pachd_calls(bed.pachd.log)
    assert after["pps.API.CreatePipeline"] == calls["pps.API.CreatePipeline"]
    assert pachyderm.inspect_pipeline(name).version == 1
