"""Rules for every field of the schema. They are read from the file and need no server."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from spout_testbed.harness.cluster import CRD_FILE

Schema = dict[str, Any]

CRD = yaml.safe_load(CRD_FILE.read_text())
ROOT: Schema = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
FREE_OF_BOUNDS = {"apiVersion", "kind"}  # the API server checks these itself


def fields(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Every named field below `schema`, with its dotted path; `[]` stands for the entries of a list."""
    for name, field in schema.get("properties", {}).items():
        yield path + name, field
        yield from fields(field, f"{path}{name}.")
        yield from fields(field.get("items", {}), f"{path}{name}[].")


def schemas(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """`schema` and every schema inside of it, entries of lists and values of maps included."""
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from schemas(field, f"{path}.{name}".lstrip("."))
    for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if key in schema:
            yield from schemas(schema[key], path + mark)


ALL_FIELDS = dict(fields(ROOT))
ALL_SCHEMAS = dict(schemas(ROOT))


def test_every_field_has_a_description() -> None:
    # A dozen characters are not a description, and one without a full stop was cut off.
    poor = {
        path
        for path, field in ALL_FIELDS.items()
        if path != "metadata" and not (len(text := field.get("description", "")) > 12 and text.endswith("."))
    }
    assert not poor


def test_every_field_that_restarts_the_spout_says_so() -> None:
    restarting = {
        path
        for path in ALL_FIELDS
        if path.startswith("spec.")
        and "[]" not in path
        and ".gpu." not in path
        and not path.startswith("spec.freshness")
        and path
        not in {"spec.name", "spec.suspend", "spec.deletionPolicy", "spec.spout", "spec.project", "spec.adoptionPolicy"}
    }
    silent = {path for path in restarting if "restarts the spout" not in ALL_FIELDS[path]["description"]}
    assert not silent


def test_only_the_status_has_a_default_which_says_that_it_is_not_written_yet() -> None:
    # The API server would write it into the spec, and GitOps tools would show that as drift.
    assert {path: schema["default"] for path, schema in ALL_SCHEMAS.items() if "default" in schema} == {
        "status": {"observedGeneration": -1}
    }


def test_no_field_preserves_unknown_fields() -> None:
    escaping = {path for path, schema in ALL_SCHEMAS.items() if "x-kubernetes-preserve-unknown-fields" in schema}
    assert not escaping


def test_every_list_map_and_text_is_bounded() -> None:
    unbounded = {
        path
        for path, schema in ALL_SCHEMAS.items()
        if path not in FREE_OF_BOUNDS
        and (
            (schema.get("type") == "string" and not schema.keys() & {"maxLength", "enum", "format"})
            or ("x-kubernetes-int-or-string" in schema and "maxLength" not in schema)
            or (schema.get("type") == "array" and "maxItems" not in schema)
            or ("additionalProperties" in schema and "maxProperties" not in schema)
        )
    }
    assert not unbounded


def test_every_list_and_map_says_how_it_merges() -> None:
    undecided = {
        path
        for path, schema in ALL_SCHEMAS.items()
        if (schema.get("type") == "array" and "x-kubernetes-list-type" not in schema)
        or ("additionalProperties" in schema and "x-kubernetes-map-type" not in schema)
    }
    assert not undecided


def test_the_message_of_every_rule_says_what_to_do() -> None:
    for path, schema in ALL_SCHEMAS.items():
        for rule in schema.get("x-kubernetes-validations", []):
            # An expression that fails at run time falls back to the message.
            assert len(rule.get("message", "")) > 20, (path, rule["rule"])


def test_requests_and_limits_have_the_same_rules() -> None:
    def rules(part: str) -> dict[str, Schema]:
        return {
            path.removeprefix(part): {key: schema[key] for key in schema.keys() - {"description", "properties"}}
            for path, schema in ALL_SCHEMAS.items()
            if path.startswith(part)
        }

    requests = rules("spec.resourceRequests")
    assert ".gpu.number" in requests
    assert requests == rules("spec.resourceLimits")


@pytest.mark.parametrize("absent", ["spec.spout.service.annotations"])
def test_fields_that_no_pachyderm_has_are_absent(absent: str) -> None:
    assert absent not in ALL_FIELDS
