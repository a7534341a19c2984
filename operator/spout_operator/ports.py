"""What the runtime needs of the outside: a Pachyderm and the Spouts of a Kubernetes cluster.

The contracts are in the docstrings, and `tests/contract` holds every adapter to them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from spout_operator.core.model import Commit, Heads, Marker, Owner, Pipeline, PipelineSpec, SpoutKey
from spout_operator.core.status import Server


class Pachyderm(Protocol):
    """The pipelines of one Pachyderm.

    Every call blocks, has a deadline, may be repeated with the same outcome, and may come from any
    thread. What fails raises `core.errors` only: Unreachable where there was no answer in time,
    Stalled where a person has to act, Retryable for the rest. Observing never writes.
    """

    def server(self) -> Server:
        """Address and version. The version is asked once per connection.

        Raises:
            Stalled: UnsupportedPachyderm, where the server is not a 1.x.
        """

    def observe(self, name: str) -> Pipeline | None:
        """One pipeline with its `workers`; None where there is none."""

    def list(self) -> Mapping[str, Pipeline]:
        """All pipelines by name, in one call, `workers` being None."""

    def create(self, name: str, spec: PipelineSpec, owner: Owner) -> None:
        """Make a pipeline, stamped with its owner. One that exists is left as it is.

        Raises:
            Stalled: RepoExists, where a repo of that name is there: making the pipeline would detach
                its branch heads, the marker's among them (docs/pachyderm-1.13.md: both heads are gone after
                delete with keep_repo and create). PipelineLimitReached, PipelineRejected.
        """

    def update(self, name: str, spec: PipelineSpec, owner: Owner) -> None:
        """Give a pipeline a new version. The branch heads, and so the marker, are kept; the spout restarts.

        Never reprocesses: that would clear both heads.
        """

    def start(self, name: str) -> None:
        """Let a stopped pipeline run."""

    def stop(self, name: str) -> None:
        """Stop a pipeline; branch heads are kept."""

    def delete(self, name: str, *, keep_repo: bool) -> None:
        """Delete a pipeline; one that is gone already counts as deleted.

        Raises:
            Stalled: DeletionBlocked, where another pipeline reads the output repo.
        """

    def heads(self, name: str) -> Heads:
        """Where the output and the marker branch stand, in one cheap call."""

    def commits(self, name: str, head: str, *, since: str | None) -> Sequence[Commit]:
        """The ancestry of the commit `head`, newest first, down to but without the commit `since`.

        Where `since` is None, unknown, or no ancestor of `head`: down to the first commit.
        Costs as many steps as commits are returned.
        """

    def marker(self, name: str, path: str, head: str) -> Marker | None:
        """The marker at `path` in the commit `head` of the marker branch.

        None where there is nothing at that path, or the commit is not finished.
        """


class Spouts(Protocol):
    """The Spout resources of a cluster, each call one request with a deadline. Blocks, may come from any thread.

    All return the resource as it is afterwards, or None where it is gone (for the writes also: where
    there is another one of that name by now). What else fails raises Retryable.
    """

    def read(self, key: SpoutKey) -> Mapping[str, Any] | None:
        """The resource as the API server has it."""

    def write_status(self, key: SpoutKey, uid: str, status: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Replace the status."""

    def write_finalizers(
        self, key: SpoutKey, uid: str, resource_version: str, finalizers: Sequence[str]
    ) -> Mapping[str, Any] | None:
        """Replace the finalizers, provided that the resource is still of that version.

        Raises:
            Outdated: it is not.
        """
