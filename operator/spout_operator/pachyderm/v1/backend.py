"""The port `Pachyderm` over python-pachyderm 6.3.3, for Pachyderm 1.13."""

import datetime
import functools
from collections.abc import Mapping, Sequence

from spout_operator.blocking import BlockingCalls, in_thread
from spout_operator.core.activity import Activity
from spout_operator.core.errors import Retryable, Stalled
from spout_operator.core.marker import Marker, MarkerLimits
from spout_operator.core.model import DEFAULT_PROJECT, Commit, Heads, Owner, Pipeline, PipelineName, PipelineSpec
from spout_operator.core.reasons import Reason
from spout_operator.core.server import Capabilities, Server
from spout_operator.pachyderm import failures
from spout_operator.pachyderm.connection import Clients, Connection
from spout_operator.pachyderm.requests import Requests
from spout_operator.pachyderm.v1 import activity, branches, check, codec, errors
from spout_operator.pachyderm.v1.client import DeadlineClient
from spout_operator.pachyderm.v1.listing import Listing
from spout_operator.pachyderm.v1.marker_files import read_marker
from spout_operator.pachyderm.v1.words import Kind, kind_of

#: The release that `tests/contract` runs against (docs/decisions/0009-supported-pachyderm.md).
SUPPORTED = (1, 13, 4)
CAPABILITIES = Capabilities(
    marker=True,
    # Measured on 1.13.4: the worker then fails for ever with "file not found in repo at commit", because it looks for
    # the new name in the old marker, while the state is RUNNING.
    marker_can_change=False,
    overwrite=True,
    # 1.13.4, api_server.go setPipelineDefaults.
    service_type="NodePort",
    projects=False,
    tolerations=False,
    sidecar_resource_requests=False,
    takes_over_without_restart=False,
)
#: Of a pipeline that is made.
FIRST_VERSION = 1
#: Calls at a time: as many as the controller has reconciles and head reads under way.
THREADS = 12


class PachydermV1:
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
            translate=lambda error, doing, _: errors.translate(error, doing=doing, address=self._address),
            ask_version=self._ask_version,
        )
        self._listing = Listing()

    @in_thread
    def server(self) -> Server:
        version = self._requests.version()
        return Server(address=self._address, version=version, capabilities=CAPABILITIES)

    @in_thread
    def observe(self, name: PipelineName) -> Pipeline | None:
        return self._observe(name)

    def _observe(self, name: PipelineName) -> Pipeline | None:
        if name.project != DEFAULT_PROJECT:
            return None
        with self._requests.call(f"read the pipeline {name!r}", absent=Kind.NOT_FOUND) as client:
            return client.observe_pipeline(name.name, self._listing.read_one)
        return None

    @in_thread
    def list(self) -> Mapping[PipelineName, Pipeline]:
        with self._requests.call("list the pipelines") as client:
            return client.list_pipelines(self._listing.read)

    @in_thread
    def check(self, name: PipelineName, spec: PipelineSpec) -> None:
        if found := list(check.findings(name.name, spec)):
            raise Stalled(Reason.INVALID_SPEC, "; ".join(found))

    @in_thread
    def create(self, name: PipelineName, spec: PipelineSpec, owner: Owner) -> int | None:
        with self._requests.call(f"look for the repo {name!r}", absent=Kind.NOT_FOUND) as client:
            client.inspect_repo(name.name)
            if self._observe(name) is not None:
                return None
            raise Stalled(
                Reason.REPO_EXISTS,
                f"the repo {name!r} exists without a pipeline; creating the pipeline would detach the heads of its "
                f"branches, the marker's too. If its data is not needed: pachctl delete repo {name.name}; "
                "otherwise make this Spout anew with another spec.name",
            )
        with self._requests.write(f"create the pipeline {name!r}", absent=Kind.ALREADY_EXISTS) as client:
            client.create_pipeline(name.name, **codec.create_request(spec, owner))
            return FIRST_VERSION
        return None

    @in_thread
    def update(self, name: PipelineName, spec: PipelineSpec, owner: Owner) -> int:
        with self._requests.call(f"read the pipeline {name!r}", absent=Kind.NOT_FOUND) as client:
            info = client.inspect_pipeline(name.name)
            request = {**codec.create_request(spec, owner), **codec.kept_in_update(info)}
            with self._requests.write(f"update the pipeline {name!r}"):
                client.create_pipeline(name.name, update=True, reprocess=False, **request)
            # 1.13.4, api_server.go: the new version is the old one plus one.
            return int(info.version) + 1
        # The server would make it anew then, and both branch heads would be gone.
        raise Retryable(Reason.PACHYDERM_ERROR, f"the pipeline {name!r} is gone; the operator observes it again")

    async def take_over(self, name: PipelineName, owner: Owner) -> None:
        message = f"this version of Pachyderm cannot give the pipeline {name!r} to {owner.spout} without an update"
        raise Stalled(Reason.UNSUPPORTED_BY_SERVER, message)

    @in_thread
    def start(self, name: PipelineName) -> None:
        with self._requests.write(f"start the pipeline {name!r}") as client:
            client.start_pipeline(name.name)

    @in_thread
    def stop(self, name: PipelineName) -> None:
        with self._requests.write(f"stop the pipeline {name!r}") as client:
            client.stop_pipeline(name.name)

    @in_thread
    def delete(self, name: PipelineName, *, keep_repo: bool) -> None:
        with self._requests.write(f"delete the pipeline {name!r}", absent=Kind.NOT_FOUND) as client:
            client.delete_pipeline(name.name, keep_repo=keep_repo)

    @in_thread
    def heads(self, name: PipelineName) -> Heads:
        with self._requests.call(f"list the branches of the repo {name!r}", absent=Kind.NOT_FOUND) as client:
            return client.list_branches(name.name, branches.heads)
        return Heads()

    async def recently_committed(self) -> None:
        """1.13.4 lists the commits of one repo at a time."""

    async def finish(self, name: PipelineName, commit: str) -> None:
        raise AssertionError(f"1.13.4 makes no commits by itself; found {commit!r} of {name!r}")

    @in_thread
    def commits(self, name: PipelineName, head: str, *, since: str | None, most: int) -> Sequence[Commit]:
        if head == since:
            return []
        if since is not None and not self._has_commit(name, since):
            since = None
        with self._requests.call(f"list the commits of the repo {name!r}") as client:
            from_commit = (name.name, since) if since is not None else None
            found = client.list_commit(name.name, to_commit=(name.name, head), from_commit=from_commit, number=most)
            return [codec.commit(info) for info in found]

    @in_thread
    def marker(self, name: PipelineName, path: str, head: str, *, limits: MarkerLimits) -> Marker | None:
        with self._requests.call(f"read the marker {path!r} of {name!r}") as client:
            commit = codec.commit(client.inspect_commit((name.name, head)))
            return read_marker(client, name.name, path, commit, limits) if commit.finished_at is not None else None

    @in_thread
    def activity(self, name: PipelineName, *, since: datetime.datetime | None, last_lines: int = 0) -> Activity:
        doing = f"read the log of the worker of {name!r}"
        with self._requests.call(doing) as client:
            return activity.read(client, name, since=since, last_lines=last_lines, doing=doing)

    def close(self) -> None:
        self.calls.close()

    async def ended(self) -> None:
        await self.calls.ended()

    def _has_commit(self, name: PipelineName, commit: str) -> bool:
        with self._requests.call(f"read the commit {commit!r} of {name!r}", absent=Kind.NOT_FOUND) as client:
            client.inspect_commit((name.name, commit))
            return True
        return False

    def _ask_version(self, client: DeadlineClient) -> str:
        found = client.get_remote_version()
        release, version = codec.release(found), codec.version_text(found)
        if release != SUPPORTED:
            upgrade = "1.13.4, the last patch release of 1.13" if release < SUPPORTED else None
            raise failures.unsupported(version, address=self._address, upgrade=upgrade)
        return version
