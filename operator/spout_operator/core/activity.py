"""What a worker's log tells of the user code: facts, never text that the user code wrote."""

import dataclasses
import datetime


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Started:
    """The worker began to run the user code."""

    at: datetime.datetime


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """The user code could not be started, or ended with another exit code than 0; the worker starts it again."""

    at: datetime.datetime
    exit_code: int | None = None
    error: str | None = None
    """The worker's or the operating system's words, where there is no exit code."""
    retry_in: datetime.timedelta | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """The user code ended with exit code 0; the worker does not start it again."""

    at: datetime.datetime


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class OutputRefused:
    """The server did not take what the user code wrote."""

    at: datetime.datetime
    error: str
    """The server's words."""


WorkerEvent = Started | Failed | Ended | OutputRefused


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Activity:
    """What was read of a worker's log."""

    events: tuple[WorkerEvent, ...] = ()
    """Oldest first."""
    unknown: str | None = None
    """Why nothing, or not all, is known; None where the log was read."""
