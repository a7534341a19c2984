"""Durations such as `10m` and `1h30m`: what Kubernetes and Go read, and no more than hours, minutes and seconds.

The same form as `Duration` of the Gateway API (GEP-2257), without milliseconds.
"""

import datetime
import re

#: The CRD has the same form.
_FORM = re.compile("([0-9]{1,5}[hms]){1,3}", re.ASCII)
_PART = re.compile("([0-9]+)([hms])", re.ASCII)
_SECONDS = {"h": 3600, "m": 60, "s": 1}

ZERO = datetime.timedelta()


def parse(text: str) -> datetime.timedelta:
    """Read a duration.

    Raises:
        ValueError: `text` is not one.
    """
    if _FORM.fullmatch(text) is None:
        raise ValueError(f"{text!r:.40} is not a duration; write hours, minutes and seconds, for example 10m or 1h30m")
    return datetime.timedelta(seconds=sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(text)))


def text(duration: datetime.timedelta) -> str:
    """The shortest text that is read as this duration, in whole seconds: `1h30m`, and `0s` for none."""
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{number}{unit}" for number, unit in ((hours, "h"), (minutes, "m"), (seconds, "s")) if number]
    return "".join(parts) or "0s"
