"""Spouts as kubectl shows them."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from spout_testbed import Testbed
from spout_testbed.harness.bodies import a_spout
from spout_testbed.harness.spouts import Spouts

HEADER = ["NAME", "READY", "STATE", "COMMITS", "LAST COMMIT", "MARKER", "AGE"]
WIDE_HEADER = [*HEADER, "PIPELINE", "VERSION", "REASON"]


def table(output: str) -> list[list[str]]:
    """The rows of a table of kubectl as lists of cells. A cell starts where the word of its header starts."""
    header, *lines = output.splitlines()
    starts = [match.start() for match in re.finditer(r"(?:^|(?<=  ))\S", header)]
    ends = [*starts[1:], None]
    return [[line[start:end].strip() for start, end in zip(starts, ends, strict=True)] for line in (header, *lines)]


@pytest.fixture
def running_spout(spouts: Spouts) -> None:
    """A Spout that has made commits, the last one twenty days ago."""
    spouts.create_whole(a_spout({"name": "kafka-spout"}))
    twenty_days_ago = (datetime.now(UTC) - timedelta(days=20)).strftime("%Y-%m-%dT%H:%M:%SZ")
    status = {
        "conditions": [
            {
                "type": kind,
                "status": answer,
                "reason": reason,
                "message": "",
                "lastTransitionTime": twenty_days_ago,
            }
            for kind, answer, reason in (("Stalled", "False", "Fine"), ("Ready", "True", "Running"))
        ],
        "pipeline": {"name": "kafka-spout", "version": 3, "state": "Running"},
        "commits": {"total": 1042, "last": {"finishedAt": twenty_days_ago}},
        "marker": {"summary": "1041", "value": "1041 and the rest"},
    }
    spouts.update_status({**a_spout({"name": "kafka-spout"}), "status": status})


@pytest.mark.usefixtures("running_spout")
def test_the_columns_show_state_commits_and_marker(bed: Testbed, namespace: str) -> None:
    header, row = table(bed.kubectl("get", "spouts", "-n", namespace).stdout)
    assert header == HEADER
    assert row[:-1] == ["my-spout", "True", "Running", "1042", "20d", "1041"]
    assert re.fullmatch(r"\d+s", row[-1])


@pytest.mark.usefixtures("running_spout")
def test_the_wide_columns_add_the_pipeline_and_the_reason(bed: Testbed, namespace: str) -> None:
    header, row = table(bed.kubectl("get", "spouts", "-n", namespace, "-o", "wide").stdout)
    assert header == WIDE_HEADER
    assert row[len(HEADER) :] == ["kafka-spout", "3", "Running"]


def test_the_columns_of_a_new_spout_are_empty(bed: Testbed, namespace: str, spouts: Spouts) -> None:
    spouts.create_whole(a_spout())
    _, row = table(bed.kubectl("get", "spouts", "-n", namespace).stdout)
    assert row[:-1] == ["my-spout", "", "", "", "", ""]


@pytest.mark.parametrize("name", ["spout", "spouts", "spt", "spouts.spout-operator.io", "pachyderm"])
def test_spouts_are_found_under_each_of_their_names(bed: Testbed, namespace: str, spouts: Spouts, name: str) -> None:
    spouts.create_whole(a_spout())
    found = bed.kubectl("get", name, "-n", namespace, "-o", "name").stdout
    assert found == "spout.spout-operator.io/my-spout\n"


def test_kubectl_get_all_does_not_list_spouts(bed: Testbed, namespace: str, spouts: Spouts) -> None:
    spouts.create_whole(a_spout())
    assert bed.kubectl("get", "all", "-n", namespace, "-o", "name").stdout == ""


def test_kubectl_explain_describes_the_marker(bed: Testbed, crd: str) -> None:
    words = " ".join(bed.kubectl("explain", "spout.spec.spout.marker").stdout.split())
    assert "FIELD: marker <string>" in words
    assert "The name of the file or folder in which the spout records its position" in words
    assert "finds the last one at /pfs/offset when it starts" in words
    assert "the marker off also takes offline.csv" in words
    assert "Once set, it cannot be changed or removed" in words


def test_kubectl_apply_of_the_same_file_twice_changes_nothing(bed: Testbed, namespace: str) -> None:
    file = """
        apiVersion: spout-operator.io/v1alpha1
        kind: Spout
        metadata: {name: my-spout}
        spec:
          transform:
            image: myaccount/myimage:0.1
            cmd: [go, run, ./main.go]
            env: {HOST: kafkahost, TOPIC: mytopic, PORT: "9092"}
          spout: {marker: offset}
          resourceRequests: {cpu: 500m, memory: 256Mi}
    """
    apply = ("apply", "-n", namespace, "-f", "-")
    assert bed.kubectl(*apply, input=file).stdout == "spout.spout-operator.io/my-spout created\n"
    assert bed.kubectl(*apply, input=file).stdout == "spout.spout-operator.io/my-spout unchanged\n"
    assert bed.kubectl("diff", "-n", namespace, "-f", "-", input=file).stdout == ""


def test_kubectl_apply_refuses_a_misspelled_field(bed: Testbed, namespace: str) -> None:
    file = """
        apiVersion: spout-operator.io/v1alpha1
        kind: Spout
        metadata: {name: my-spout}
        spec: {transform: {image: i, cmd: [c]}, spout: {maker: offset}}
    """
    refused = bed.kubectl("apply", "-n", namespace, "-f", "-", input=file, check=False)
    assert refused.returncode == 1
    assert 'unknown field "spec.spout.maker"' in refused.stderr
