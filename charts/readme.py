"""The table of values in the chart's README: `make generate` writes it, of values.yaml and its schema."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parent / "spout-operator"
BEGIN, END = "<!-- values: made by charts/readme.py -->\n", "<!-- end of values -->\n"


def rows(schema: Mapping[str, Any], values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str, str]]:
    """Each value that can be set: its path, its default as JSON, and what it means."""
    for name, value in values.items():
        inner, at = schema["properties"][name], f"{path}{name}"
        if inner.get("properties") and name != "resources":
            yield from rows(inner, value, f"{at}.")
        else:
            yield at, json.dumps(value), inner["description"]


def table() -> str:
    """The table, in Markdown."""
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    lines = [f"| `{at}` | `{default}` | {text} |" for at, default, text in rows(schema, values)]
    return "\n".join(["| value | default | what it means |", "|---|---|---|", *lines]) + "\n"


def updated(text: str) -> str:
    """The README with the table as it should be."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + table() + END + after


def files() -> Mapping[Path, str]:
    """The README, with its text as it has to be."""
    readme = CHART / "README.md"
    return {readme: updated(readme.read_text(encoding="utf-8"))}
