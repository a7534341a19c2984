"""Who may act: the rules of a coordination.k8s.io Lease, as client-go's leader election has them.

Clocks of different machines are never compared. Whoever does not hold the Lease measures by its own
clock how long it has not changed (client-go, tools/leaderelection/leaderelection.go).
"""

import dataclasses
import datetime

#: Seconds after which a Lease that has not been renewed is anybody's.
DURATION = 15.0
#: Seconds without a renewal after which the holder stops acting: before anybody else can begin to.
RENEW_DEADLINE = 10.0
#: Seconds between two tries to get or to renew it.
RETRY_PERIOD = 2.0


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """What the Lease says. `holder` is empty where it was released; `version` is the resource version."""

    holder: str
    duration: float
    acquired: datetime.datetime | None
    renewed: datetime.datetime | None
    transitions: int
    version: str = ""


def claim(identity: str, found: Lease | None, *, unchanged_for: float, now: datetime.datetime) -> Lease | None:
    """The Lease as `identity` has to write it to hold it; None while it is somebody else's.

    Args:
        identity: who asks.
        found: the Lease as it is, None where there is none.
        unchanged_for: seconds, by the asker's own clock, since it was first seen as it is.
        now: the time of day, for people: nothing is decided by it.
    """
    if found is None:
        return Lease(holder=identity, duration=DURATION, acquired=now, renewed=now, transitions=0)
    if found.holder == identity:
        return dataclasses.replace(found, duration=DURATION, renewed=now)
    if found.holder and unchanged_for < found.duration:
        return None
    return dataclasses.replace(
        found, holder=identity, duration=DURATION, acquired=now, renewed=now, transitions=found.transitions + 1
    )


def released(held: Lease, *, now: datetime.datetime) -> Lease:
    """The Lease as its holder leaves it, so that the next one need not wait."""
    return dataclasses.replace(held, holder="", duration=1.0, renewed=now)
