"""What the runtime needs of a Pachyderm."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Protocol

from spout_operator.core.activity import Activity
from spout_operator.core.marker import Marker, MarkerLimits
from spout_operator.core.model import Commit, Heads, Owner, Pipeline, PipelineName, PipelineSpec
from spout_operator.core.server import Server


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
