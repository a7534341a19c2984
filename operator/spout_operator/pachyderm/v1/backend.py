"""The port `Pachyderm` over python-pachyderm 6.3.3, for Pachyderm 1.13."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence

import grpc

from spout_operator.core.errors import Retryable, Stalled
from spout_operator.core.model import Commit, Heads, Marker, Owner, Pipeline, PipelineSpec
from spout_operator.core.reasons import Reason
from spout_operator.core.status.build import Server
from spout_operator.pachyderm.v1 import branches, check, codec, errors
from spout_operator.pachyderm.v1.client import Clients, Connection, DeadlineClient
from spout_operator.pachyderm.v1.listing import Listing
from spout_operator.pachyderm.v1.marker_files import read_marker
from spout_operator.pachyderm.v1.words import Kind, kind_of

#: The release that `tests/contract` runs against (docs/decisions/0009-supported-pachyderm.md).
SUPPORTED = (1, 13, 4)


class PachydermV1:
    """See `spout_operator.ports.Pachyderm` for the contract."""

    def __init__(self, connection: Connection) -> None:
        self._clients = Clients(connection)
        self._address = connection.pachd.url
        self._version: str | None = None
        self._listing = Listing()

    def server(self) -> Server:
        return Server(address=self._address, version=self._version or self._ask_version())

    def observe(self, name: str) -> Pipeline | None:
        with self._call(f"read the pipeline {name!r}", absent=Kind.NOT_FOUND) as client:
            return client.observe_pipeline(name, self._listing.read_one)
        return None

    def list(self) -> Mapping[str, Pipeline]:
        with self._call("list the pipelines") as client:
            return client.list_pipelines(self._listing.read)

    def check(self, name: str, spec: PipelineSpec) -> None:
        if found := list(check.findings(name, spec)):
            raise Stalled(Reason.INVALID_SPEC, "; ".join(found))

    def create(self, name: str, spec: PipelineSpec, owner: Owner) -> bool:
        with self._call(f"look for the repo {name!r}", absent=Kind.NOT_FOUND) as client:
            client.inspect_repo(name)
            if self.observe(name) is not None:
                return False
            raise Stalled(
                Reason.REPO_EXISTS,
                f"the repo {name!r} exists without a pipeline; creating the pipeline would detach the heads of its "
                f"branches, the marker's too. If its data is not needed: pachctl delete repo {name}; "
                "otherwise make this Spout anew with another spec.name",
            )
        with self._write(f"create the pipeline {name!r}", absent=Kind.ALREADY_EXISTS) as client:
            client.create_pipeline(name, **codec.create_request(spec, owner))
            return True
        return False

    def update(self, name: str, spec: PipelineSpec, owner: Owner) -> None:
        with self._call(f"read the pipeline {name!r}", absent=Kind.NOT_FOUND) as client:
            kept = codec.kept_in_update(client.inspect_pipeline(name))
            with self._write(f"update the pipeline {name!r}"):
                client.create_pipeline(name, update=True, reprocess=False, **codec.create_request(spec, owner), **kept)
            return
        # The server would make it anew then, and both branch heads would be gone.
        raise Retryable(Reason.PACHYDERM_ERROR, f"the pipeline {name!r} is gone; it is looked at again")

    def start(self, name: str) -> None:
        with self._write(f"start the pipeline {name!r}") as client:
            client.start_pipeline(name)

    def stop(self, name: str) -> None:
        with self._write(f"stop the pipeline {name!r}") as client:
            client.stop_pipeline(name)

    def delete(self, name: str, *, keep_repo: bool) -> None:
        with self._write(f"delete the pipeline {name!r}", absent=Kind.NOT_FOUND) as client:
            client.delete_pipeline(name, keep_repo=keep_repo)

    def heads(self, name: str) -> Heads:
        with self._call(f"list the branches of the repo {name!r}", absent=Kind.NOT_FOUND) as client:
            return client.list_branches(name, branches.heads)
        return Heads()

    def commits(self, name: str, head: str, *, since: str | None, most: int) -> Sequence[Commit]:
        if head == since:
            return []
        if since is not None and not self._has_commit(name, since):
            since = None
        with self._call(f"list the commits of the repo {name!r}") as client:
            from_commit = (name, since) if since is not None else None
            found = client.list_commit(name, to_commit=(name, head), from_commit=from_commit, number=most)
            return [codec.commit(info) for info in found]

    def marker(self, name: str, path: str, head: str) -> Marker | None:
        with self._call(f"read the marker {path!r} of {name!r}") as client:
            commit = codec.commit(client.inspect_commit((name, head)))
            return read_marker(client, name, path, commit) if commit.finished_at is not None else None

    def _has_commit(self, name: str, commit: str) -> bool:
        with self._call(f"read the commit {commit!r} of {name!r}", absent=Kind.NOT_FOUND) as client:
            client.inspect_commit((name, commit))
            return True
        return False

    def _ask_version(self) -> str:
        """The version of the server, which is one that this adapter was tested with.

        Raises:
            Stalled: UnsupportedPachyderm, where it is another.
        """
        self._version = None
        with self._call("ask the version") as client:
            found = client.get_remote_version()
        release, version = codec.release(found), codec.version_text(found)
        if release != SUPPORTED:
            raise errors.unsupported(version, is_older=release < SUPPORTED, address=self._address)
        self._version = version
        return version

    @contextlib.contextmanager
    def _write(self, doing: str, *, absent: Kind | None = None) -> Iterator[DeadlineClient]:
        """As `_call`, of a server that was asked right before which version it is.

        Not what it was at the last look: a Pod that is replaced between two looks costs no call its answer.
        """
        self._ask_version()
        with self._call(doing, absent=absent) as client:
            yield client

    @contextlib.contextmanager
    def _call(self, doing: str, *, absent: Kind | None = None) -> Iterator[DeadlineClient]:
        """The client, for one call, whose failure becomes one of ours.

        Args:
            doing: what is asked, for messages.
            absent: the kind of failure that is an answer here: the body is left in silence.
        """
        try:
            yield self._clients.current()
        except OSError as error:
            raise Retryable(
                Reason.PACHYDERM_ERROR, f"could not {doing}: {error}; see that the file is there and can be read"
            ) from error
        except grpc.RpcError as error:
            kind = kind_of(error)
            if kind is Kind.UNREACHABLE:
                # It may come back as another version.
                self._version = None
            if absent is not None and kind is absent:
                return
            raise errors.translate(error, doing=doing, address=self._address) from error
