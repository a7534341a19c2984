"""The pipelines as they were last observed: what need not be asked again. Used from the event loop only."""

import dataclasses
from collections.abc import Collection, Mapping

from spout_operator.controller.head_reads import HeadReads
from spout_operator.core.errors import Failure
from spout_operator.core.model import Pipeline, PipelineName
from spout_operator.core.server import Server


@dataclasses.dataclass(frozen=True, slots=True)
class _Observation:
    pipeline: Pipeline
    listed: Pipeline | None = None
    """The object of the last list that it was held against and found equal to, but for the workers."""


class ObservationCache:
    """The last observation of each pipeline that is still good, its heads, and whether Pachyderm answers.

    The poller compares it with each list and drops what has changed; whoever then needs it observes anew.
    """

    def __init__(self, heads: HeadReads) -> None:
        self.outage: Failure | None = None
        """Why Pachyderm does not answer; None where it does."""
        self.server: Server | None = None
        """What Pachyderm last told of itself; None before."""
        self.heads = heads
        self._observed: dict[PipelineName, _Observation] = {}
        self._listed: Mapping[PipelineName, Pipeline] | None = None

    def observed(self, name: PipelineName) -> Pipeline | None:
        """The pipeline, where the last observation still holds."""
        found = self._observed.get(name)
        return found.pipeline if found is not None else None

    def remember(self, pipeline: Pipeline) -> None:
        """Keep a fresh observation."""
        self._observed[pipeline.name] = _Observation(pipeline)

    def forget(self, name: PipelineName) -> None:
        """The last observation no longer holds, nor need the heads."""
        self._observed.pop(name, None)
        self.heads.doubt(name)

    def forget_all(self) -> None:
        """Nothing is known any more, for example after an outage."""
        self._observed.clear()
        self.heads.doubt_all()

    def compare_with(
        self, listed: Mapping[PipelineName, Pipeline], names: Collection[PipelineName]
    ) -> list[PipelineName]:
        """Take in a list of all pipelines; what is known of others than `names` is dropped.

        Returns:
            Those of `names` whose pipeline is not as it was known to be.
        """
        for gone in self._observed.keys() - names:
            del self._observed[gone]
        # Whoever has not been observed before the first list is going to be.
        before = listed if self._listed is None else self._listed
        changed = [name for name in names if not self._still_holds(name, before.get(name), listed.get(name))]
        self._listed = listed
        for name in changed:
            self.forget(name)
            self.heads.note_change(name)
        return changed

    def _still_holds(self, name: PipelineName, before: Pipeline | None, listed: Pipeline | None) -> bool:
        known = self._observed.get(name)
        if known is None:
            return listed is before or listed == before
        if listed is None or listed is known.listed:
            return listed is not None
        # It can be older than the last list, where an answer was long on its way.
        if listed != dataclasses.replace(known.pipeline, workers=None):
            return False
        # With the parts of the listed one, so that none is in memory twice.
        self._observed[name] = _Observation(dataclasses.replace(listed, workers=known.pipeline.workers), listed)
        return True
