"""Builds Spout objects, and asks the API server about them."""

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, NamedTuple

from kubernetes import client

from tests.integration.crd.older_servers import in_pinned_words

Manifest = dict[str, Any]

GROUP, VERSION, PLURAL = "spout-operator.io", "v1alpha1", "spouts"

ABSENT = object()
"""In the changes given to `a_spout`: take the field away."""


class Refusal(NamedTuple):
    """One thing that the API server found wrong: the path of the field, and what it says about it."""

    field: str
    message: str


def a_spout(changes: Mapping[str, object] | None = None, *, name: str = "my-spout") -> Manifest:
    """The smallest Spout that is accepted, with `changes` made to its spec.

    Args:
        changes: from the dotted path of a field below `spec` to its value, or to `ABSENT`.
        name: metadata.name.
    """
    spec: Manifest = {
        "transform": {"image": "myaccount/myimage:0.1", "cmd": ["go", "run", "./main.go"]},
        "spout": {},
    }
    for path, value in (changes or {}).items():
        *parents, field = path.split(".")
        place = spec
        for parent in parents:
            place = place.setdefault(parent, {})
        if value is ABSENT:
            del place[field]
        else:
            place[field] = deepcopy(value)
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "Spout",
        "metadata": {"name": name},
        "spec": spec,
    }


class Spouts:
    """The Spouts of one namespace."""

    def __init__(self, kube: client.ApiClient, namespace: str) -> None:
        # The client's types say no more of a custom object than that it is one.
        self._api: Any = client.CustomObjectsApi(kube)
        self._place = (GROUP, VERSION, namespace, PLURAL)

    def create(self, spout: Manifest, **options: str) -> Manifest:
        """Create the object; a field that the schema does not know is an error."""
        created: Manifest = self._api.create_namespaced_custom_object(
            *self._place, spout, field_validation="Strict", **options
        )
        return created

    def try_create(self, spout: Manifest) -> Manifest:
        """Go through the same checks as `create`, and keep nothing."""
        return self.create(spout, dry_run="All")

    def update(self, spout: Manifest) -> Manifest:
        """Replace the object, whatever its resourceVersion; the status stays as it is."""
        updated: Manifest = self._api.replace_namespaced_custom_object(*self._over_current(spout))
        return updated

    def update_status(self, spout: Manifest) -> Manifest:
        """Replace the object through its status subresource; the spec stays as it is."""
        updated: Manifest = self._api.replace_namespaced_custom_object_status(*self._over_current(spout))
        return updated

    def _over_current(self, spout: Manifest) -> tuple[object, ...]:
        where = (*self._place, spout["metadata"]["name"])
        version = self._api.get_namespaced_custom_object(*where)["metadata"]["resourceVersion"]
        return (*where, {**spout, "metadata": {**spout["metadata"], "resourceVersion": version}})


def refusals(error: client.ApiException) -> list[Refusal]:
    """What the API server found wrong with an object it refused."""
    causes = json.loads(error.body or "{}")["details"]["causes"]
    # A missing field or a wrong type keeps the CEL rules from being run, which is told in a remark without a field.
    return [
        Refusal(*in_pinned_words(cause["field"], cause["message"])) for cause in causes if cause["field"] != "<nil>"
    ]
