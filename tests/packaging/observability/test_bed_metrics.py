"""A scrape of the running operator has exactly the metrics that documents, alerts and dashboard name."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from spout_testbed import Testbed
from spout_testbed.harness.bodies import a_spec
from spout_testbed.harness.cluster import administrator, install
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts
from spout_testbed.programs import program
from spout_testbed.waiting import eventually
from tests.memory_pachd import MemoryPachd
from tests.packaging.observability.expressions import expressions, labels, metrics

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs" / "reference" / "metrics.md"
POLICY = ROOT / "charts" / "spout-operator" / "files" / "policies" / "restricted.yaml"
SPEC = a_spec({"spout.marker": "offset", "freshness": {"maxCommitAge": "1h"}})
#: The metrics of prometheus-client's own collectors.
OTHERS = ("process_", "python_info")


@pytest.fixture(scope="module")
def scrape(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """/metrics of an operator with one ready Spout that has commits and a marker, and one that cannot be made."""
    log = tmp_path_factory.mktemp("operator") / "operator.log"
    with Testbed.start() as bed, MemoryPachd(limit=1) as pachd:
        install(bed)
        process = OperatorProcess(
            kubeconfig=bed.kubeconfig_for_account("spout-operator", "spout-operator"),
            pachd_address=pachd.address,
            log=log,
            flags=("--lease=spout-operator/spout-operator", f"--policy={POLICY}"),
        )
        with administrator(bed) as api_client, process:
            spouts = Spouts(api_client, "default", log)
            spouts.create("one", SPEC)
            spouts.wait("one", "to be made", synced="True")
            pachd.come_up("one")
            pachd.append_commit("one")
            pachd.write_marker("one", {"offset": b"7"})
            spouts.wait("one", "to be ready with a commit", ready="True", total=1, marker="7")
            spouts.create("two", SPEC)
            spouts.wait("two", "to be refused", stalled="True")
            eventually(lambda: 'reason="PipelineLimitReached"' in process.get("/metrics"), what="the error's count")
            yield process.get("/metrics")


def families(scrape: str) -> dict[str, set[str]]:
    """Every metric family of the scrape, by the name that queries use, with its labels."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(scrape):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = {label for sample in family.samples for label in sample.labels} - {"le"}
    return found


def test_the_operator_exposes_every_metric_and_label_that_alerts_and_dashboard_name(scrape: str) -> None:
    found = families(scrape)
    named = {re.sub("_bucket$", "", metric) for expression in expressions() for metric in metrics(expression)}
    assert named - found.keys() == set()
    wrong = {
        (metric, label)
        for expression in expressions()
        for metric, label in labels(expression)
        if label not in found[re.sub("_bucket$", "", metric)]
    }
    assert wrong == set()


def test_the_metrics_reference_lists_exactly_the_metrics_of_the_operator(scrape: str) -> None:
    rows = re.findall(r"^\| `(\w+)` \| \w+ \| ([\w, ]*) \|", REFERENCE.read_text(), re.MULTILINE)
    documented = {name: set(filter(None, text.replace(" ", "").split(","))) for name, text in rows}
    assert documented == {name: found for name, found in families(scrape).items() if not name.startswith(OTHERS)}


def test_the_metrics_have_the_values_of_the_spouts(scrape: str) -> None:
    assert 'spout_operator_spout_commits_total{name="one",namespace="default"} 1.0' in scrape
    assert 'spout_operator_spout_ready{name="one",namespace="default"} 1.0' in scrape
    assert 'spout_operator_spout_stalled{name="two",namespace="default"} 1.0' in scrape
    assert 'spout_operator_spouts{ready="True",reason="Running"} 1.0' in scrape


def test_the_metric_names_follow_the_prometheus_conventions(scrape: str) -> None:
    done = subprocess.run(  # noqa: S603 - ours
        [str(program("promtool")), "check", "metrics"],
        input=scrape,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
