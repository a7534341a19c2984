"""Spouts as a user handles them, over the official client."""

import http
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubernetes import client

from spout_testbed.harness.bodies import GROUP, PLURAL, VERSION, Body, a_spout
from spout_testbed.waiting import eventually


class Spouts:
    """The Spouts of one namespace."""

    def __init__(self, api_client: client.ApiClient, namespace: str, log: Path | None = None) -> None:
        """Handle the Spouts of `namespace`.

        Args:
            api_client: of the user.
            namespace: where they are.
            log: of the operator, for messages.
        """
        # The client's types say no more of a custom object than that it is one.
        self._api: Any = client.CustomObjectsApi(api_client)
        self._place = (GROUP, VERSION, namespace, PLURAL)
        self._log = log
        self.namespace = namespace

    def create(self, name: str, spec: Mapping[str, Any]) -> Body:
        """Create a Spout of a name and a spec."""
        created: Body = self._api.create_namespaced_custom_object(*self._place, a_spout(name=name, spec=spec))
        return created

    def create_whole(self, body: Body, **options: str) -> Body:
        """Create a Spout as it is written; a field that the schema does not know is an error."""
        created: Body = self._api.create_namespaced_custom_object(
            *self._place, body, field_validation="Strict", **options
        )
        return created

    def try_create(self, body: Body) -> Body:
        """Go through the same checks as `create_whole`, and keep nothing."""
        return self.create_whole(body, dry_run="All")

    def update(self, body: Body) -> Body:
        """Replace the Spout, whatever its resourceVersion; the status stays as it is."""
        updated: Body = self._api.replace_namespaced_custom_object(*self._over_current(body))
        return updated

    def update_status(self, body: Body) -> Body:
        """Replace the Spout through its status subresource; the spec stays as it is."""
        updated: Body = self._api.replace_namespaced_custom_object_status(*self._over_current(body))
        return updated

    def edit(self, name: str, spec: Mapping[str, Any]) -> Body:
        """Merge into the spec."""
        return self.patch(name, {"spec": spec})

    def patch(self, name: str, body: Mapping[str, Any]) -> Body:
        """Merge into the resource."""
        patched: Body = self._api.patch_namespaced_custom_object(*self._place, name, dict(body))
        return patched

    def get(self, name: str) -> Body | None:
        """The Spout, None where it is gone."""
        try:
            found: Body = self._api.get_namespaced_custom_object(*self._place, name)
        except client.ApiException as error:
            if error.status == http.HTTPStatus.NOT_FOUND:
                return None
            raise
        return found

    def delete(self, name: str) -> None:
        """Ask for its deletion."""
        self._api.delete_namespaced_custom_object(*self._place, name)

    def status_as(self, name: str, **wanted: object) -> Body | None:
        """The status if it is as wanted (see `wait`), else None."""
        body = self.get(name)
        status: Body = (body or {}).get("status", {})
        if body is None or status.get("observedGeneration") != body["metadata"]["generation"]:
            return None
        seen = summary(status)
        at_least = wanted.get("total", 0)
        same = all(seen[key] == value for key, value in wanted.items() if key != "total")
        return status if same and seen["total"] >= at_least else None

    def wait(self, name: str, what: str, *, seconds: float = 60, **wanted: object) -> Body:
        """The status, once it is as wanted, about the newest generation.

        `wanted`: `ready`, `synced`, `stalled`, `reconciling`, `fresh` (the condition's status, None where it must be
        absent), `reason` (of Ready), `state`, `version`, `marker` (its value), `total` (commits, at least).
        """
        return eventually(
            lambda: self.status_as(name, **wanted),
            what=f"{name}: {what} ({wanted})",
            seconds=seconds,
            details=lambda: self.details(name),
        )

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
        log = self._log.read_text()[-4000:] if self._log is not None and self._log.exists() else "(none)"
        return f"status: {(body or {}).get('status')}\n--- operator log\n{log}"

    def _over_current(self, body: Body) -> tuple[object, ...]:
        where = (*self._place, body["metadata"]["name"])
        version = self._api.get_namespaced_custom_object(*where)["metadata"]["resourceVersion"]
        return (*where, {**body, "metadata": {**body["metadata"], "resourceVersion": version}})


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
        "fresh": of("Fresh"),
        "reason": conditions.get("Ready", {}).get("reason"),
        "state": status.get("pipeline", {}).get("state"),
        "version": status.get("pipeline", {}).get("version"),
        "marker": status.get("marker", {}).get("value"),
        "total": status.get("commits", {}).get("total", 0),
    }


def message(status: Mapping[str, Any], kind: str = "Ready") -> str:
    """The message of a condition."""
    return next(str(condition["message"]) for condition in status["conditions"] if condition["type"] == kind)
