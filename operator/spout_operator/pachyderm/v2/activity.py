"""What the worker of Pachyderm 2.12.2 says of the user code, and what each of it means.

It says nothing of commits: the user code makes them itself, and fails if the server refuses one.
"""

import datetime
from collections.abc import Iterator

from spout_operator.core.activity import Activity
from spout_operator.core.model import PipelineName
from spout_operator.pachyderm import worker_log
from spout_operator.pachyderm.log_lines import LogMessages, Sized
from spout_operator.pachyderm.v2.client import DeadlineClient
from spout_operator.pachyderm.v2.sdk import number, pps
from spout_operator.pachyderm.worker_log import Kind, words

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

MESSAGES = LogMessages(
    user=number(pps.LogMessage, "user"), message=number(pps.LogMessage, "message"), at=number(pps.LogMessage, "ts")
)


def read(
    client: DeadlineClient, name: PipelineName, *, since: datetime.datetime | None, last_lines: int, doing: str
) -> Activity:
    """What the worker of a pipeline said since then; see `worker_log.activity`.

    Lines of the user code are in the same answer, as they have `master`, too (2.12.2, server/worker/logs/logger.go
    WithUserCode adds `user` to it).
    """
    pick = MESSAGES.of_both if last_lines else MESSAGES.of_worker

    def ask(most: int, back: datetime.timedelta) -> Iterator[Sized]:
        return client.worker_log(name, most=most, back=back, within=worker_log.DEADLINE, read=pick)

    return worker_log.activity(ask, TABLE, since=since, doing=doing, last_lines=last_lines)
