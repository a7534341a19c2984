"""The port `Pachyderm` over python-pachyderm 6.3.3, for Pachyderm 1.13."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence

import grpc

from spout_operator.core.errors import Retryable, Stalled
from spout_operator.core.model import Commit, Heads, Marker, Owner, Pipeline, PipelineSpec
from spout_operator.core.reasons import Reason
from spout_operator.core.status import Server
from spout_operator.pachyderm.v1 import codec, errors
from spout_operator.pachyderm.v1.client import Clients, Connection, DeadlineClient
from spout_operator.pachyderm.v1.errors import Kind
from spout_operator.pachyderm.v1.marker import read_marker


class PachydermV1:
    """See `spout_operator.ports.Pachyderm` for the contract."""

    def __init__(self, connection: Connection) -> None:
        self._clients = Clients(connection)
        self._address = connection.pachd.url
        self._version: str | None = None

    def server(self) -> Server:
        if self._version is None:
            with self._call("ask the version") as client:
                found = client.get_remote_version()
                self._version = f"{found.major}.{found.minor}.{found.micro}{found.additional}"
        return Server(address=self._address, version=self._version)

    def observe(self, name: str) -> Pipeline | None:
        with self._call(f"read the pipeline {name!r}", absent=Kind.NOT_FOUND) as client:
            return codec.pipeline(client.inspect_pipeline(name), with_workers=True)
        return None

    def list(self) -> Mapping[str, Pipeline]:
        with self._call("list the pipelines") as client:
            # One pipeline whose spec cannot be read must not hide the others.
            found = client.list_pipeline(allow_incomplete=True).pipeline_info
            return {info.pipeline.name: codec.pipeline(info, with_workers=False) for info in found}

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
        with self._call(f"create the pipeline {name!r}", absent=Kind.ALREADY_EXISTS, rejects=True) as client:
            client.create_pipeline(name, **codec.create_request(spec, owner))
            return True
        return False

    def update(self, name: str, spec: PipelineSpec, owner: Owner) -> None:
        with self._call(f"read the pipeline {name!r}", absent=Kind.NOT_FOUND) as client:
            kept = codec.kept_in_update(client.inspect_pipeline(name))
            with self._call(f"update the pipeline {name!r}", rejects=True):
                client.create_pipeline(name, update=True, reprocess=False, **codec.create_request(spec, owner), **kept)
            return
        # The server would make it anew then, and both branch heads would be gone.
        raise Retryable(Reason.PACHYDERM_ERROR, f"the pipeline {name!r} is gone; it is looked at again")

    def start(self, name: str) -> None:
        with self._call(f"start the pipeline {name!r}") as client:
            client.start_pipeline(name)

    def stop(self, name: str) -> None:
        with self._call(f"stop the pipeline {name!r}") as client:
            client.stop_pipeline(name)

    def delete(self, name: str, *, keep_repo: bool) -> None:
        with self._call(f"delete the pipeline {name!r}", absent=Kind.NOT_FOUND) as client:
            client.delete_pipeline(name, keep_repo=keep_repo)

    def heads(self, name: str) -> Heads:
        with self._call(f"list the branches of the repo {name!r}", absent=Kind.NOT_FOUND) as client:
            return codec.heads(client.list_branch(name))
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
        with self._call(f"read the marker {path!r} of {name!r}", absent=Kind.NOT_FOUND) as client:
            commit = codec.commit(client.inspect_commit((name, head)))
            return read_marker(client, name, path, commit) if commit.finished_at is not None else None
        return None

    def _has_commit(self, name: str, commit: str) -> bool:
        with self._call(f"read the commit {commit!r} of {name!r}", absent=Kind.NOT_FOUND) as client:
            client.inspect_commit((name, commit))
            return True
        return False

    @contextlib.contextmanager
    def _call(self, doing: str, *, absent: Kind | None = None, rejects: bool = False) -> Iterator[DeadlineClient]:
        """The client, for one call, whose failure becomes one of ours.

        Args:
            doing: what is asked, for messages.
            absent: the kind of failure that is an answer here: the body is left in silence.
            rejects: whether a failure that is none of the known ones means that the server does not take the spec.
        """
        try:
            yield self._clients.current()
        except OSError as error:
            raise Retryable(
                Reason.PACHYDERM_ERROR, f"could not {doing}: {error}; see that the file is there and can be read"
            ) from error
        except grpc.RpcError as error:
            kind = errors.kind_of(error)
            if kind is Kind.UNREACHABLE:
                # It may come back as another version.
                self._version = None
            if absent is not None and kind is absent:
                return
            if rejects and kind is Kind.OTHER:
                said = error.details() or ""
                raise Stalled(
                    Reason.PIPELINE_REJECTED, f"could not {doing}: Pachyderm refuses it", said=said
                ) from error
            raise errors.translate(error, doing=doing, address=self._address) from error
