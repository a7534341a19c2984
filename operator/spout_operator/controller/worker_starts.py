"""Why the worker of a pipeline does not come up, where only the kubelet tells: Pachyderm passes its words on.

Used from the event loop only.
"""

import dataclasses
import datetime
import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any

from spout_operator.controller.log_turns import LogTurns, NextRead, loop_time
from spout_operator.core import pod_faults
from spout_operator.core.errors import NotLeading, SpoutError
from spout_operator.core.model import Pipeline, PipelineName
from spout_operator.core.reasons import Reason
from spout_operator.core.resource import condition_of
from spout_operator.core.status import health
from spout_operator.core.status.conditions import READY
from spout_operator.core.status.health import FALSE, Health
from spout_operator.ports import Pachyderm

logger = logging.getLogger(__name__)

#: Seconds in which a worker comes up, or Pachyderm says by itself why not: until then nobody asks.
PATIENCE = 30.0
#: Seconds between two questions, doubled, and at most. That a worker has come up is seen without them.
PAUSE, LONGEST_PAUSE = 60.0, 600.0


@dataclasses.dataclass(kw_only=True, slots=True)
class _Waiting(NextRead):
    version: int
    """Of the pipeline; each version has a worker of its own."""
    found: Health | None = None
    """What the answer was; None where nothing is known."""
    pause: float = PAUSE


class WorkerStarts:
    """Why the worker of each pipeline does not come up."""

    def __init__(self, pachyderm: Pachyderm, turns: LogTurns, *, now: Callable[[], datetime.datetime]) -> None:
        self._pachyderm = pachyderm
        self._turns = turns
        self._now = now
        self._waiting: dict[PipelineName, _Waiting] = {}

    async def health(self, pipeline: Pipeline, shown: Mapping[str, Any]) -> Health | None:
        """What is known of a worker that is not up; the kubelet's words are asked for where that is due.

        Args:
            pipeline: as it was observed.
            shown: the status as it is, from which a restarted operator goes on.

        Returns:
            None where nothing is known beyond what the pipeline tells.
        """
        if not health.is_coming_up(pipeline):
            self.forget(pipeline.name)
            return None
        waiting = self._waiting.get(pipeline.name)
        if waiting is None or waiting.version != pipeline.version:
            waiting = self._waiting[pipeline.name] = _begin(pipeline, shown)
        if waiting.due <= loop_time() and self._turns.is_its_turn(waiting):
            await self._ask(pipeline.name, waiting)
            waiting.due = loop_time() + waiting.pause
            waiting.pause = min(2 * waiting.pause, LONGEST_PAUSE)
        return waiting.found

    def forget(self, name: PipelineName) -> None:
        """The worker has come up, or is not wanted."""
        self._waiting.pop(name, None)

    def keep(self, names: Collection[PipelineName]) -> None:
        """Forget those that are not among these."""
        for gone in self._waiting.keys() - names:
            del self._waiting[gone]

    async def _ask(self, name: PipelineName, waiting: _Waiting) -> None:
        begin = loop_time()
        try:
            activity = await self._pachyderm.activity(name, since=self._now())
        except NotLeading:
            raise
        except SpoutError as error:
            logger.debug("Pipeline %s: why its worker is not up cannot be asked: %s", name, error.message)
            return
        finally:
            self._turns.took(loop_time() - begin)
        waiting.found = health.of_waiting_worker(activity.waiting) if activity.waiting is not None else None


def _begin(pipeline: Pipeline, shown: Mapping[str, Any]) -> _Waiting:
    """Where the status says why this very worker does not come up, that holds until the answer has come."""
    ready = condition_of(shown, READY)
    is_same = (shown.get("pipeline") or {}).get("version") == pipeline.version
    if not is_same or ready.get("reason") not in pod_faults.REASONS:
        return _Waiting(version=pipeline.version, due=loop_time() + PATIENCE)
    found = Health(ready=FALSE, reason=Reason(ready["reason"]), message=ready["message"])
    return _Waiting(version=pipeline.version, found=found)
