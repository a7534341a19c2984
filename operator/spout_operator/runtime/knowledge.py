"""What is known of the pipelines without asking again. Used from the event loop only."""

from spout_operator.core.errors import SpoutError
from spout_operator.core.model import Pipeline


class PipelineKnowledge:
    """The last observation of each pipeline that is still good, and whether Pachyderm answers.

    The poller takes away what has changed; whoever then needs it observes anew.
    """

    def __init__(self) -> None:
        self.outage: SpoutError | None = None
        self._observed: dict[str, Pipeline] = {}

    def observed(self, name: str) -> Pipeline | None:
        """The pipeline, where the last observation still holds."""
        return self._observed.get(name)

    def remember(self, pipeline: Pipeline) -> None:
        """Keep a fresh observation."""
        self._observed[pipeline.name] = pipeline

    def forget(self, name: str) -> None:
        """The last observation no longer holds."""
        self._observed.pop(name, None)

    def forget_all(self) -> None:
        """Nothing is known any more, for example after an outage."""
        self._observed.clear()
