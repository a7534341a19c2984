"""Refuses what the API server refuses of a Spout, by the CRD itself and in the words of the API server.

The structural schema is checked here, its CEL rules by `local.cel`. Rules that compare with the earlier object do not
apply: there is none.
"""

import functools
import importlib.resources
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from spout_operator.local import cel

Schema = Mapping[str, Any]

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
_WORDS = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_OBJECT_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_LONGEST_NAME = 253


def findings(body: Mapping[str, Any]) -> list[str]:
    """Why the API server would refuse this Spout, one line for each field; empty if it would accept it."""
    return list(_metadata(body)) + list(_check(_schema(), body, "")) + list(_unknown(_schema(), body, ""))


@functools.cache
def _schema() -> Schema:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = importlib.resources.files("spout_operator.kubernetes").joinpath("crd.yaml").read_bytes()
    schema: Schema = yaml.load(text, loader)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]  # noqa: S506 - both loaders are safe
    return schema


def _metadata(body: Mapping[str, Any]) -> Iterator[str]:
    name = (body.get("metadata") or {}).get("name")
    if not name:
        yield "metadata.name: Required value: name or generateName is required"
    elif not isinstance(name, str) or len(name) > _LONGEST_NAME or not _OBJECT_NAME.fullmatch(name):
        yield (
            f"metadata.name: Invalid value: {json.dumps(name)}: a lowercase RFC 1123 subdomain must consist of lower "
            "case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
        )


def _check(schema: Schema, value: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    structural = list(_structure(schema, value, path))
    yield from structural
    if any(line.startswith(f"{path or '<nil>'}:") for line in structural):
        return
    before = len(structural)
    if isinstance(value, dict):
        for name, child in schema.get("properties", {}).items():
            if value.get(name) is not None and not (path == "" and name in {"metadata", "status"}):
                found = list(_check(child, value[name], f"{path}.{name}".lstrip(".")))
                before += len(found)
                yield from found
        if isinstance(schema.get("additionalProperties"), dict):
            for name, item in value.items():
                found = list(_check(schema["additionalProperties"], item, f"{path}.{name}"))
                before += len(found)
                yield from found
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            found = list(_check(schema["items"], item, f"{path}[{index}]"))
            before += len(found)
            yield from found
    if not before:
        yield from _rules(schema, value, path)


def _structure(schema: Schema, value: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    if refusal := _type(schema, value, path):
        yield refusal
        return
    for name in schema.get("required", ()):
        if value.get(name) is None:
            yield f"{f'{path}.{name}'.lstrip('.')}: Required value"
    if "enum" in schema and value not in schema["enum"]:
        allowed = ", ".join(json.dumps(item) for item in schema["enum"])
        yield f"{path}: Unsupported value: {json.dumps(value)}: supported values: {allowed}"
    if isinstance(value, str):
        yield from _text(schema, value, path)
    elif isinstance(value, list):
        yield from _list(schema, value, path)
    elif isinstance(value, dict) and len(value) > schema.get("maxProperties", len(value)):
        yield f"{path}: Too many: {len(value)}: must have at most {schema['maxProperties']} items"
    elif isinstance(value, int) and not isinstance(value, bool):
        yield from _number(schema, value, path)


def _type(schema: Schema, value: Any, path: str) -> str:  # noqa: ANN401 - any JSON value
    """Why a value has not the type of the schema; empty if it has."""
    kind = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        kind, fits = "integer,string", isinstance(value, int | str) and not isinstance(value, bool)
    elif not kind:
        return ""
    else:
        fits = isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
    return "" if fits else _invalid(path, _word(value), f'{path} in body must be of type {kind}: "{_word(value)}"')


def _text(schema: Schema, value: str, path: str) -> Iterator[str]:
    if len(value) > schema.get("maxLength", len(value)):
        yield f"{path}: Too long: may not be more than {schema['maxLength']} bytes"
    if len(value) < schema.get("minLength", 0):
        yield _invalid(path, value, f"{path} in body should be at least {schema['minLength']} chars long")


def _number(schema: Schema, value: int, path: str) -> Iterator[str]:
    if value < schema.get("minimum", value):
        yield _invalid(path, value, f"{path} in body should be greater than or equal to {schema['minimum']}")
    if value > schema.get("maximum", value):
        yield _invalid(path, value, f"{path} in body should be less than or equal to {schema['maximum']}")


def _list(schema: Schema, value: list[Any], path: str) -> Iterator[str]:
    if len(value) > schema.get("maxItems", len(value)):
        yield f"{path}: Too many: {len(value)}: must have at most {schema['maxItems']} items"
    if len(value) < schema.get("minItems", 0):
        yield _invalid(path, len(value), f"{path} in body should have at least {schema['minItems']} items")
    if schema.get("x-kubernetes-list-type") == "set":
        for index, item in enumerate(value):
            if item in value[:index]:
                yield f"{path}[{index}]: Duplicate value: {json.dumps(item)}"


def _rules(schema: Schema, value: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    for rule in schema.get("x-kubernetes-validations", ()):
        if "oldSelf" in rule["rule"] or cel.evaluate(rule["rule"], self=value):
            continue
        message = cel.evaluate(rule["messageExpression"], self=value) if "messageExpression" in rule else ""
        shown = value if isinstance(value, str | int) else _word(value)
        yield _invalid(
            f"{path}{rule.get('fieldPath', '')}".lstrip("."), shown, " ".join((message or rule["message"]).split())
        )


def _unknown(schema: Schema, value: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    """What kubectl's strict validation says of a field that the schema does not have."""
    if isinstance(value, dict) and "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        for name, child in value.items():
            where = f"{path}.{name}".lstrip(".")
            if name in schema["properties"]:
                yield from () if where in {"metadata", "status"} else _unknown(schema["properties"][name], child, where)
            else:
                yield f'{where}: unknown field "{where}"'
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from _unknown(schema["items"], item, f"{path}[{index}]")


def _word(value: object) -> str:
    return "null" if value is None else _WORDS.get(type(value), type(value).__name__)


def _invalid(path: str, value: object, message: str) -> str:
    return f"{path}: Invalid value: {json.dumps(value)}: {message}"
