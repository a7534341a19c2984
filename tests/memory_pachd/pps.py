"""The pipelines' half of the API."""
# ruff: noqa: N802 - the methods are named as the calls

import datetime
import json
import random
import re
import uuid
from collections.abc import Iterator
from typing import Any

from google.protobuf import empty_pb2
from python_pachyderm.proto.pps import pps_pb2_grpc

from spout_operator.pachyderm.v1.branches import MARKER_BRANCH, OUTPUT_BRANCH
from spout_operator.pachyderm.v1.sdk import pfs_pb2, pps_pb2
from tests.memory_pachd.store import SPEC_REPO, Refusal, Repo, Repos, now

# The generated modules are untyped.
Message = Any
LONGEST_NAME = 63
# src/server/pkg/path of Pachyderm 1.13.4: what makes a path a pattern.
GLOB = r"[*?\[\]{}!()@+^]"


class PpsService(pps_pb2_grpc.APIServicer):  # type: ignore[misc] # generated, untyped
    def __init__(self, repos: Repos, *, limit: int | None) -> None:
        self._repos = repos
        self._limit = limit
        self.pipelines: dict[str, Message] = {}

    def CreatePipeline(self, request: Message, _context: object) -> Message:
        """Make or update; an update of a pipeline that is not there makes it, as on the real server."""
        name = request.pipeline.name
        known = self.pipelines.get(name)
        _check(request)
        self._check_limit(request, known)
        # The real server treats an update of a pipeline whose spec it cannot read as a create.
        if known is not None and not (request.update and self._has_spec(known)):
            raise Refusal(f"pipeline {name} already exists")
        info = _info(request)
        repo = self._repos.setdefault(name, Repo(name=name))
        branches = [OUTPUT_BRANCH, *([MARKER_BRANCH] if request.spout.marker else [])]
        if known is None or request.reprocess:
            # Also in a repo that is there: its heads are lost.
            repo.branches |= dict.fromkeys(branches)
        repo.branches = dict.fromkeys(branches) | repo.branches
        if known is not None:
            info.version = known.version + 1
            info.stopped = known.stopped
        self._put(info)
        return empty_pb2.Empty()

    def InspectPipeline(self, request: Message, _context: object) -> Message:
        answer = pps_pb2.PipelineInfo()
        answer.CopyFrom(self.get_or_refuse(request.pipeline.name))
        self._check_spec(request.pipeline.name)
        return answer

    def ListPipeline(self, request: Message, _context: object) -> Message:
        """All pipelines without their workers; one with a lost spec, if requested, as etcd has it."""
        answer = pps_pb2.PipelineInfos()
        for name, info in self.pipelines.items():
            if not self._has_spec(info):
                if not request.allow_incomplete:
                    self._check_spec(name)
                answer.pipeline_info.add(
                    pipeline=info.pipeline, state=info.state, reason=info.reason, spec_commit=info.spec_commit
                )
                continue
            listed = answer.pipeline_info.add()
            listed.CopyFrom(info)
            listed.ClearField("workers_available")
            listed.ClearField("workers_requested")
            _shuffle(listed.transform.env)
            _shuffle(listed.metadata.annotations)
        return answer

    def GetLogs(self, request: Message, _context: object) -> Iterator[Message]:
        """The worker says that the user code was started, a minute before the pipeline was made: it runs since then."""
        line = pps_pb2.LogMessage(master=True, message="beginning to run user code")
        line.ts.FromDatetime(
            self.get_or_refuse(request.pipeline.name).created_at.ToDatetime() - datetime.timedelta(minutes=1)
        )
        return iter([line])

    def StartPipeline(self, request: Message, _context: object) -> Message:
        return self._set_stopped(request.pipeline.name, stopped=False)

    def StopPipeline(self, request: Message, _context: object) -> Message:
        return self._set_stopped(request.pipeline.name, stopped=True)

    def DeletePipeline(self, request: Message, _context: object) -> Message:
        """Delete; a missing pipeline is not a failure."""
        name = request.pipeline.name
        if name in self.pipelines:
            if not request.keep_repo:
                if not request.force:
                    self._check_readers(name)
                del self._repos[name]
            del self.pipelines[name]
        return empty_pb2.Empty()

    def get_or_refuse(self, name: str) -> Message:
        """A pipeline that has to be there."""
        if name not in self.pipelines:
            raise Refusal(f'pipeline "{name}" not found')
        return self.pipelines[name]

    def _set_stopped(self, name: str, *, stopped: bool) -> Message:
        info = self.get_or_refuse(name)
        self._check_spec(name)
        info.stopped = stopped
        self._put(info)
        return empty_pb2.Empty()

    def _put(self, info: Message) -> None:
        """Keep a spec as a new spec commit; the real server's controller sets the state soon after."""
        info.spec_commit.CopyFrom(pfs_pb2.Commit(repo=pfs_pb2.Repo(name=SPEC_REPO), id=uuid.uuid4().hex))
        info.state = pps_pb2.PIPELINE_PAUSED if info.stopped else pps_pb2.PIPELINE_STARTING
        self.pipelines[info.pipeline.name] = info

    def _check_spec(self, name: str) -> None:
        if not self._has_spec(self.pipelines[name]):
            raise Refusal(
                f"could not retrieve pipeline spec file from PFS for pipeline '{name}', there may be a problem "
                "reaching object storage, or the pipeline may need to be deleted and recreated"
            )

    def _has_spec(self, info: Message) -> bool:
        return info.spec_commit.id not in self._repos.lost_specs

    def _check_limit(self, request: Message, known: Message | None) -> None:
        """As validateEnterpriseChecks: an update passes only where the old spec tells its parallelism."""
        passes = False
        if known is not None and known.HasField("parallelism_spec"):
            if not request.HasField("parallelism_spec"):
                raise Refusal("transport is closing: the real server dereferences nil here, and crashes")
            passes = known.parallelism_spec.constant >= request.parallelism_spec.constant
        if self._limit is not None and len(self.pipelines) >= self._limit and not passes:
            raise Refusal(
                "Pachyderm Community Edition requires an activation key to create more than "
                f"{self._limit} total pipelines (you have {len(self.pipelines)}). "
                "Use the command `pachctl enterprise activate` to enter your key.\n\n"
                "Pachyderm offers readily available activation keys for proofs-of-concept, startups, academic, "
                "nonprofit, or open-source projects. Tell us about your project to get one.\n\n"
                "Learn about Pachyderm Enterprise here:\n\nhttps://www.pachyderm.com/trial"
            )

    def _check_readers(self, name: str) -> None:
        readers = [info.pipeline.name for info in self.pipelines.values() if info.input.pfs.repo == name]
        if readers:
            branches = " ".join(f'repo:<name:"{reader}" > name:"master" ' for reader in readers)
            raise Refusal(
                f'delete branch repo:<name:"{name}" > name:"master" : branch master has [{branches}] as subvenance, '
                "deleting it would break those branches"
            )


def _check(request: Message) -> None:
    """As validatePipelineRequest and validatePipelineInTransaction, api_server.go."""
    name = request.pipeline.name
    if not name:
        raise Refusal("invalid pipeline spec: request.Pipeline.Name cannot be empty")
    if not re.fullmatch("[a-zA-Z0-9_-]+", name):
        raise Refusal(
            f"invalid pipeline name: name ({name}) invalid: "
            "only alphanumeric characters, underscores, and dashes are allowed"
        )
    if len(name) > LONGEST_NAME:
        raise Refusal(f'pipeline name is {len(name)} characters long, but must have at most {LONGEST_NAME}: "{name}"')
    if name[0] in "_-":
        raise Refusal("pipeline names must start with an alphanumeric character")
    try:
        json.loads(request.pod_patch or "[]")
    except ValueError:
        raise Refusal("malformed PodPatch") from None
    marker = request.spout.marker
    if marker and (marker in {"out", ".", "/"} or not re.fullmatch(r"[ -~]+", marker) or re.search(GLOB, marker)):
        raise Refusal(f"the spout marker name must be a valid filename: {marker}")


def _info(request: Message) -> Message:
    """The pipeline that a request asks for, with the defaults that the operator can see."""
    info = pps_pb2.PipelineInfo(version=1, created_at=now(), workers_requested=1)
    for field, value in request.ListFields():
        if field.name in pps_pb2.PipelineInfo.DESCRIPTOR.fields_by_name:
            if field.message_type is None:
                setattr(info, field.name, value)
            else:
                getattr(info, field.name).CopyFrom(value)
    if info.spout.HasField("service") and not info.spout.service.type:
        info.spout.service.type = "NodePort"
    return info


def _shuffle(entries: Any) -> None:
    """Have a map written in another order each time, as Go does."""
    order = list(entries.items())
    random.shuffle(order)
    entries.clear()
    entries.update(order)
