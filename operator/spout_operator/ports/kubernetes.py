"""What the runtime needs of a Kubernetes cluster: its Spouts, their watches and Events, and a Lease."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from spout_operator.core.events import Event
from spout_operator.core.lease import Lease
from spout_operator.core.model import SpoutKey
from spout_operator.core.resource import SpoutResource


class Spouts(Protocol):
    """The Spout resources of a cluster. Each request has a deadline.

    All return the resource as it is afterwards, or None where it is gone. What else fails raises Retryable.
    """

    async def read(self, key: SpoutKey) -> SpoutResource | None:
        """The resource as the API server has it."""

    async def versions(self, namespace: str | None) -> Mapping[SpoutKey, int]:
        """The resource version of every Spout of a namespace, or of all where it is None.

        Raises:
            NamespaceUnavailable: the namespace is not there, or its Spouts may not be listed.
        """

    async def write_status(self, key: SpoutKey, uid: str, status: Mapping[str, Any]) -> SpoutResource | None:
        """Replace the status; None also where there is another Spout of that name by now."""

    async def write_finalizers(
        self, key: SpoutKey, uid: str, resource_version: str, finalizers: Sequence[str]
    ) -> SpoutResource | None:
        """Replace the finalizers, provided that the resource is still of that version.

        Raises:
            Outdated: it is not, or there is another Spout of that name by now.
        """

    def close(self) -> None:
        """Take no more calls; those under way end by their deadline."""

    async def ended(self) -> None:
        """Return when no call is under way; after `close`."""


class Events(Protocol):
    """The Kubernetes Events of the cluster, for people who look at a Spout. Each request has a deadline."""

    async def write(self, key: SpoutKey, uid: str, event: Event, at: datetime.datetime) -> None:
        """Write an Event of a Spout, which may be gone by now.

        The same Event of the same Spout within a few minutes makes a series of the first one: its count grows. A call
        that is repeated with the same `at` writes nothing more.

        Raises:
            EventRefused: the API server refuses it, and would refuse it again.
            Retryable: it did not answer, or not now.
        """

    def close(self) -> None:
        """Take no more calls; those under way end by their deadline."""

    async def ended(self) -> None:
        """Return when no call is under way; after `close`."""


HandleEvent = Callable[[str | None, SpoutResource], None]
"""Takes an event of a watch: its type (None for what was there before the watch began) and the resource."""


class Informer(Protocol):
    """The watches of the Spouts, one for each namespace that is watched, or one for all (None)."""

    async def run(self, handle_event: HandleEvent) -> None:
        """Watch until the task is cancelled. A watch that ends for whatever reason is made anew, with growing pauses.

        `handle_event` is called in the event loop that runs this.
        """

    def troubles(self) -> Mapping[str | None, str | None]:
        """By namespace: why its Spouts cannot be watched now, None where they are watched."""


class Leases(Protocol):
    """One Lease, each call one request with a deadline well below the Lease's, one after the other.

    A call whose caller was cancelled is carried out all the same, before those that were made after it.

    What fails raises Retryable.
    """

    async def read(self) -> Lease | None:
        """The Lease, None where there is none."""

    async def write(self, lease: Lease) -> Lease:
        """Make the Lease where there is none, else replace its `version`; returns it as it is then.

        Raises:
            Outdated: somebody else was quicker.
        """

    def close(self) -> None:
        """Take no more calls; those under way end by their deadline."""
