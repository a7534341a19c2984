"""Which part of a container's log is asked for: the parameters of `pods/log`. Pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

NANOSECONDS = 1_000_000_000

Stamp = bytes
"""A time in UTC with nine decimals, as `2026-01-01T00:00:00.000000000Z`. The earlier one is the smaller one."""


@dataclass(frozen=True, kw_only=True)
class LogOptions:
    """What a kubelet is asked for."""

    tail_lines: int | None = None
    """So many last entries of the file; all of them if None."""
    since: Stamp = b""
    """Only what was written then or later."""
    follow: bool = False
    previous: bool = False
    """The start before this one."""
    timestamps: bool = False
    limit_bytes: int | None = None


def log_options(query: Mapping[str, Sequence[str]], *, now: int) -> LogOptions:
    """Read the parameters of a request.

    Args:
        query: the parameters; those that are not known are left out, as a kubelet does.
        now: the time in nanoseconds since 1970.

    Raises:
        ValueError: a parameter is no number, no time or no truth value.
    """
    return LogOptions(
        tail_lines=_number(query, "tailLines"),
        since=_since(query, now),
        follow=_truth(query, "follow"),
        previous=_truth(query, "previous"),
        timestamps=_truth(query, "timestamps"),
        limit_bytes=_number(query, "limitBytes"),
    )


def stamp(nanoseconds: int) -> Stamp:
    """A time, from nanoseconds since 1970."""
    seconds, rest = divmod(nanoseconds, NANOSECONDS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09}Z".encode()


def _since(query: Mapping[str, Sequence[str]], now: int) -> Stamp:
    seconds = _number(query, "sinceSeconds")
    if seconds is not None:
        return stamp(now - seconds * NANOSECONDS)
    if "sinceTime" in query:
        return stamp(int(datetime.fromisoformat(query["sinceTime"][0]).timestamp()) * NANOSECONDS)
    return b""


def _number(query: Mapping[str, Sequence[str]], name: str) -> int | None:
    if name not in query:
        return None
    number = int(query[name][0])
    if number < 0:
        raise ValueError(f"{name} has to be 0 or more, and is {number}")
    return number


def _truth(query: Mapping[str, Sequence[str]], name: str) -> bool:
    value = query.get(name, ["false"])[0]
    if value not in ("true", "false"):
        raise ValueError(f"{name} has to be true or false, and is {value!r}")
    return value == "true"
