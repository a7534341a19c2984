"""What the worker of Pachyderm 2.12.2 says of the user code, and what each of it means.

It says nothing of commits: the user code makes them itself, and fails if the server refuses one.
"""

import datetime
from collections.abc import Iterator

from spout_operator.core.activity import Activity
from spout_operator.core.model import PipelineName
from spout_operator.pachyderm import wire, worker_log
from spout_operator.pachyderm.v2.client import DeadlineClient
from spout_operator.pachyderm.v2.sdk import number, pps
from spout_operator.pachyderm.worker_log import Kind, Line, words

_DRIVER = "server/worker/driver/driver.go RunUserCode"

TABLE = (
    words(Kind.STARTED, _DRIVER, r"beginning to run user code"),
    words(Kind.ENDED, _DRIVER, r"finished running user code after \S+"),
    words(Kind.FAILED, _DRIVER, r"errored running user code after \S+: (?P<error>[^\n]*).*"),
    # The last that is said when the code has ended with 0: the spawner has nothing else to do.
    words(Kind.ENDED, "server/worker/logs/logger.go LogStep", r"finished spout spawner process"),
    words(
        Kind.RETRIED,
        "server/worker/worker.go master",
        r"master: error running the master process, retrying in (?P<retry>\S+): (?P<error>[^\n]*).*",
    ),
)

#: Lines of the user code have `master`, too: 2.12.2, server/worker/logs/logger.go WithUserCode adds `user` to it.
_USER = number(pps.LogMessage, "user")
_MESSAGE = number(pps.LogMessage, "message")
_AT = number(pps.LogMessage, "ts")


def read(client: DeadlineClient, name: PipelineName, *, since: datetime.datetime | None, doing: str) -> Activity:
    """What the worker of a pipeline said since then; see `worker_log.activity`."""

    def ask(most: int, back: datetime.timedelta) -> Iterator[tuple[int, Line | None]]:
        return client.worker_log(name, most=most, back=back, within=worker_log.DEADLINE, read=line)

    return worker_log.activity(ask, TABLE, since=since, doing=doing)


def line(message: bytes) -> tuple[int, Line | None]:
    """The size of a LogMessage, and what it says; None if it is of the user code."""
    if wire.number(message, _USER):
        return len(message), None
    at = next(wire.values(message, _AT), b"")
    return len(message), Line(at=worker_log.moment(at), message=wire.text(message, _MESSAGE))
