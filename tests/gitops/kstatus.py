"""The rules of kstatus for a resource it does not know by kind.

As in kubernetes-sigs/cli-utils at 5895ad6c, pkg/kstatus/status: checkGenericProperties and checkGeneration in
generic.go, checkReadyCondition in status.go. It is what Flux waits by.
"""

from typing import Any


def status(body: dict[str, Any]) -> str:
    """Terminating, InProgress, Failed or Current."""
    if body["metadata"].get("deletionTimestamp"):
        return "Terminating"
    found = body.get("status", {})
    observed = found.get("observedGeneration")
    if observed is not None and observed != body["metadata"]["generation"]:
        return "InProgress"
    conditions = {condition["type"]: condition["status"] for condition in found.get("conditions", ())}
    if conditions.get("Reconciling") == "True":
        return "InProgress"
    if conditions.get("Stalled") == "True":
        return "Failed"
    if "Ready" in conditions:
        return "Current" if conditions["Ready"] == "True" else "InProgress"
    return "Current"
