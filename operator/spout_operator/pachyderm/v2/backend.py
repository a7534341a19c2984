"""The port `Pachyderm` over the messages of pachyderm-sdk 2.12.2, for Pachyderm 2.8 to 2.12."""

import contextlib
import dataclasses
import datetime
import functools
import re
from collections.abc import Mapping, Sequence
from typing import NoReturn

from spout_operator.blocking import BlockingCalls, in_thread
from spout_operator.core.activity import Activity
from spout_operator.core.errors import Missing, Retryable, Stalled
from spout_operator.core.marker import MarkerLimits
from spout_operator.core.model import Commit, Heads, Owner, Pipeline, PipelineName, PipelineSpec
from spout_operator.core.reasons import Reason
from spout_operator.core.server import Capabilities, Server
from spout_operator.pachyderm import failures, owners
from spout_operator.pachyderm.connection import Clients, Connection
from spout_operator.pachyderm.requests import Requests
from spout_operator.pachyderm.v2 import activity, answers, check, codec, errors
from spout_operator.pachyderm.v2.changes import Changes
from spout_operator.pachyderm.v2.client import OUTPUT_BRANCH, DeadlineClient
from spout_operator.pachyderm.v2.words import Kind, kind_of

CAPABILITIES = Capabilities(
    marker=False,
    marker_can_change=False,
    overwrite=False,
    service_type=codec.SERVICE_TYPE,
    projects=True,
    tolerations=True,
    sidecar_resource_requests=True,
    takes_over_without_restart=True,
)
#: The oldest and the newest minor release that the adapter serves.
OLDEST, NEWEST = (2, 8), (2, 12)
#: Major and minor. EditMetadata came with it (src/metadata/metadata.proto).
FIRST_WITH_METADATA = (2, 10)
#: Of a pipeline that is made.
FIRST_VERSION = 1
#: src/internal/uuid: what does not look like this is taken for a branch, and 2.12.2 panics over one that is not there.
COMMIT_ID = re.compile(r"[0-9a-f]{12}4[0-9a-f]{19}")
#: Calls at a time: with more, 2.12.2 creates pipelines more slowly, and fails some (docs/pachyderm-2.12.md).
THREADS = 2


class PachydermV2:
    """See `spout_operator.ports.Pachyderm` for the contract."""

    def __init__(self, connection: Connection, *, calls: BlockingCalls | None = None) -> None:
        """Connect at the first call.

        Args:
            connection: where to.
            calls: where the calls run; a pool of `THREADS` where there is none.
        """
        self.calls = calls or BlockingCalls("pachyderm", threads=THREADS)
        self._address = connection.pachd.url
        self._requests = Requests(
            Clients(connection, functools.partial(DeadlineClient, connection)),
            kind_of=kind_of,
            translate=lambda error, doing, name: errors.translate(error, doing=doing, address=self._address, name=name),
            ask_version=self._ask_version,
        )
        self._pipelines = answers.Pipelines()
        self._changes = Changes()
        self._listed: frozenset[PipelineName] | None = None
        """The pipelines of the list that `recently_committed` can still use: one is as old as the poll that made it."""

    @in_thread
    def server(self) -> Server:
        version = self._requests.version()
        return Server(address=self._address, version=version, capabilities=capabilities_of(version))

    @in_thread
    def observe(self, name: PipelineName) -> Pipeline | None:
        return self._observe(name)

    def _observe(self, name: PipelineName) -> Pipeline | None:
        with self._requests.call(f"read the pipeline {name!r}", name, absent=Kind.NOT_FOUND) as client:
            return client.pipeline(name, self._pipelines.read_one)
        return None

    @in_thread
    def list(self) -> Mapping[PipelineName, Pipeline]:
        with self._requests.call("list the pipelines") as client:
            found = self._pipelines.read_all(client.pipelines(bytes))
        self._listed = frozenset(found)
        return found

    @in_thread
    def check(self, name: PipelineName, spec: PipelineSpec) -> None:
        if found := list(check.findings(name, spec)):
            raise Stalled(Reason.INVALID_SPEC, "; ".join(found))

    @in_thread
    def create(self, name: PipelineName, spec: PipelineSpec, owner: Owner) -> int | None:
        with self._requests.write(f"create the pipeline {name!r}", name, absent=Kind.ALREADY_EXISTS) as client:
            client.create_pipeline(codec.spec_json(name, spec, owner))
            return FIRST_VERSION
        return None

    @in_thread
    def update(self, name: PipelineName, spec: PipelineSpec, owner: Owner) -> int:
        found = self._observe(name)
        if found is None:
            # The server would make it anew then.
            raise Retryable(Reason.PACHYDERM_ERROR, f"the pipeline {name!r} is gone; the operator observes it again")
        with self._requests.write(f"update the pipeline {name!r}", name) as client:
            client.create_pipeline(codec.spec_json(name, spec, owner), update=True)
        return found.version + 1

    @in_thread
    def take_over(self, name: PipelineName, owner: Owner) -> None:
        doing = f"give the pipeline {name!r} to {owner.spout}"
        found = self._observe(name)
        if found is None:
            raise Missing(f"could not {doing}: it is gone")
        if found.owner == owner:
            return
        if found.owner is not None:
            raise Stalled(Reason.PIPELINE_NOT_OWNED, f"could not {doing}: it belongs to {found.owner.spout}")
        with self._requests.write(doing, name) as client:
            # Refused where somebody else was quicker; it is observed again then.
            client.add_metadata(name, owners.owner_annotations(owner))

    @in_thread
    def start(self, name: PipelineName) -> None:
        with self._requests.write(f"start the pipeline {name!r}", name) as client:
            client.start_pipeline(name)
            self._finish_automatic_head(client, name)

    @in_thread
    def stop(self, name: PipelineName) -> None:
        with self._requests.write(f"stop the pipeline {name!r}", name) as client:
            client.stop_pipeline(name)

    @in_thread
    def delete(self, name: PipelineName, *, keep_repo: bool) -> None:
        with self._requests.write(f"delete the pipeline {name!r}", name, absent=Kind.NOT_FOUND) as client:
            client.delete_pipeline(name, keep_repo=keep_repo)

    @in_thread
    def heads(self, name: PipelineName) -> Heads:
        with self._requests.call(f"list the branches of the repo {name!r}", name, absent=Kind.NOT_FOUND) as client:
            found = dict(client.branches(name, answers.head))
            return Heads(output=found.get(OUTPUT_BRANCH))
        return Heads()

    @in_thread
    def recently_committed(self) -> frozenset[PipelineName] | None:
        listed, self._listed = self._listed, None
        with self._requests.call("list the commit sets") as client:
            sets = client.commit_sets(answers.commit_set)
            with contextlib.closing(sets):  # type: ignore[type-var] # a generator
                changed, is_all = self._changes.read(sets)
            if not is_all and listed is None:
                listed = frozenset(self._pipelines.read_all(client.pipelines(bytes)))
        # A pipeline that was made since the list has its commits among the newest sets.
        return changed if is_all else changed | (listed or frozenset())

    @in_thread
    def finish(self, name: PipelineName, commit: str) -> None:
        doing = f"finish the commit {commit!r} of {name!r}"
        with self._requests.write(doing, name, absent=Kind.ALREADY_FINISHED) as client:
            client.finish_commit(name, commit)

    @in_thread
    def commits(self, name: PipelineName, head: str, *, since: str | None, most: int) -> Sequence[Commit]:
        if head == since:
            return []
        if since is not None and not self._has_commit(name, since):
            since = None
        with self._requests.call(f"list the commits of the repo {name!r}", name) as client:
            found = list(client.commits(name, head, since=since, most=most, read=answers.commit))
        self._changes.saw(name, found)
        return found

    async def marker(self, name: PipelineName, path: str, head: str, *, limits: MarkerLimits) -> NoReturn:  # noqa: ARG002 - the port's
        raise Stalled(
            Reason.UNSUPPORTED_BY_SERVER, f"could not read the marker of {name!r}: Pachyderm 2 keeps no marker"
        )

    @in_thread
    def activity(self, name: PipelineName, *, since: datetime.datetime | None, last_lines: int = 0) -> Activity:
        doing = f"read the log of the worker of {name!r}"
        with self._requests.call(doing, name) as client:
            return activity.read(client, name, since=since, last_lines=last_lines, doing=doing)

    def close(self) -> None:
        self.calls.close()

    async def ended(self) -> None:
        await self.calls.ended()

    def _finish_automatic_head(self, client: DeadlineClient, name: PipelineName) -> None:
        """Finish the commit that StartPipeline opened on the output branch and left open.

        Whatever the spout wrote would go into that commit, and nobody would ever see it (docs/pachyderm-2.12.md).
        """
        head = dict(client.branches(name, answers.head)).get(OUTPUT_BRANCH)
        if head is not None and client.commit(name, head, answers.commit).is_left_open:
            client.finish_commit(name, head)

    def _has_commit(self, name: PipelineName, commit: str) -> bool:
        if not COMMIT_ID.fullmatch(commit):
            return False
        with self._requests.call(f"read the commit {commit!r} of {name!r}", name, absent=Kind.NOT_FOUND) as client:
            client.commit(name, commit, bytes)
            return True
        return False

    def _ask_version(self, client: DeadlineClient) -> str:
        found = client.version()
        minor = (found.major, found.minor)
        version = f"{found.major}.{found.minor}.{found.micro}{found.additional}"
        if not OLDEST <= minor <= NEWEST:
            upgrade = "2.8 or later" if minor < OLDEST else None
            raise failures.unsupported(version, address=self._address, upgrade=upgrade)
        return version


def capabilities_of(version: str) -> Capabilities:
    """What a server of a version can do, for example of `2.12.2`."""
    major, minor = version.split(".")[:2]
    has_metadata = (int(major), int(minor)) >= FIRST_WITH_METADATA
    return dataclasses.replace(CAPABILITIES, takes_over_without_restart=has_metadata)
