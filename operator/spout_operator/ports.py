"""What the runtime needs of the outside: a Pachyderm and the Spouts of a Kubernetes cluster.

The contracts are in the docstrings, and `tests/contract` holds every adapter to them.
"""

import datetime
import enum
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from spout_operator.core.activity import Activity
from spout_operator.core.events import Event
from spout_operator.core.lease import Lease
from spout_operator.core.model import (
    Commit,
    Heads,
    Marker,
    MarkerLimits,
    Owner,
    Pipeline,
    PipelineName,
    PipelineSpec,
    SpoutKey,
)
from spout_operator.core.reasons import Reason
from spout_operator.core.resource import SpoutResource
from spout_operator.core.server import Server

Permit = Callable[[], float]
"""Seconds for which a request may still be under way. Raises NotLeading where none may be made any more.

May be called from any thread. Both adapters ask it right before each request, and bound the request by the answer: a
process that was paused in between must not write when it goes on.
"""


class Pachyderm(Protocol):
    """The pipelines of one Pachyderm.

    Every call has a deadline and may be repeated with the same outcome; an adapter owns the threads that it needs.
    What fails raises `core.errors` only: Unreachable where there was no answer in time, Stalled where a person has to
    act, Retryable for the rest. Observing never writes. Each write asks for the version first, and raises
    UnsupportedPachyderm, as `server` does, instead of writing to a server of another.
    """

    async def server(self) -> Server:
        """Address, version and capabilities, as they were when the server was last asked.

        It is asked at the first call, after an outage, and before a write.

        Raises:
            Stalled: UnsupportedPachyderm, where it is a version that the adapter was not tested with.
        """

    async def observe(self, name: PipelineName) -> Pipeline | None:
        """One pipeline with its `workers`; None where there is none.

        Raises:
            Unreadable: it is there, and its spec, with the owner in it, cannot be read.
        """

    async def list(self) -> Mapping[PipelineName, Pipeline]:
        """All pipelines by name, in one call, `workers` being None.

        One whose spec cannot be read is among them, its `spec` and its `owner` being None.
        """

    async def check(self, name: PipelineName, spec: PipelineSpec) -> None:
        """Check what is about to be created or updated for what this server accepts and then cannot run.

        Asks nobody. Whoever creates or updates calls it before: some of what it finds would end the server.

        Raises:
            Stalled: InvalidSpec, with every finding and its field.
        """

    async def create(self, name: PipelineName, spec: PipelineSpec, owner: Owner) -> int | None:
        """Make a pipeline with owner annotations. One that exists is left as it is.

        Returns:
            The version of the pipeline that this call made; None where it made none.

        Raises:
            Stalled: RepoExists, where a repo of that name is there: making the pipeline would detach
                its branch heads, the marker's among them (docs/pachyderm-1.13.md: both heads are gone after
                delete with keep_repo and create). PipelineLimitReached, PipelineRejected.
        """

    async def update(self, name: PipelineName, spec: PipelineSpec, owner: Owner) -> int:
        """Give a pipeline a new version. The branch heads, and so the marker, are kept; the spout restarts.

        Never reprocesses: that would clear both heads.

        Returns:
            The new version, if nobody else updated the pipeline at the same moment.
        """

    async def take_over(self, name: PipelineName, owner: Owner) -> None:
        """Give a pipeline without an owner this one, and change nothing else: it runs on.

        Only where the server can (`Capabilities.takes_over_without_restart`); elsewhere `update` gives it.

        Raises:
            Stalled: PipelineNotOwned, where it has an owner by now.
        """

    async def start(self, name: PipelineName) -> None:
        """Let a stopped pipeline run."""

    async def stop(self, name: PipelineName) -> None:
        """Stop a pipeline; branch heads are kept."""

    async def delete(self, name: PipelineName, *, keep_repo: bool) -> None:
        """Delete a pipeline; one that is gone already counts as deleted.

        Raises:
            Stalled: DeletionBlocked, where another pipeline reads the output repo.
        """

    async def heads(self, name: PipelineName) -> Heads:
        """Where the output and the marker branch stand, in one cheap call."""

    async def recently_committed(self) -> frozenset[PipelineName] | None:
        """The pipelines whose commits may have changed since the call before this one, in one call to the server.

        At the first call, and where the adapter lost count, all pipelines that have commits. A commit that was open
        at one call is told of again when it is finished. None where the server cannot tell of all pipelines at once.
        """

    async def finish(self, name: PipelineName, commit: str) -> None:
        """Finish a commit that the server made by itself and left open; one that is finished already stays as it is.

        Only for commits that `commits` tells to be automatic and open. While one is open, a spout commits into it, and
        nobody sees what it holds.
        """

    async def commits(self, name: PipelineName, head: str, *, since: str | None, most: int) -> Sequence[Commit]:
        """At most `most` commits of the ancestry of `head`, newest first, down to but without the commit `since`.

        Where `since` is None, unknown, or no ancestor of `head`: down to the first commit. What comes after them
        begins at the parent of the last one. Costs as many steps as commits are returned.

        Raises:
            Missing: there is no commit `head`.
        """

    async def marker(self, name: PipelineName, path: str, head: str, *, limits: MarkerLimits) -> Marker | None:
        """The marker at `path` in the commit `head` of the marker branch; absent where there is nothing at that path.

        None where that cannot be told yet, as the commit is not finished.

        Raises:
            Missing: there is no commit `head`.
        """

    async def activity(self, name: PipelineName, *, since: datetime.datetime | None, last_lines: int = 0) -> Activity:
        """What the worker says of the user code since then, or in all of its log where `since` is None.

        The newest stop after `since` has the last lines that the user code wrote before it, at most `last_lines` of
        them. Which lines these are is the server's word. With 0, no line of the user code leaves the adapter.

        Bounded in lines, bytes and time, so the answer may begin later than `since`. Where the log is not to be had,
        for whatever reason but that Pachyderm does not answer at all, `unknown` says why, and nothing is raised.
        Without events, and with `unknown` None, nothing was said since `since`.

        Dear to the server, which makes few requests to Kubernetes in a second and needs them for its pipelines: the
        caller asks seldom, of one pipeline at a time, and with pauses (docs/pachyderm-1.13.md, the worker's log).
        """

    def close(self) -> None:
        """Take no more calls; those under way end by their deadline."""

    async def ended(self) -> None:
        """Return when no call is under way; after `close`."""


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


class Result(enum.StrEnum):
    """How a reconcile ended; a label of the metrics."""

    SETTLED = "settled"
    AGAIN = "again"
    GONE = "gone"
    OUTDATED = "outdated"
    RETRYABLE = "retryable"
    STALLED = "stalled"
    UNREACHABLE = "unreachable"


@dataclass(kw_only=True, slots=True)
class Outcome:
    """Of one reconcile; filled in by it."""

    result: Result = Result.SETTLED
    reason: Reason | None = None


class Dropped(enum.StrEnum):
    """Why an Event was not written; a label of the metrics."""

    QUEUE_FULL = "queue_full"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


System = Literal["pachyderm", "kubernetes"]


class Telemetry(Protocol):
    """Is told what happens, for metrics and traces. Never raises, never blocks, may come from any thread."""

    def reconciling(self, key: SpoutKey) -> AbstractContextManager[Outcome]:
        """Around one reconcile."""

    def requesting(self, system: System, method: str, resource: str = "") -> Callable[[str], None]:
        """A request goes out; the returned function wants to be told, once, the code that it ended with."""

    def waited(self, queue: str, seconds: float) -> None:
        """A key was taken from a queue, so long after it was due."""

    def dropped_event(self, why: Dropped) -> None:
        """A Kubernetes Event is not written."""
