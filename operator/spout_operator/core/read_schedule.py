"""How often the heads of a spout are read: at each poll while it is busy, ever more rarely while it is quiet.

All in polls of the poller, so that it needs no clock.
"""

import datetime
from collections.abc import Mapping
from typing import Any

from spout_operator.core.model import Heads
from spout_operator.core.timestamps import read_time

#: Polls after a move for which the heads are read at each: a spout that commits more often than this is shown with
#: less than two polls of delay.
BUSY = 8
#: Then they are read after this part of the time for which nothing has moved, so a delay is at most a quarter of the
#: pause that came before it.
PART = 4
#: Reads a minute, at most, of all that are quiet together, however short their pauses still are.
READS_A_MINUTE = 1000


def stride(quiet: float, *, least: float, most: int) -> int:
    """Polls from one read of a pipeline's heads to the next.

    A power of two, or `most`: while it grows, what was due stays due, and reads that were spread stay spread.

    Args:
        quiet: polls since something moved.
        least: polls between two reads of one that is not busy.
        most: polls that are never exceeded.
    """
    if quiet < BUSY:
        return 1
    found = 1
    while found < least or found * 2 <= quiet / PART:
        found *= 2
    return min(found, most)


def least_stride(watched: int, *, poll: float) -> float:
    """Polls between two reads of a quiet one, so that `watched` of them are read READS_A_MINUTE times at most."""
    return watched * 60 / READS_A_MINUTE / poll


def quiet_since(heads: Heads, shown: Mapping[str, Any]) -> datetime.datetime | None:
    """Since when nothing has moved, as a status tells; None where something has that the status does not show yet.

    It is the memory of a restarted operator: a spout that was quiet for hours is not read at each poll again.
    """
    commit: Mapping[str, Any] = shown.get("commits", {}).get("last", {})
    marker: Mapping[str, Any] = shown.get("marker", {})
    if (heads.output, heads.marker) != (commit.get("id"), marker.get("commit")):
        return None
    shown_at = (commit.get("finishedAt"), marker.get("updatedAt"), shown.get("pipeline", {}).get("createdAt"))
    moments = [read_time(moment) for moment in shown_at if moment]
    # Of one that somebody else wrote, nobody knows whether it is the newest.
    return None if None in moments else max(filter(None, moments), default=None)
