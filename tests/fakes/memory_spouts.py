"""The Spouts of a cluster in memory, as the API server keeps them."""

import asyncio
import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from spout_operator.core.errors import Outdated, Retryable, SpoutError
from spout_operator.core.model import SpoutKey
from spout_operator.core.reasons import Reason
from spout_operator.core.resource import SpoutResource

Body = dict[str, Any]
Tell = Callable[[str, Body], None]


class MemorySpouts:
    """The port `Spouts`, and what users do. `writes` lists what the operator wrote, in order."""

    def __init__(self) -> None:
        self.writes: list[str] = []
        self.refusals: dict[str | None, SpoutError] = {}
        """By namespace: why it cannot be listed."""
        self._bodies: dict[SpoutKey, Body] = {}
        self._watchers: list[Tell] = []
        self._version = 0
        self.conflicts = False
        """Whether somebody else is quicker with every write of finalizers."""
        self.reads = 0
        self.is_down = False
        """Whether nothing is answered."""
        self._hidden: set[SpoutKey] = set()
        self._failures = 0
        self._lost = 0
        self._withheld: list[tuple[str, Body]] | None = None
        self._go_on = asyncio.Event()
        self._go_on.set()

    # What the operator does.

    async def read(self, key: SpoutKey) -> SpoutResource | None:
        self._answer()
        self.reads += 1
        body = self.resource(key)
        return SpoutResource.from_body(body) if body is not None else None

    async def versions(self, namespace: str | None) -> Mapping[SpoutKey, int]:
        self._answer()
        if (refusal := self.refusals.get(namespace)) is not None:
            raise refusal
        return {
            key: int(body["metadata"]["resourceVersion"])
            for key, body in self._bodies.items()
            if namespace in {None, key.namespace}
        }

    async def write_status(self, key: SpoutKey, uid: str, status: Mapping[str, Any]) -> SpoutResource | None:
        self._answer()
        self.writes.append("status")
        # As a request does, it goes on where nobody waits for it any more.
        return await asyncio.shield(self._write_status(key, uid, status))

    async def _write_status(self, key: SpoutKey, uid: str, status: Mapping[str, Any]) -> SpoutResource | None:
        await self._go_on.wait()
        body = self._to_be_written(key, uid)
        if body is None:
            return None
        changed = copy.deepcopy(body)
        if body.get("status") != status:
            body["status"] = copy.deepcopy(dict(status))
            changed = self._changed(key)
        if self._lost:
            self._lost -= 1
            raise Retryable(Reason.INTERNAL_ERROR, "no answer, as asked for")
        return SpoutResource.from_body(changed)

    async def write_finalizers(
        self, key: SpoutKey, uid: str, resource_version: str, finalizers: Sequence[str]
    ) -> SpoutResource | None:
        self._answer()
        self.writes.append("finalizers")
        self._fail()
        body = self._bodies.get(key)
        if body is None:
            return None
        metadata = body["metadata"]
        # Another Spout of that name never has that version.
        if self.conflicts or (metadata["uid"], metadata["resourceVersion"]) != (uid, resource_version):
            raise Outdated("409 Conflict")
        there = metadata.get("finalizers", [])
        if "deletionTimestamp" in metadata and not set(finalizers) <= set(there):
            raise Retryable(Reason.INTERNAL_ERROR, "422 no new finalizers can be added: it is being deleted")
        if list(finalizers) == there:
            return SpoutResource.from_body(body)
        metadata["finalizers"] = list(finalizers)
        return SpoutResource.from_body(self._changed(key))

    def close(self) -> None:
        """Nothing is under way."""

    async def ended(self) -> None:
        """Nothing is under way."""

    # What users and the API server do.

    def resource(self, key: SpoutKey) -> Body | None:
        """The resource as a user sees it."""
        return copy.deepcopy(self._bodies.get(key))

    def watch(self, tell: Tell) -> None:
        """Send an event for each Spout, and for every change from now on."""
        self._watchers = [tell]
        for key, body in self._bodies.items():
            if key not in self._hidden:
                tell("ADDED", copy.deepcopy(body))

    def fail(self, times: int) -> None:
        """Make the next writes of the operator fail."""
        self._failures = times

    def lose_answers(self, times: int) -> None:
        """Execute the next writes of a status, and lose their answers."""
        self._lost = times

    def hang(self) -> None:
        """Make the next writes of a status wait until `release`."""
        self._go_on.clear()

    def release(self) -> None:
        """Let the waiting writes continue."""
        self._go_on.set()

    def withhold(self) -> None:
        """Hold back the events of the watch until `deliver`."""
        self._withheld = []

    def deliver(self) -> None:
        """Send the events that were held back, and those that come."""
        withheld, self._withheld = self._withheld or [], None
        withheld += [("ADDED", copy.deepcopy(self._bodies[key])) for key in self._hidden]
        self._hidden.clear()
        for kind, body in withheld:
            self._tell(kind, body)

    def hide(self, key: SpoutKey) -> None:
        """Hide an existing Spout from the next watch until `deliver`."""
        self._hidden.add(key)

    def label(self, key: SpoutKey) -> None:
        """Write a label, as another client may at any time."""
        self._bodies[key]["metadata"].setdefault("labels", {})["changed"] = str(self._version)
        self._changed(key)

    def create(self, body: Body) -> SpoutKey:
        key = SpoutResource.from_body(body).key
        self._bodies[key] = copy.deepcopy(body)
        self._changed(key)
        return key

    def edit(self, key: SpoutKey, **spec: Any) -> None:
        body = self._bodies[key]
        body["spec"] = {**body["spec"], **spec}
        body["metadata"]["generation"] += 1
        self._changed(key)

    def delete(self, key: SpoutKey) -> None:
        metadata = self._bodies[key]["metadata"]
        if "deletionTimestamp" not in metadata:
            metadata["deletionTimestamp"] = "2026-11-22T22:00:00Z"
            metadata["generation"] += 1
        self._changed(key)

    def purge(self, key: SpoutKey) -> None:
        """Delete a Spout at once: a user removes all finalizers."""
        self._bodies[key]["metadata"] |= {"deletionTimestamp": "2026-11-22T22:00:00Z", "finalizers": []}
        self._changed(key)

    def keys(self) -> list[SpoutKey]:
        """The keys of all Spouts."""
        return list(self._bodies)

    def vanish(self, key: SpoutKey) -> None:
        """Delete a Spout without an event, as during an interruption of the watch."""
        del self._bodies[key]

    def restore(self) -> None:
        """Reset all resource versions without an event, as a restored backup does."""
        for body in self._bodies.values():
            body["metadata"]["resourceVersion"] = "1"

    def snapshot(self) -> "MemorySpouts":
        """Another cluster with the same Spouts, uids and all, as one made from a snapshot of this one's etcd."""
        clone = MemorySpouts()
        clone._bodies, clone._version = copy.deepcopy(self._bodies), self._version
        return clone

    def status(self, key: SpoutKey) -> Body:
        return copy.deepcopy(self._bodies.get(key, {}).get("status", {}))

    def _answer(self) -> None:
        if self.is_down:
            raise Retryable(Reason.INTERNAL_ERROR, "nobody answers")

    def _to_be_written(self, key: SpoutKey, uid: str) -> Body | None:
        self._fail()
        body = self._bodies.get(key)
        return body if body is not None and body["metadata"]["uid"] == uid else None

    def _fail(self) -> None:
        if self._failures:
            self._failures -= 1
            raise Retryable(Reason.INTERNAL_ERROR, "500 as asked for")

    def _changed(self, key: SpoutKey) -> Body:
        body = self._bodies[key]
        self._version += 1
        body["metadata"]["resourceVersion"] = str(self._version)
        gone = "deletionTimestamp" in body["metadata"] and not body["metadata"].get("finalizers")
        if gone:
            del self._bodies[key]
        self._tell("DELETED" if gone else "MODIFIED", copy.deepcopy(body))
        return copy.deepcopy(body)

    def _tell(self, kind: str, body: Body) -> None:
        if self._withheld is not None:
            self._withheld.append((kind, body))
            return
        for tell in self._watchers:
            tell(kind, body)
