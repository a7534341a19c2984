"""Reads pipelines, branches and commits off the answers of Pachyderm 2."""

import datetime
from collections.abc import Iterator, Mapping

from spout_operator.core.model import Commit, Pipeline, PipelineName, PipelineSpec, PipelineState
from spout_operator.pachyderm import owners, wire
from spout_operator.pachyderm.v2 import codec
from spout_operator.pachyderm.v2.client import USER_REPO
from spout_operator.pachyderm.v2.sdk import number, pfs, pps

# pps.proto PipelineState, by number.
_STATES = (
    PipelineState.UNKNOWN,
    PipelineState.STARTING,
    PipelineState.RUNNING,
    PipelineState.RESTARTING,
    PipelineState.FAILURE,
    PipelineState.PAUSED,
    PipelineState.STANDBY,
    PipelineState.CRASHING,
)

_INFO = {
    field: number(pps.PipelineInfo, field)
    for field in ("version", "stopped", "state", "reason", "user_spec_json", "effective_spec_json", "metadata")
}
_NAME = number(pps.PipelineInfo, "pipeline"), number(pps.Pipeline, "name")
_PROJECT = number(pps.PipelineInfo, "pipeline"), number(pps.Pipeline, "project"), number(pfs.Project, "name")
_SPEC_COMMIT = number(pps.PipelineInfo, "spec_commit"), number(pfs.Commit, "id")
_DETAILS = number(pps.PipelineInfo, "details")
_CREATED_AT = number(pps.PipelineInfoDetails, "created_at")
_AVAILABLE = number(pps.PipelineInfoDetails, "workers_available")
_REQUESTED = number(pps.PipelineInfoDetails, "workers_requested")

_BRANCH_NAME = number(pfs.BranchInfo, "branch"), number(pfs.Branch, "name")
_BRANCH_HEAD = number(pfs.BranchInfo, "head"), number(pfs.Commit, "id")

_COMMIT = number(pfs.CommitInfo, "commit")
_ID = number(pfs.Commit, "id")
_REPO = number(pfs.Commit, "repo")
_PARENT = number(pfs.CommitInfo, "parent_commit")
_FINISHED = number(pfs.CommitInfo, "finished")
_FINISHING = number(pfs.CommitInfo, "finishing")
_UPPER_BOUND = number(pfs.CommitInfo, "size_bytes_upper_bound")
_ORIGIN, _KIND = number(pfs.CommitInfo, "origin"), number(pfs.CommitOrigin, "kind")
_COMMIT_DETAILS, _SIZE = number(pfs.CommitInfo, "details"), number(pfs.CommitInfoDetails, "size_bytes")
_SET_ID = number(pfs.CommitSetInfo, "commit_set"), number(pfs.CommitSet, "id")
_SET_COMMITS = number(pfs.CommitSetInfo, "commits")
#: google/protobuf/timestamp.proto; and the fields of the entries of each map.
_SECONDS = 1
_KEY, _VALUE = 1, 2


class Pipelines:
    """Reads PipelineInfos, of whose specs only those are parsed that were not there before. For any thread."""

    def __init__(self) -> None:
        self._specs: Mapping[str, tuple[PipelineSpec | None, Mapping[str, str]]] = {}

    def read_all(self, infos: Iterator[bytes]) -> Mapping[PipelineName, Pipeline]:
        """All pipelines by name. What is kept of other ones is forgotten."""
        kept: dict[str, tuple[PipelineSpec | None, Mapping[str, str]]] = {}
        found = [self._read(info, kept) for info in infos]
        self._specs = kept
        return {pipeline.name: pipeline for pipeline in found}

    def read_one(self, info: bytes) -> Pipeline:
        """One pipeline, with its workers where they are known."""
        return self._read(info, {}, with_workers=True)

    def _read(
        self,
        info: bytes,
        kept: dict[str, tuple[PipelineSpec | None, Mapping[str, str]]],
        *,
        with_workers: bool = False,
    ) -> Pipeline:
        # Before 2.8 there was no user spec; a server that was upgraded may have none of an old pipeline.
        text = wire.text(info, _INFO["user_spec_json"]) or wire.text(info, _INFO["effective_spec_json"])
        kept[text] = self._specs.get(text) or (codec.spec_from(text), codec.annotations_of(text))
        spec, annotations = kept[text]
        details = next(wire.values(info, _DETAILS), b"")
        state = wire.number(info, _INFO["state"])
        requested = wire.number(details, _REQUESTED)
        return Pipeline(
            name=PipelineName(project=wire.text(info, *_PROJECT), name=wire.text(info, *_NAME)),
            spec=spec,
            # Given with the spec, or to a pipeline that had none: `PachydermV2.take_over`.
            owner=owners.owner_from(annotations) or owners.owner_from(_map(info, _INFO["metadata"])),
            version=wire.number(info, _INFO["version"]),
            spec_commit=wire.text(info, *_SPEC_COMMIT),
            state=_STATES[state] if state < len(_STATES) else PipelineState.UNKNOWN,
            reason=wire.text(info, _INFO["reason"]),
            stopped=bool(wire.number(info, _INFO["stopped"])),
            created_at=_moment(details, _CREATED_AT),
            workers=(wire.number(details, _AVAILABLE), requested) if with_workers and requested else None,
        )


def head(info: bytes) -> tuple[str, str | None]:
    """The name of the branch of a BranchInfo, and its head; None where it has none."""
    return wire.text(info, *_BRANCH_NAME), wire.text(info, *_BRANCH_HEAD) or None


def commit(info: bytes) -> Commit:
    """A CommitInfo; its size is an upper bound while it is not known."""
    details = next(wire.values(info, _COMMIT_DETAILS), b"")
    origin = next(wire.values(info, _ORIGIN), b"")
    finished_at = _moment(info, _FINISHED)
    return Commit(
        id=wire.text(info, _COMMIT, _ID),
        parent=wire.text(info, _PARENT, _ID) or None,
        finished_at=finished_at,
        size=wire.number(details, _SIZE) or wire.number(info, _UPPER_BOUND),
        is_automatic=wire.number(origin, _KIND) == pfs.OriginKind.AUTO,
        is_finishing=finished_at is None and _moment(info, _FINISHING) is not None,
    )


def commit_set(info: bytes) -> tuple[str, list[tuple[PipelineName, bool]]]:
    """The id of a CommitSetInfo, and of each of its commits in a repo of data the name, and whether it is finished."""
    found = []
    for each in wire.values(info, _SET_COMMITS):
        repo = next(wire.values(next(wire.values(each, _COMMIT), b""), _REPO), b"")
        if wire.text(repo, number(pfs.Repo, "type")) != USER_REPO:
            continue
        project = wire.text(repo, number(pfs.Repo, "project"), number(pfs.Project, "name"))
        name = PipelineName(project=project, name=wire.text(repo, number(pfs.Repo, "name")))
        found.append((name, _moment(each, _FINISHED) is not None))
    return wire.text(info, *_SET_ID), found


def _map(message: bytes, field: int) -> dict[str, str]:
    return {wire.text(entry, _KEY): wire.text(entry, _VALUE) for entry in wire.values(message, field)}


def _moment(message: bytes, field: int) -> datetime.datetime | None:
    found = next(wire.values(message, field), None)
    if found is None:
        return None
    return datetime.datetime.fromtimestamp(wire.number(found, _SECONDS), tz=datetime.UTC)
