"""What a worker says of the user code that it runs: facts, and lines of the code itself only if they are asked for."""

import dataclasses
import datetime

#: Characters of the words of a worker or of a server that are kept.
LONGEST_ERROR = 300
#: Characters of a line of the user code that are kept.
LONGEST_LINE = 200


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Started:
    """The worker has started the user code."""

    at: datetime.datetime


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """The user code has come to an end, or does not get on."""

    at: datetime.datetime
    last_lines: tuple[str, ...] = dataclasses.field(default=(), compare=False, repr=False)
    """The last lines that the user code wrote before, the oldest first; none where nobody asked for them.

    They can hold any secret, so they are shown by way of `core.user_lines` alone. They do not count in comparisons: a
    stop that is read again, when its lines are gone from the log, is the same one.
    """


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Failed(Stop):
    """The user code could not be started, or ended otherwise than with 0. The worker starts it again."""

    exit_code: int | None = None
    """None where it did not come to its own end."""
    error: str | None = None
    """What else happened, in the words of the worker or of the system, such as `signal: killed`.

    None where there is an exit code. The words can quote the spec (a command that is not there), so they are shown by
    way of `core.redaction` alone.
    """
    retry_in: datetime.timedelta | None = None
    """How long after `at` it is started again; None where the worker does not say, or has not said yet."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Ended(Stop):
    """The user code ended with 0. The worker never starts it again."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class OutputRefused(Stop):
    """The server did not take what the user code wrote. The worker tries the same again, or reads what comes next."""

    error: str
    """In the words of the server or of the worker; see `Failed.error`."""
    advice: str | None = None
    """What the user code has to do instead, where the adapter knows that."""


WorkerEvent = Started | Failed | Ended | OutputRefused


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Activity:
    """What is known of the user code. All times are by the clock of the worker's node."""

    events: tuple[WorkerEvent, ...] = ()
    """The oldest first."""
    unknown: str | None = None
    """Why nothing, or not everything, is known; None where `events` is all that the worker said.

    It can quote what the server answered, so it is shown by way of `core.redaction` alone.
    """
    waiting: str | None = None
    """Why the container of the worker has not started, in the words of the kubelet; None where nobody says so."""
