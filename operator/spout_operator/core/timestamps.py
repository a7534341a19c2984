"""Times as Kubernetes writes them: RFC 3339, UTC, whole seconds."""

import datetime

_FORM = "%Y-%m-%dT%H:%M:%SZ"


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
    return datetime.datetime.strptime(text, _FORM).replace(tzinfo=datetime.UTC)
