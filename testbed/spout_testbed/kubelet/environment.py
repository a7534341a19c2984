"""The environment and the command of a container, resolved as a kubelet does. Pure functions."""

import base64
import re
from collections.abc import Callable, Mapping

from spout_testbed.kube_api import Json

Reader = Callable[[str, str], Mapping[str, bytes]]
"""Returns the entries of an object, by its kind (`secret` or `configmap`) and its name.

Raises ConfigError if there is no such object."""

_REFERENCE = re.compile(r"\$(\$|\(([A-Za-z_][A-Za-z0-9_.-]*)\))")


class ConfigError(Exception):
    """A container cannot be created, as something that it names is not there. The words are those of a kubelet."""


def environment(
    container: Json, *, services: Mapping[str, str], fields: Mapping[str, str], read: Reader
) -> dict[str, str]:
    """The environment variables of a container.

    Args:
        container: its part of the Pod's spec.
        services: the variables of the Services in the namespace. The container's own variables replace them.
        fields: what the references to fields of the Pod give, by the path of the field.
        read: reads a Secret or a ConfigMap.

    Raises:
        ConfigError: a Secret, a ConfigMap, or a key of one is not there.
    """
    found = dict(services)
    for source in container.get("envFrom", []):
        for kind, reference in _sources(source):
            found |= {
                source.get("prefix", "") + key: value.decode() for key, value in _entries(kind, reference, read).items()
            }
    for entry in container.get("env", []):
        value = _value(entry, fields, read)
        if value is not None:
            found[entry["name"]] = expand(value, found)
    return found


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace each `$(NAME)` of a known variable, and each `$$` with `$`."""

    def value(match: re.Match[str]) -> str:
        return "$" if match[1] == "$" else variables.get(match[2], match[0])

    return _REFERENCE.sub(value, text)


def command(container: Json, variables: Mapping[str, str]) -> list[str]:
    """The command line of a container.

    Raises:
        ConfigError: it has no command. Only an image could have one, and the test bed has no images.
    """
    if not container.get("command"):
        raise ConfigError(
            f"container {container['name']!r} has no command, and the test bed has no image to take it from"
        )
    return [expand(part, variables) for part in (*container["command"], *container.get("args", []))]


def decoded(kind: str, found: Json) -> dict[str, bytes]:
    """The entries of a Secret or ConfigMap object."""
    data: Mapping[str, str] = found.get("data") or {}
    return {key: base64.b64decode(value) if kind == "secret" else value.encode() for key, value in data.items()}


def _sources(source: Json) -> list[tuple[str, Json]]:
    kinds = {"secretRef": "secret", "configMapRef": "configmap"}
    return [(kind, source[key]) for key, kind in kinds.items() if key in source]


def _value(entry: Json, fields: Mapping[str, str], read: Reader) -> str | None:
    source: Json = entry.get("valueFrom", {})
    if "fieldRef" in source:
        path = source["fieldRef"]["fieldPath"]
        if path not in fields:
            raise ConfigError(f"the test bed does not know the field {path!r} of a Pod")
        return fields[path]
    for key, kind in (("secretKeyRef", "secret"), ("configMapKeyRef", "configmap")):
        if reference := source.get(key):
            entries = _entries(kind, reference, read)
            if reference["key"] in entries:
                return entries[reference["key"]].decode()
            if reference.get("optional"):
                return None
            raise ConfigError(f"couldn't find key {reference['key']} in {kind} {reference['name']}")
    if source:
        raise ConfigError(f"the test bed cannot read {', '.join(source)} (environment variable {entry['name']})")
    return str(entry.get("value", ""))


def _entries(kind: str, reference: Json, read: Reader) -> Mapping[str, bytes]:
    try:
        return read(kind, reference["name"])
    except ConfigError:
        if reference.get("optional"):
            return {}
        raise
