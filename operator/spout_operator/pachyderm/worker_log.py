"""Reads what happened to the user code off the log of a worker, which pachd hands out (GetLogs).

What a worker says is in a table of each adapter. A line that is not in it is no event, and neither is one of the user
code.
"""

import contextlib
import dataclasses
import datetime
import enum
import re
from collections.abc import Callable, Iterator, Sequence

import grpc

from spout_operator.core.activity import (
    LONGEST_ERROR,
    Activity,
    Ended,
    Failed,
    OutputRefused,
    Started,
    Stop,
    WorkerEvent,
)
from spout_operator.pachyderm.log_lines import Line, Sized

#: Lines of the log of each worker that a request is for, those of the user code among them: pachd reads the log of a
#: container from there to its end (docs/pachyderm-1.13.md has what that costs).
MOST_LINES = 2000
#: Bytes of an answer.
MOST_BYTES = 4 * 1024 * 1024
#: Seconds of each request. Less than for other calls, as it keeps a thread busy that others need; more than the five
#: for which pachd waits for a worker that has ended, before it looks for its log (docs/pachyderm-1.13.md).
DEADLINE = 8.0
#: How far the clocks of the operator and of a node may differ, so that no line is missed.
CLOCK_SKEW = datetime.timedelta(minutes=1)
#: Where the newest event is older than this, mostly nothing has come since, which the last line of the log tells alone.
QUIET_FOR = datetime.timedelta(minutes=1)
#: More than a container runtime keeps. Pachyderm takes 0 for a day.
WHOLE_LOG = datetime.timedelta(days=3650)

#: Codes of failures that say more than that there is no log: other calls would fail as well.
_NO_ANSWER = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAUTHENTICATED)
#: What a kubelet answers where a container has not run yet (Kubernetes 1.36, pkg/kubelet/kubelet_pods.go
#: validateContainerLogStatus). Once it has run, there is a log, also while it waits for its next start.
_WAITING = re.compile(r'container "[^"]*" in pod "[^"]*" is waiting to start\b.*', re.DOTALL)
_EXIT_STATUS = re.compile(r"exit status (\d+)$")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|µs|us|ns)")
_SECONDS = {"h": 3600, "m": 60, "s": 1, "ms": 1e-3, "µs": 1e-6, "us": 1e-6, "ns": 1e-9}


class Kind(enum.Enum):
    """What a line is about."""

    STARTED = "started"
    FAILED = "failed"
    #: The worker tells when it tries again. What went wrong was told before, unless that line is missing.
    RETRIED = "retried"
    ENDED = "ended"
    REFUSED = "refused"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """One thing that a worker says.

    `pattern` matches the whole line. Its groups are `error` of FAILED, RETRIED and REFUSED, and `retry` of RETRIED.
    `source` is where the worker says it, below `src/` in Pachyderm.
    """

    kind: Kind
    pattern: re.Pattern[str]
    source: str
    advice: str | None = None
    """What the user code has to do instead, where that is known."""


def words(kind: Kind, source: str, pattern: str, *, advice: str | None = None) -> Words:
    """A row of a table; `.` in the pattern also stands for a line feed, as errors come with their stack."""
    return Words(kind=kind, pattern=re.compile(pattern, re.DOTALL), source=source, advice=advice)


Ask = Callable[[int, datetime.timedelta], Iterator[Sized]]
"""Asks pachd for so many last lines, and how far back."""


def activity(
    ask: Ask,
    table: Sequence[Words],
    *,
    since: datetime.datetime | None,
    doing: str,
    last_lines: int = 0,
    ask_user: Ask | None = None,
) -> Activity:
    """What happened to the user code.

    Args:
        ask: makes a request for what the worker said.
        table: what this version of the worker says.
        since: leave out what was before; None for all that is in the log.
        doing: what is asked for, for messages.
        last_lines: so many lines of the user code are told of its newest stop.
        ask_user: makes a request for lines of the user code; None where `ask` has them in its answer, if they are
            wanted.

    Raises:
        grpc.RpcError: there was no answer, so that other requests would fail, too.
    """
    now = datetime.datetime.now(datetime.UTC)
    back = max(now - since, datetime.timedelta()) + CLOCK_SKEW if since is not None else WHOLE_LOG
    lines: list[Line] = []
    last: list[Line] | None = None
    unknown = waiting = None
    try:
        if since is not None and now - since > QUIET_FOR:
            last = _read_last(ask, back)
            if last and last[-1].at <= since:
                return Activity()
        unknown = _read(ask(MOST_LINES, back), lines)
        if not isinstance(next(reversed(events(lines, table)), None), Failed | Ended):
            _add_last(last if last is not None else _read_last(ask, back), ask, back, lines)
        if last_lines and ask_user is not None and _new_stop(events(lines, table), since) is not None:
            unknown = _read(ask_user(MOST_LINES, back), lines) or unknown
    except grpc.RpcError as error:
        if error.code() in _NO_ANSWER:
            raise
        unknown = f"could not {doing}: {error.details() or error.code().name}"
        waiting = _WAITING.search(error.details() or "")
    all_events = events(lines, table)
    if last_lines:
        _add_last_lines(all_events, [line for line in lines if line.is_of_user], since, most=last_lines)
    found = tuple(event for event in all_events if since is None or event.at >= since)
    if not found and since is None and unknown is None:
        unknown = f"could not {doing}: its log does not tell of the code's start, or does not tell it any more"
    return Activity(
        events=found,
        unknown=_bounded(unknown) if unknown is not None else None,
        waiting=_bounded(waiting[0]) if waiting is not None else None,
    )


def events(lines: Sequence[Line], table: Sequence[Words]) -> list[WorkerEvent]:
    """The events in what a worker said, in the order of the lines."""
    found: list[WorkerEvent] = []
    for line in lines:
        for row in table if not line.is_of_user else ():
            if match := row.pattern.fullmatch(line.message):
                _add(found, row, line.at, match.groupdict())
                break
    return found


def duration(text: str) -> datetime.timedelta | None:
    """A duration as Go prints it, for example `1m17.5s`; None where it is none."""
    parts = _DURATION.findall(text)
    if not parts or "".join(map("".join, parts)) != text:
        return None
    return datetime.timedelta(seconds=sum(float(value) * _SECONDS[unit] for value, unit in parts))


def _read(answer: Iterator[Sized], lines: list[Line]) -> str | None:
    """Add what was said to `lines`. Returns why not all of it could be read."""
    size = 0
    with contextlib.closing(answer):  # type: ignore[type-var] # a generator
        for length, line in answer:
            size += length
            if size > MOST_BYTES:
                return f"the last {MOST_LINES} lines of the worker's log are more than {MOST_BYTES} bytes"
            if line is not None:
                lines.append(line)
    return None


def _read_last(ask: Ask, back: datetime.timedelta) -> list[Line]:
    """The last line of a log where the worker wrote it; none where the user code did."""
    last: list[Line] = []
    _read(ask(1, back), last)
    return [line for line in last if not line.is_of_user]


def _add_last(last: Sequence[Line], ask: Ask, back: datetime.timedelta, lines: list[Line]) -> None:
    """Add the last line of a log to all `lines` that pachd told of, if it is another.

    A line of the user code of more than 64 KiB ends what pachd reads, without a word: bufio.Scanner gives up (1.13.4
    server/pps/server/api_server.go GetLogs, 2.12.2 internal/ppsutil/util.go FilterLogLines). What comes after it is
    told only to whoever asks for less, and the last line says whether the code runs.
    """
    if any(line not in lines for line in last):
        # More may have been written in the meantime.
        again: list[Line] = []
        _read(ask(MOST_LINES, back), again)
        lines[:] = sorted(dict.fromkeys([*lines, *again, *last]), key=lambda line: line.at)


def _new_stop(found: Sequence[WorkerEvent], since: datetime.datetime | None) -> Failed | Ended | OutputRefused | None:
    """The newest stop of the user code; None where there is none after `since`."""
    newest = next((event for event in reversed(found) if isinstance(event, Stop)), None)
    return newest if newest is not None and (since is None or newest.at > since) else None


def _add_last_lines(
    found: list[WorkerEvent], of_user: Sequence[Line], since: datetime.datetime | None, *, most: int
) -> None:
    """Add to the newest stop what the user code wrote before it, since it was last started."""
    stop = _new_stop(found, since)
    if stop is None:
        return
    place = found.index(stop)
    begin = max((event.at for event in found[:place] if isinstance(event, Started)), default=None)
    end = _end(stop, found[place:])
    wrote = [
        line.message for line in of_user if (begin is None or line.at >= begin) and (end is None or line.at <= end)
    ]
    found[place] = dataclasses.replace(stop, last_lines=tuple(wrote[-most:]))


def _end(stop: Failed | Ended | OutputRefused, after: Sequence[WorkerEvent]) -> datetime.datetime | None:
    """Until when the code that has stopped can have written its last line; None where there is no such time yet."""
    if isinstance(stop, OutputRefused):
        # The code runs on.
        return stop.at
    # Until its next start: the last lines can come after the news of its end (1.13.4: by less than a millisecond), and
    # where they take a request of their own, the code may have been started again meanwhile.
    start = next((event.at for event in after if isinstance(event, Started)), None)
    if start is None and isinstance(stop, Failed) and stop.retry_in is not None:
        return stop.at + stop.retry_in
    return start


def _add(found: list[WorkerEvent], row: Words, at: datetime.datetime, groups: dict[str, str]) -> None:
    last = found[-1] if found else None
    match row.kind:
        case Kind.STARTED:
            found.append(Started(at=at))
        case Kind.FAILED:
            found.append(_failed(at, groups["error"], retry_in=None))
        case Kind.REFUSED:
            found.append(OutputRefused(at=at, error=_bounded(groups["error"]), advice=row.advice))
        case Kind.ENDED if not isinstance(last, Ended):
            found.append(Ended(at=at))
        case Kind.RETRIED if isinstance(last, Failed) and last.retry_in is None:
            found[-1] = dataclasses.replace(last, retry_in=duration(groups["retry"]))
        case Kind.RETRIED if not isinstance(last, OutputRefused):
            found.append(_failed(at, groups["error"], retry_in=duration(groups["retry"])))


def _failed(at: datetime.datetime, error: str, *, retry_in: datetime.timedelta | None) -> Failed:
    status = _EXIT_STATUS.match(error)
    if status is not None:
        return Failed(at=at, exit_code=int(status[1]), error=None, retry_in=retry_in)
    return Failed(at=at, exit_code=None, error=_bounded(error), retry_in=retry_in)


def _bounded(text: str) -> str:
    return text if len(text) <= LONGEST_ERROR else text[: LONGEST_ERROR - 1] + "…"
