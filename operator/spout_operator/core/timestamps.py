"""Times as Kubernetes writes them: RFC 3339, UTC, whole seconds."""

import datetime
import re

_FORM = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


def print_time(moment: datetime.datetime | None) -> str | None:
    """For example `2026-11-22T21:09:44Z`; None stays None."""
    if moment is None:
        return None
    # Not strftime: it writes years below 1000, such as Go's zero time, without their leading zeros.
    return moment.astimezone(datetime.UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def parse_time(text: str) -> datetime.datetime:
    """The reverse of `print_time`.

    Raises:
        ValueError: the text is written otherwise.
    """
    # Not strptime: it takes twenty times as long, and each Spout has several of them.
    if _FORM.fullmatch(text) is None:
        raise ValueError(f"found {text!r}, expected a time such as 2026-11-22T21:09:44Z")
    return datetime.datetime.fromisoformat(text)


def read_time(text: str | None) -> datetime.datetime | None:
    """A time of a status; None where there is none, or where somebody else wrote it otherwise."""
    try:
        return parse_time(text) if text else None
    except ValueError:
        return None
