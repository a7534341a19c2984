"""What the worker of Pachyderm 1.13.4 says of the user code, and what each of it means."""

import datetime
import functools
from collections.abc import Iterator

from spout_operator.core.activity import Activity
from spout_operator.core.model import PipelineName
from spout_operator.pachyderm import worker_log
from spout_operator.pachyderm.log_lines import LogMessages, Sized
from spout_operator.pachyderm.v1.client import DeadlineClient
from spout_operator.pachyderm.v1.sdk import pps_pb2
from spout_operator.pachyderm.worker_log import Kind, words

_COMMON = "server/worker/pipeline/common.go"
_DRIVER = "server/worker/driver/driver.go RunUserCode"
#: What the worker says where its storage container does not answer.
_NO_ANSWER = r"(?:rpc error: code = Unavailable|transport is closing)"
#: From ten seconds on. The pauses before the next try grow, so it has failed for longer than that before.
_LONG = r"(?:\d+m(?!s)\S*|\d{2,}(?:\.\d+)?s)"

TABLE = (
    words(Kind.STARTED, _DRIVER, r"beginning to run user code"),
    words(Kind.ENDED, _DRIVER, r"finished running user code after \S+"),
    # The worker itself ends the code when it cannot go on, and says why further down.
    words(Kind.FAILED, _DRIVER, r"errored running user code after \S+: (?P<error>(?!context canceled\b)[^\n]*).*"),
    words(
        Kind.RETRIED,
        f"{_COMMON} RunUserCode",
        r"error in RunUserCode: (?P<error>[^\n]*?)(?:\n.*)?, retrying in: (?P<retry>\S+)",
    ),
    words(
        Kind.REFUSED,
        f"{_COMMON} withSpoutCommit",
        r"error in withSpoutCommit: (?P<error>all requests in a put files call must have the same commit ID[^\n]*?)"
        r"(?:\n.*)?, retrying in: \S+",
        advice="write the marker in an archive of its own, after the archive with the data",
    ),
    words(
        Kind.REFUSED,
        f"{_COMMON} withSpoutCommit",
        r"error in withSpoutCommit: (?P<error>[^\n]*parent commit \S+ has not been finished)"
        r"(?:\n.*)?, retrying in: \S+",
        advice="a commit was cut off and is still open; set a new restartNonce: the worker deletes it when it starts",
    ),
    # Nobody has refused anything: the worker tries again, and a storage container that starts again takes it.
    words(
        Kind.REFUSED,
        f"{_COMMON} withSpoutCommit",
        rf"error in withSpoutCommit: (?P<error>{_NO_ANSWER}[^\n]*?)(?:\n.*)?, retrying in: {_LONG}",
        advice="the storage container of the worker's Pod does not answer; see its log",
    ),
    words(
        Kind.REFUSED,
        f"{_COMMON} withSpoutCommit",
        rf"error in withSpoutCommit: (?P<error>(?!{_NO_ANSWER})[^\n]*?)(?:\n.*)?, retrying in: \S+",
    ),
    # What was written into the pipe is no archive, or ends in the middle of one: Go's archive/tar says so.
    words(
        Kind.REFUSED,
        f"{_COMMON} getNextTarStream, server/worker/logs/logger.go LogStep",
        r"errored spout spawner process: (?P<error>(?:archive/tar: |unexpected EOF)[^\n]*).*",
    ),
    words(
        Kind.RETRIED,
        "server/worker/worker.go master",
        r"master: error running the master process, retrying in (?P<retry>\S+): (?P<error>[^\n]*).*",
    ),
)


def _number(message: str, field: str) -> int:
    number: int = pps_pb2.DESCRIPTOR.message_types_by_name[message].fields_by_name[field].number
    return number


MESSAGES = LogMessages(
    user=_number("LogMessage", "user"), message=_number("LogMessage", "message"), at=_number("LogMessage", "ts")
)


def read(
    client: DeadlineClient, name: PipelineName, *, since: datetime.datetime | None, last_lines: int, doing: str
) -> Activity:
    """What the worker of a pipeline said since then; see `worker_log.activity`.

    Lines of the user code take a request of their own (docs/pachyderm-1.13.md).
    """

    def ask(most: int, back: datetime.timedelta, *, of_user: bool = False) -> Iterator[Sized]:
        pick = MESSAGES.of_user if of_user else MESSAGES.of_worker
        return client.worker_log(
            name.name, of_user=of_user, most=most, back=back, within=worker_log.DEADLINE, read=pick
        )

    ask_user = functools.partial(ask, of_user=True)
    return worker_log.activity(ask, TABLE, since=since, doing=doing, last_lines=last_lines, ask_user=ask_user)
