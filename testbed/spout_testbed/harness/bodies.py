"""Spouts as a user writes them."""

import copy
from collections.abc import Mapping
from typing import Any

Body = dict[str, Any]

GROUP, VERSION, PLURAL = "spout-operator.io", "v1alpha1", "spouts"

#: In the changes given to a builder: take the field away.
ABSENT = object()


def a_spec(changes: Mapping[str, object] | None = None) -> Body:
    """The smallest spec that the API server takes, with changes.

    Args:
        changes: from the dotted path of a field to its value, or to `ABSENT`.
    """
    spec: Body = {
        "transform": {"image": "myaccount/myimage:0.1", "cmd": ["go", "run", "./main.go"]},
        "spout": {},
    }
    for path, value in (changes or {}).items():
        _change(spec, path, value)
    return spec


def a_spout(
    changes: Mapping[str, object] | None = None,
    *,
    name: str = "my-spout",
    spec: Mapping[str, Any] | None = None,
    **metadata: Any,  # noqa: ANN401 - each field has a type of its own
) -> Body:
    """A whole Spout.

    Args:
        changes: to the spec, as `a_spec` takes them.
        name: metadata.name.
        spec: the spec; by default that of `a_spec`.
        metadata: further fields of the metadata, in Kubernetes' own spelling.
    """
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "Spout",
        "metadata": {"name": name, **metadata},
        "spec": a_spec(changes) if spec is None else copy.deepcopy(dict(spec)),
    }


def _change(spec: Body, path: str, value: object) -> None:
    *parents, field = path.split(".")
    place = spec
    for parent in parents:
        place = place.setdefault(parent, {})
    if value is ABSENT:
        place.pop(field, None)
    else:
        place[field] = copy.deepcopy(value)
