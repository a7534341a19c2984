"""The answers to ListPipeline, tick after tick, of which only what changed is parsed."""

import hashlib
from collections.abc import Mapping

from spout_operator.core.model import Pipeline
from spout_operator.pachyderm.v1 import codec, wire
from spout_operator.pachyderm.v1.sdk import pps_pb2

_INFOS = pps_pb2.PipelineInfos.DESCRIPTOR.fields_by_name["pipeline_info"].number
_SHAPE = wire.shape_of(pps_pb2.PipelineInfo.DESCRIPTOR)
#: Bytes: enough that two different pipelines never have the same digest.
_DIGEST = 16


class Listing:
    """Keeps the pipelines of the last answer by a digest of what the server sent. May be used from any thread."""

    def __init__(self) -> None:
        self._last: Mapping[bytes, Pipeline] = {}

    def read(self, answer: bytes) -> Mapping[str, Pipeline]:
        """The pipelines of a serialized PipelineInfos by name; one that is as it was is the same object as before.

        Raises:
            ValueError, or protobuf's DecodeError: these bytes are no PipelineInfos.
        """
        last, now = self._last, {}
        for info in wire.values(answer, _INFOS):
            digest = hashlib.blake2b(wire.canonical(info, _SHAPE), digest_size=_DIGEST).digest()
            now[digest] = last.get(digest) or codec.pipeline(pps_pb2.PipelineInfo.FromString(info), with_workers=False)
        self._last = now
        return {pipeline.name: pipeline for pipeline in now.values()}
