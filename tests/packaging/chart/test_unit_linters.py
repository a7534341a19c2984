"""checkov and kube-score find exactly the waived findings in the rendered chart."""

import json
from pathlib import Path

import yaml

from spout_testbed.programs import run
from tests.packaging.chart.charts import CHART, template, with_values

#: By linter: "CHECK Kind" with the reason.
WAIVERS: dict[str, dict[str, str]] = yaml.safe_load((Path(__file__).parent / "waivers.yaml").read_text())
CRITICAL = 1


def render(folder: Path) -> list[Path]:
    """The chart with default values, and with those for high availability."""
    files = []
    for name in ("default", "ha"):
        done = template("helm4", *with_values(CHART / "ci" / f"{name}-values.yaml"))
        files.append(folder / f"{name}.yaml")
        files[-1].write_text(done.stdout)
    return files


def test_checkov_finds_exactly_the_waived_findings(tmp_path: Path) -> None:
    failed: dict[str, str] = {}
    for file in render(tmp_path):
        options = ("--framework", "kubernetes", "-o", "json", "--compact", "--quiet")
        found = run("checkov", "--file", str(file), *options)
        report = json.loads(found.stdout)
        assert report["summary"]["passed"] > 100, found.stderr
        for check in report["results"]["failed_checks"]:
            kind = check["resource"].partition(".")[0]
            failed[f"{check['check_id']} {kind}"] = f"{check['check_name']}: {check['resource']}"
    assert failed.keys() == WAIVERS["checkov"].keys(), failed


def test_kube_score_finds_exactly_the_waived_critical_findings(tmp_path: Path) -> None:
    failed: dict[str, str] = {}
    for file in render(tmp_path):
        found = run("kube-score", "score", "--output-format", "json", str(file))
        report = json.loads(found.stdout)
        assert {"Deployment", "Service"} <= {scored["type_meta"]["kind"] for scored in report}, found.stderr
        for scored in report:
            for check in scored["checks"]:
                if check["grade"] == CRITICAL and not check["skipped"]:
                    what = f"{check['check']['id']} {scored['type_meta']['kind']}"
                    failed[what] = f"{scored['object_name']}: {[one['summary'] for one in check['comments'] or []]}"
    assert failed.keys() == WAIVERS["kube-score"].keys(), failed


def test_each_waiver_has_a_reason() -> None:
    assert all(reason for waivers in WAIVERS.values() for reason in waivers.values())
