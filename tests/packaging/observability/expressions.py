"""The PromQL of alerts and dashboard, and the metrics that it names."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[3] / "charts" / "spout-operator"
ALERTS = CHART / "files" / "alerts.yaml"
_METRIC = re.compile(r"\b((?:spout_operator|process)_[a-z0-9_]+)\b")
_SELECTED = re.compile(r"(spout_operator_[a-z0-9_]+)\{([^}]*)\}")


def alerts() -> list[dict[str, Any]]:
    """All alerts, as Prometheus reads them."""
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    """The dashboard, as Grafana reads it."""
    found: dict[str, Any] = json.loads((CHART / "files" / "dashboard.json").read_text())
    return found


def expressions() -> list[str]:
    """The PromQL of alerts and dashboard, and the queries of the dashboard's variables."""
    board = dashboard()
    targets = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    variables = [one["query"] for one in board["templating"]["list"] if one["type"] == "query"]
    return [*(alert["expr"] for alert in alerts()), *targets, *variables]


def metrics(expression: str) -> set[str]:
    """The metrics that an expression names."""
    return set(_METRIC.findall(expression))


def labels(expression: str) -> set[tuple[str, str]]:
    """The labels that an expression selects by: (metric, label)."""
    found = set()
    for metric, selector in _SELECTED.findall(expression):
        found |= {(metric, label) for label in re.findall(r"(\w+)\s*[=!]", selector)}
    return found
