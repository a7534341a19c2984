"""A manifest as text: kubectl reads what was meant, and comments stay comments."""

import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from spout_operator.importing.candidate import Note
from spout_operator.importing.manifests import Manifest
from spout_operator.importing.writing import to_yaml
from tests.builders import a_name

TRANSFORM = {"image": "a/b:1", "cmd": ["go", "run", "./main.go"]}


def a_manifest(spec: dict[str, Any], comments: dict[tuple[str, ...], tuple[str, ...]] | None = None) -> Manifest:
    """A manifest of a spec."""
    body = {"kind": "Spout", "metadata": {"name": "my-spout"}, "spec": spec}
    return Manifest(pipeline=a_name(), name="my-spout", body=body, comments=comments or {})


def test_the_whole_text() -> None:
    spec = {
        "transform": {**TRANSFORM, "env": {"HOST": "kafka", "N": "on"}, "secrets": [{"name": "s", "mountPath": "/s"}]},
        "spout": {},
        "resourceLimits": {"cpu": "0.5", "gpu": {"type": "a/b", "number": 1}},
        "podPatch": '[{"op":"test"}]',
        "suspend": True,
    }
    comments = {
        ("metadata",): ("of the name",),
        ("spec",): ("of the spec", "and more"),
        ("spec", "transform", "env"): ("of a variable",),
    }

    assert (
        to_yaml(a_manifest(spec, comments))
        == """\
kind: Spout
metadata:
  # of the name
  name: my-spout
spec:
  # of the spec
  # and more
  transform:
    image: a/b:1
    cmd:
    - go
    - run
    - ./main.go
    env:
      # of a variable
      HOST: kafka
      "N": "on"
    secrets:
    - name: s
      mountPath: /s
  spout: {}
  resourceLimits:
    cpu: "0.5"
    gpu:
      type: a/b
      number: 1
  podPatch: '[{"op":"test"}]'
  suspend: true
"""
    )


#: What YAML 1.1 and kubectl's reader take for something else than a text.
OTHER_TYPES = (
    *("y", "Y", "n", "N", "yes", "No", "on", "OFF", "true", "False", "null", "~", "Null", "NULL"),
    *("1", "01", "0x1F", "0o17", "0b1", "1e3", "1.5", ".5", "1_000", "+1", "-1", "1:30", ".inf", "-.inf", ".nan"),
    *("2026-01-31", "2026-01-31T12:00:00Z", "=", "<<", "", " ", "a: b", "a #b", "#a", "- a", "[a]", "{a}", "*a", "&a"),
    *("!a", "|", ">", "%a", "@a", "`a", '"a"', "'a'", "a\nb", "\ta", "a ", " a", "a:", "? a", "---", "...", "\\"),
)


@pytest.mark.parametrize("text", OTHER_TYPES)
def test_a_text_that_looks_like_something_else_has_quotes(text: str) -> None:
    written = to_yaml(a_manifest({"transform": {"env": {text: text}}}))

    lines = [line.strip() for line in written.splitlines() if line.startswith("      ")]
    # A key in more than one line, or of no length, begins with "? ", and its value with ": ".
    assert all(re.match(r"""([?:] )?["']""", line) for line in lines), lines
    assert yaml.safe_load(written)["spec"] == {"transform": {"env": {text: text}}}


def test_an_object_below_a_key_of_several_lines_stays_below_it() -> None:
    spec = {"transform": {"a\nb": {"c": {"d": "e"}}, "f": "g"}}

    assert yaml.safe_load(to_yaml(a_manifest(spec)))["spec"] == spec


texts = st.text() | st.sampled_from(OTHER_TYPES)
values = st.recursive(
    texts | st.booleans() | st.integers(),
    lambda inner: st.lists(inner, min_size=1, max_size=2) | st.dictionaries(texts, inner, min_size=1, max_size=2),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["transform", "spout", "podPatch"]), values, min_size=1), st.text())
def test_any_spec_is_read_as_it_was_meant_whatever_a_document_calls_its_fields(spec: dict[str, Any], name: str) -> None:
    comment = Note(field=name, reason="nobody knows it").text(())
    manifest = a_manifest(spec, {("spec",): (comment,)})

    written = to_yaml(manifest)

    assert yaml.safe_load(written) == manifest.body
    assert [line for line in written.splitlines() if line.startswith("  # ")] == [f"  # {comment}"]
