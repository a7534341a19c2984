"""The pipelines as the server sends them, poll after poll, of which only what changed is parsed."""

import dataclasses
import hashlib
from collections.abc import Mapping

from spout_operator.core.model import Pipeline, PipelineName
from spout_operator.pachyderm import wire
from spout_operator.pachyderm.v1 import codec
from spout_operator.pachyderm.v1.sdk import pps_pb2

_INFO = pps_pb2.PipelineInfo.DESCRIPTOR
_INFOS = pps_pb2.PipelineInfos.DESCRIPTOR.fields_by_name["pipeline_info"].number
_SHAPE = wire.shape_of(_INFO)
_AVAILABLE, _REQUESTED = (_INFO.fields_by_name[f"workers_{name}"].number for name in ("available", "requested"))
#: Only InspectPipeline tells of them.
_WORKERS = frozenset((_AVAILABLE, _REQUESTED))
#: Bytes: enough that two different pipelines never have the same digest.
_DIGEST = 16


class Listing:
    """Keeps the pipelines of the last list by a digest of what the server sent. May be used from any thread."""

    def __init__(self) -> None:
        self._last: Mapping[bytes, Pipeline] = {}

    def read(self, answer: bytes) -> Mapping[PipelineName, Pipeline]:
        """The pipelines of a serialized PipelineInfos by name; one that is as it was is the same object as before.

        Raises:
            ValueError, or protobuf's DecodeError: these bytes are no PipelineInfos.
        """
        last, now = self._last, {}
        for info in wire.values(answer, _INFOS):
            digest = _digest(info)
            now[digest] = last.get(digest) or _parse(info)
        self._last = now
        return {pipeline.name: pipeline for pipeline in now.values()}

    def read_one(self, answer: bytes) -> Pipeline:
        """The pipeline of a serialized PipelineInfo, with its workers; one that is as it was listed has the same spec.

        Raises:
            ValueError, or protobuf's DecodeError: these bytes are no PipelineInfo.
        """
        pipeline = self._last.get(_digest(answer)) or _parse(answer)
        available, requested = wire.number(answer, _AVAILABLE), wire.number(answer, _REQUESTED)
        return dataclasses.replace(pipeline, workers=codec.workers(available, requested))


def _digest(info: bytes) -> bytes:
    return hashlib.blake2b(wire.canonical(info, _SHAPE, without=_WORKERS), digest_size=_DIGEST).digest()


def _parse(info: bytes) -> Pipeline:
    return codec.pipeline(pps_pb2.PipelineInfo.FromString(info))
