"""Alerts, runbooks and dashboard are valid and complete."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from spout_operator.core.reasons import Reason
from spout_testbed.programs import run
from tests.packaging.observability.expressions import ALERTS, alerts, dashboard, expressions

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
RUNBOOKS = ROOT / "docs" / "runbooks"
#: With --spout-metrics-limit=0 there is no series for a single Spout: three are stalled, one is suspended.
WITHOUT_SERIES = {
    "spout_operator_leader": 1,
    "spout_operator_spouts_without_series": 4,
    'spout_operator_spouts{ready="False", reason="PipelineFailed"}': 2,
    'spout_operator_spouts{ready="False", reason="Unauthorized"}': 1,
    'spout_operator_spouts{ready="True", reason="Suspended"}': 1,
}
WELL = {
    "spout_operator_leader": 1,
    "spout_operator_spouts_without_series": 0,
    'spout_operator_spouts{ready="False", reason="Starting"}': 2,
    'spout_operator_spouts{ready="Unknown", reason="Pending"}': 1,
}


def test_promtool_accepts_the_rules() -> None:
    done = run("promtool", "check", "rules", "--lint=all", "--lint-fatal", str(ALERTS))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", sorted((HERE / "rules").glob("*.yaml")), ids=lambda file: file.stem)
def test_each_alert_fires_and_stays_silent_as_its_rule_tests_say(file: Path) -> None:
    done = run("promtool", "test", "rules", file.name, folder=file.parent)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_in_a_rule_test() -> None:
    tested = "".join(file.read_text() for file in (HERE / "rules").glob("*.yaml"))
    assert [alert["alert"] for alert in alerts() if alert["alert"] not in tested] == []


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    names = {alert["alert"] for alert in alerts()}
    assert {file.stem for file in RUNBOOKS.glob("*.md")} - {"README"} == names
    assert set(re.findall(r"\((\w+)\.md\)", (RUNBOOKS / "README.md").read_text())) == names


def test_the_index_of_the_runbooks_has_a_row_for_every_alert_in_the_order_of_the_rules() -> None:
    rows = re.findall(r"^\| \[(\w+)\]\((\w+)\.md\) \| \w", (RUNBOOKS / "README.md").read_text(), re.MULTILINE)
    assert rows == [(alert["alert"], alert["alert"]) for alert in alerts()]


@pytest.mark.parametrize("file", sorted(RUNBOOKS.glob("*.md")), ids=lambda file: file.stem)
def test_a_runbook_reads_the_logs_of_all_pods_and_queries_the_health_of_one(file: Path) -> None:
    text = file.read_text()
    # kubectl reads the logs of one Pod of a Deployment: with two replicas often the one that waits.
    assert "logs deployment/spout-operator" not in text
    for path in ("livez", "readyz"):
        if f"`/{path}`" in text and file.stem != "README":
            assert f"kubectl get --raw /api/v1/namespaces/spout-operator/pods/POD:8080/proxy/{path} -v=8" in text


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_an_alert_says_what_to_do_next(alert: dict[str, dict[str, str]]) -> None:
    description = alert["annotations"]["description"]
    assert "Next: " in description
    assert description.endswith(f"docs/runbooks/{alert['alert']}.md")
    assert alert["labels"]["severity"] in {"critical", "warning"}


def test_every_expression_is_promql() -> None:
    for expression in expressions():
        if expression.startswith("label_values("):
            continue
        expression = expression.replace("$namespace", "a").replace("$spout", "b")  # noqa: PLW2901 - as Grafana does
        done = run("promtool", "--experimental", "promql", "format", expression)
        assert done.returncode == 0, f"{expression}: {done.stderr}"


def test_the_panels_of_the_dashboard_have_unique_ids_and_do_not_overlap() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


def test_each_panel_has_a_description_and_queries_the_chosen_data_source() -> None:
    for panel in dashboard()["panels"]:
        if panel["type"] != "row":
            assert panel["description"]
            assert panel["targets"]
            assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}


def test_the_dashboard_counts_every_stalled_reason_as_stalled() -> None:
    code = "".join(file.read_text() for file in sorted((ROOT / "operator").rglob("*.py")))
    found = re.findall(r"\bStalled\(\s*Reason\.(\w+)|reason=Reason\.(\w+), message=message, also=STALLED", code)
    stalled = {Reason["".join(names)] for names in found}
    expression = tile("Stalled")
    (counted,) = re.findall(r'reason=~"([^"]+)"', expression)
    assert {Reason(word) for word in counted.split("|")} == stalled


@pytest.mark.parametrize(
    ("title", "series", "shown"),
    [
        ("Ready", WITHOUT_SERIES, 1),
        ("Ready", WELL, 0),
        ("Ready", {}, 0),
        ("Not ready", WITHOUT_SERIES, 3),
        ("Stalled", WITHOUT_SERIES, 3),
        ("Stalled", WELL, 0),
        ("Stalled", {}, None),
        ("Suspended", WITHOUT_SERIES, 1),
        ("Suspended", WELL, 0),
        ("Suspended", {}, None),
        ("Without series", WITHOUT_SERIES, 4),
        ("Leader", WELL, 1),
        ("Leader", {}, 0),
    ],
)
def test_a_tile_of_the_dashboard_shows_the_expected_number(
    title: str, series: dict[str, int], shown: int | None, tmp_path: Path
) -> None:
    assert_shows(tile(title), series, {} if shown is None else {"{}": shown}, tmp_path)


LATE_COMMITS = "Late commits, and markers that do not move"
OF_A_SPOUT = 'namespace="ingest", name="one"'
LATE = {
    f"spout_operator_spout_fresh{{{OF_A_SPOUT}}}": 0,
    'spout_operator_spout_fresh{namespace="ingest", name="in-time"}': 1,
    f"spout_operator_spout_marker_stalled{{{OF_A_SPOUT}}}": 1,
    'spout_operator_spout_marker_stalled{namespace="ingest", name="in-time"}': 0,
    f"spout_operator_spout_output_stalled{{{OF_A_SPOUT}}}": 1,
    'spout_operator_spout_output_stalled{namespace="ingest", name="in-time"}': 0,
}
CODE = {
    'spout_operator_spouts{ready="False", reason="UserCodeFailing", instance="a"}': 2,
    'spout_operator_spouts{ready="False", reason="UserCodeEnded", instance="a"}': 1,
    'spout_operator_spouts{ready="False", reason="OutputRefused", instance="a"}': 3,
    'spout_operator_spouts{ready="False", reason="PipelineFailed", instance="a"}': 4,
}
BY_REASON = {'{reason="UserCodeFailing"}': 2, '{reason="UserCodeEnded"}': 1, '{reason="OutputRefused"}': 3}


@pytest.mark.parametrize(
    ("title", "legend", "series", "shown"),
    [
        ("User code that does not run", "{{reason}}", CODE, BY_REASON),
        ("User code that does not run", "{{reason}}", WELL, {}),
        (LATE_COMMITS, "{{namespace}}/{{name}}: not fresh", LATE, {f"{{{OF_A_SPOUT}}}": 1}),
        (LATE_COMMITS, "{{namespace}}/{{name}}: marker stalled", LATE, {f"{{{OF_A_SPOUT}}}": 1}),
        (LATE_COMMITS, "{{namespace}}/{{name}}: output stalled", LATE, {f"{{{OF_A_SPOUT}}}": 1}),
        (
            "Policy denials",
            "{{permission}}",
            {f'spout_operator_policy_denials_total{{permission="secrets", instance="{one}"}}': "0+1" for one in "ab"},
            {'{permission="secrets"}': 2},
        ),
    ],
)
def test_a_panel_of_the_dashboard_shows_the_expected_series(
    title: str, legend: str, series: dict[str, int | str], shown: dict[str, int], tmp_path: Path
) -> None:
    (panel,) = (panel for panel in dashboard()["panels"] if panel["title"] == title)
    (target,) = (target for target in panel["targets"] if target["legendFormat"] == legend)
    expression = target["expr"].replace("$namespace", ".*").replace("$spout", ".*")
    assert_shows(expression, series, shown, tmp_path)


def assert_shows(expression: str, series: Mapping[str, int | str], shown: Mapping[str, int], folder: Path) -> None:
    """An expression gives these samples, by their labels, while the series have these values, or grow like `0+1`."""
    test = {
        "input_series": [{"series": name, "values": f"{value}x5"} for name, value in series.items()],
        "promql_expr_test": [
            {
                "expr": expression,
                "eval_time": "1m",
                "exp_samples": [{"labels": labels, "value": value} for labels, value in shown.items()],
            }
        ],
    }
    (folder / "panel.yaml").write_text(json.dumps({"rule_files": [], "tests": [test]}))
    done = run("promtool", "test", "rules", "panel.yaml", folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr


def tile(title: str) -> str:
    (panel,) = (panel for panel in dashboard()["panels"] if panel["title"] == title)
    (target,) = panel["targets"]
    expression: str = target["expr"]
    return expression
