"""Alerts, runbooks and dashboard: right in themselves, and complete."""

import re
from pathlib import Path

import pytest

from spout_testbed.programs import run
from tests.observability.expressions import ALERTS, alerts, dashboard, expressions

HERE = Path(__file__).parent
RUNBOOKS = HERE.parents[1] / "docs" / "runbooks"


def test_the_rules_are_rules() -> None:
    done = run("promtool", "check", "rules", "--lint=all", "--lint-fatal", str(ALERTS))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", sorted((HERE / "rules").glob("*.yaml")), ids=lambda file: file.stem)
def test_each_alert_speaks_and_keeps_silent_when_it_should(file: Path) -> None:
    done = run("promtool", "test", "rules", file.name, folder=file.parent)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_in_a_rule_test() -> None:
    tested = "".join(file.read_text() for file in (HERE / "rules").glob("*.yaml"))
    assert [alert["alert"] for alert in alerts() if alert["alert"] not in tested] == []


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    names = {alert["alert"] for alert in alerts()}
    assert {file.stem for file in RUNBOOKS.glob("*.md")} - {"README"} == names
    assert set(re.findall(r"\((\w+)\.md\)", (RUNBOOKS / "README.md").read_text())) == names


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


def test_the_dashboards_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
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


def test_each_panel_says_what_it_shows_and_asks_the_data_source_that_was_chosen() -> None:
    for panel in dashboard()["panels"]:
        if panel["type"] != "row":
            assert panel["description"]
            assert panel["targets"]
            assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}
