"""Who is told what happens, and the words in which it is told."""

import enum
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from spout_operator.core.model import SpoutKey
from spout_operator.core.policy import Permission
from spout_operator.core.reasons import Reason


class Result(enum.StrEnum):
    """How a reconcile ended; a label of the metrics."""

    SETTLED = "settled"
    AGAIN = "again"
    GONE = "gone"
    OUTDATED = "outdated"
    RETRYABLE = "retryable"
    STALLED = "stalled"
    UNREACHABLE = "unreachable"


@dataclass(kw_only=True, slots=True)
class Outcome:
    """Of one reconcile; filled in by it."""

    result: Result = Result.SETTLED
    reason: Reason | None = None


class Dropped(enum.StrEnum):
    """Why an Event was not written; a label of the metrics."""

    QUEUE_FULL = "queue_full"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


System = Literal["pachyderm", "kubernetes"]


class Telemetry(Protocol):
    """Is told what happens, for metrics and traces. Never raises, never blocks, may come from any thread."""

    def reconciling(self, key: SpoutKey) -> AbstractContextManager[Outcome]:
        """Around one reconcile."""

    def requesting(self, system: System, method: str, resource: str = "") -> Callable[[str], None]:
        """A request goes out; the returned function wants to be told, once, the code that it ended with."""

    def waited(self, queue: str, seconds: float) -> None:
        """A key was taken from a queue, so long after it was due."""

    def dropped_event(self, why: Dropped) -> None:
        """A Kubernetes Event is not written."""

    def denied(self, permission: Permission) -> None:
        """The policy refuses something that a generation of a Spout asks for."""
