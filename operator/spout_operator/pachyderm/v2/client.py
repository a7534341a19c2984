"""The calls to Pachyderm 2 that the adapter makes, each with a deadline, on one channel."""

import datetime
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from spout_operator.core.model import PipelineName
from spout_operator.pachyderm.connection import Connection
from spout_operator.pachyderm.v2.sdk import Empty, metadata, number, pfs, pps, version

T = TypeVar("T")

#: Where a spout's data goes unless its spec says otherwise, and the operator's never does.
OUTPUT_BRANCH = "master"
#: The type of a repo that holds data, beside those that pachd makes for itself.
USER_REPO = "user"
#: A ListPipelineRequest. 2.12 sends the details in any case, and its SDK warns of the field; earlier releases need it.
_WITH_DETAILS = bytes((number(pps.ListPipelineRequest, "details") << 3, True))


class DeadlineClient:
    """Takes the names of pipelines; what an answer is made into is told by the caller, who gets its bytes."""

    def __init__(self, connection: Connection, token: str, root_certs: bytes | None) -> None:
        self._connection = connection
        self._metadata = [("authn-token", token)] if token else []
        self._channel = connection.channel(root_certs)

    def version(self) -> Any:  # noqa: ANN401 - betterproto's
        """The Version of the server."""
        return self._unary("versionpb_v2", "GetVersion", Empty(), version.Version.FromString)

    def pipeline(self, name: PipelineName, read: Callable[[bytes], T]) -> T:
        """What `read` makes of a PipelineInfo, with its workers."""
        request = pps.InspectPipelineRequest(pipeline=_pipeline(name), details=True)
        return self._unary("pps_v2", "InspectPipeline", request, read)

    def pipelines(self, read: Callable[[bytes], T]) -> Iterator[T]:
        """What `read` makes of the PipelineInfo of each pipeline of each project."""
        return self._stream("pps_v2", "ListPipeline", _WITH_DETAILS, read)

    def create_pipeline(self, spec: str, *, update: bool = False) -> None:
        """Create a pipeline, or give it a new version, as a JSON spec says."""
        request = pps.CreatePipelineV2Request(create_pipeline_request_json=spec, update=update, reprocess=False)
        self._unary("pps_v2", "CreatePipelineV2", request, bytes)

    def start_pipeline(self, name: PipelineName) -> None:
        """Start a pipeline."""
        self._unary("pps_v2", "StartPipeline", pps.StartPipelineRequest(pipeline=_pipeline(name)), bytes)

    def stop_pipeline(self, name: PipelineName) -> None:
        """Stop a pipeline."""
        request = pps.StopPipelineRequest(pipeline=_pipeline(name), must_exist=True)
        self._unary("pps_v2", "StopPipeline", request, bytes)

    def delete_pipeline(self, name: PipelineName, *, keep_repo: bool) -> None:
        """Delete a pipeline, which has to be there."""
        request = pps.DeletePipelineRequest(pipeline=_pipeline(name), keep_repo=keep_repo, must_exist=True)
        self._unary("pps_v2", "DeletePipeline", request, bytes)

    def add_metadata(self, name: PipelineName, added: dict[str, str]) -> None:
        """Add keys, none of which is there, to the metadata that a pipeline has beside its spec; all or none."""
        project = pfs.ProjectPicker(name=name.project)
        picker = pps.PipelinePicker(name=pps.PipelinePickerPipelineName(project=project, name=name.name))
        edits = [
            metadata.Edit(pipeline=picker, add_key=metadata.EditAddKey(key=key, value=value))
            for key, value in added.items()
        ]
        self._unary("metadata", "EditMetadata", metadata.EditMetadataRequest(edits=edits), bytes)

    def repo(self, name: PipelineName) -> None:
        """Look whether the output repo is there."""
        self._unary("pfs_v2", "InspectRepo", pfs.InspectRepoRequest(repo=_repo(name)), bytes)

    def branches(self, name: PipelineName, read: Callable[[bytes], T]) -> Iterator[T]:
        """What `read` makes of the BranchInfo of each branch of the output repo."""
        return self._stream("pfs_v2", "ListBranch", pfs.ListBranchRequest(repo=_repo(name)), read)

    def commit(self, name: PipelineName, commit: str, read: Callable[[bytes], T]) -> T:
        """What `read` makes of the CommitInfo of a commit of the output repo."""
        return self._unary("pfs_v2", "InspectCommit", pfs.InspectCommitRequest(commit=_commit(name, commit)), read)

    def finish_commit(self, name: PipelineName, commit: str) -> None:
        """Finish a commit of the output repo."""
        self._unary("pfs_v2", "FinishCommit", pfs.FinishCommitRequest(commit=_commit(name, commit)), bytes)

    def commits(
        self, name: PipelineName, head: str, *, since: str | None, most: int, read: Callable[[bytes], T]
    ) -> Iterator[T]:
        """What `read` makes of the CommitInfos down from a head, newest first."""
        request = pfs.ListCommitRequest(
            repo=_repo(name),
            to=_commit(name, head),
            from_=_commit(name, since) if since is not None else None,
            number=most,
            all=True,
        )
        return self._stream("pfs_v2", "ListCommit", request, read)

    def commit_sets(self, read: Callable[[bytes], T]) -> Iterator[T]:
        """What `read` makes of the CommitSetInfos of all projects, newest first; close it when it has told enough."""
        return self._stream("pfs_v2", "ListCommitSet", pfs.ListCommitSetRequest(), read)

    def worker_log(
        self, name: PipelineName, *, most: int, back: datetime.timedelta, within: float, read: Callable[[bytes], T]
    ) -> Iterator[T]:
        """What `read` makes of the LogMessages of a worker, the oldest first, those of the user code among them.

        Args:
            name: of the pipeline.
            most: so many last lines of the log.
            back: how long ago the oldest one may have been written.
            within: the deadline, in seconds.
            read: takes the bytes of a LogMessage.
        """
        request = pps.GetLogsRequest(pipeline=_pipeline(name), master=True, tail=most, since=back)
        return self._stream("pps_v2", "GetLogs", request, read, within=within)

    def _unary(self, service: str, name: str, request: Any, read: Callable[[bytes], T]) -> T:  # noqa: ANN401 - betterproto's
        method = self._channel.unary_unary(
            f"/{service}.API/{name}", request_serializer=bytes, response_deserializer=read
        )
        found: T = self._connection.send(method, name, request, self._metadata)
        return found

    def _stream(
        self,
        service: str,
        name: str,
        request: Any,  # noqa: ANN401 - betterproto's
        read: Callable[[bytes], T],
        *,
        within: float | None = None,
    ) -> Iterator[T]:
        method = self._channel.unary_stream(
            f"/{service}.API/{name}", request_serializer=bytes, response_deserializer=read
        )
        call = self._connection.send(method, name, request, self._metadata, within=within)
        try:
            yield from call
        finally:
            call.cancel()


def _pipeline(name: PipelineName) -> Any:  # noqa: ANN401 - betterproto's
    return pps.Pipeline(project=pfs.Project(name=name.project), name=name.name)


def _repo(name: PipelineName) -> Any:  # noqa: ANN401 - betterproto's
    return pfs.Repo(project=pfs.Project(name=name.project), name=name.name, type=USER_REPO)


def _commit(name: PipelineName, commit: str) -> Any:  # noqa: ANN401 - betterproto's
    return pfs.Commit(repo=_repo(name), id=commit)
