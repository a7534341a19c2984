"""Spouts as a user handles them, over the official client."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from kubernetes import client

from tests.support.waiting import eventually

Body = dict[str, Any]
RESOURCE = {"group": "spout-operator.io", "version": "v1alpha1", "plural": "spouts"}


class Spouts:
    """The Spouts of one namespace."""

    def __init__(self, api_client: client.ApiClient, namespace: str, log: Path) -> None:
        self._api = client.CustomObjectsApi(api_client)
        self._place: dict[str, Any] = {
            "group": "spout-operator.io",
            "version": "v1alpha1",
            "plural": "spouts",
            "namespace": namespace,
        }
        self._log = log
        self.namespace = namespace

    def create(self, name: str, spec: Mapping[str, Any]) -> Body:
        """Make a Spout."""
        body = {"apiVersion": "spout-operator.io/v1alpha1", "kind": "Spout", "metadata": {"name": name}, "spec": spec}
        return cast("Body", self._api.create_namespaced_custom_object(**self._place, body=body))

    def edit(self, name: str, spec: Mapping[str, Any]) -> Body:
        """Merge into the spec."""
        return cast("Body", self._api.patch_namespaced_custom_object(**self._place, name=name, body={"spec": spec}))

    def patch(self, name: str, body: Mapping[str, Any]) -> Body:
        """Merge into the resource."""
        return cast("Body", self._api.patch_namespaced_custom_object(**self._place, name=name, body=dict(body)))

    def get(self, name: str) -> Body | None:
        """The Spout, None where it is gone."""
        try:
            return cast("Body", self._api.get_namespaced_custom_object(**self._place, name=name))
        except client.ApiException as error:
            if error.status == 404:
                return None
            raise

    def delete(self, name: str) -> None:
        """Ask for its deletion."""
        self._api.delete_namespaced_custom_object(**self._place, name=name)

    def wait(self, name: str, what: str, *, seconds: float = 60, **wanted: object) -> Body:
        """The status, once it is as wanted, about the newest generation.

        `wanted`: `ready`, `synced`, `stalled`, `reconciling` (the condition's status, None where it must be absent),
        `reason` (of Ready), `state`, `version`, `marker` (its value), `total` (commits, at least).
        """

        def look() -> Body | None:
            body = self.get(name)
            status: Body = (body or {}).get("status", {})
            if body is None or status.get("observedGeneration") != body["metadata"]["generation"]:
                return None
            seen = summary(status)
            at_least = wanted.get("total", 0)
            same = all(seen[key] == value for key, value in wanted.items() if key != "total")
            return status if same and seen["total"] >= at_least else None

        return eventually(look, what=f"{name}: {what} ({wanted})", seconds=seconds, details=lambda: self.details(name))

    def wait_gone(self, name: str, *, seconds: float = 30) -> None:
        """Wait until the Spout is gone."""
        eventually(
            lambda: self.get(name) is None,
            what=f"{name} to be gone",
            seconds=seconds,
            details=lambda: self.details(name),
        )

    def details(self, name: str) -> str:
        """What a failing test has to show."""
        body = self.get(name)
        log = self._log.read_text()[-4000:] if self._log.exists() else "(none)"
        return f"status: {(body or {}).get('status')}\n--- operator log\n{log}"


def summary(status: Mapping[str, Any]) -> dict[str, Any]:
    """What tests look for in a status."""
    conditions = {condition["type"]: condition for condition in status.get("conditions", [])}

    def of(kind: str) -> str | None:
        return conditions[kind]["status"] if kind in conditions else None

    return {
        "observed": status.get("observedGeneration"),
        "ready": of("Ready"),
        "synced": of("Synced"),
        "stalled": of("Stalled"),
        "reconciling": of("Reconciling"),
        "reason": conditions.get("Ready", {}).get("reason"),
        "state": status.get("pipeline", {}).get("state"),
        "version": status.get("pipeline", {}).get("version"),
        "marker": status.get("marker", {}).get("value"),
        "total": status.get("commits", {}).get("total", 0),
    }


def message(status: Mapping[str, Any], kind: str = "Ready") -> str:
    """The message of a condition."""
    return next(str(condition["message"]) for condition in status["conditions"] if condition["type"] == kind)
