"""When a Spout is reconciled again without a change: how long each kind of waiting lasts."""

from spout_operator.controller.queue import Backoff
from spout_operator.core.errors import Failure
from spout_operator.core.model import SpoutKey

#: Seconds until a Spout that only a person can mend is reconciled again: pachd does not tell when they have.
STALLED_RESYNC = 300.0
#: Seconds before the first and the longest wait between tries that failed.
FIRST_RETRY, LONGEST_RETRY = 1.0, 300.0
#: Seconds before the first and the longest wait between tries of a write that others are quicker with.
FIRST_CONFLICT, LONGEST_CONFLICT = 0.2, 60.0
#: Seconds until a pipeline that is coming up, or a commit that is open, is observed again; doubled up to the poll
#: interval.
FIRST_SETTLE = 1.0


class Requeue:
    """The growing waits of each Spout."""

    def __init__(self, *, poll_interval: float) -> None:
        self.starting: Backoff[SpoutKey] = Backoff(first=FIRST_SETTLE, most=poll_interval)
        """A pipeline or its worker is coming up."""
        self.open_commit: Backoff[SpoutKey] = Backoff(first=FIRST_SETTLE, most=poll_interval)
        """A commit is not finished yet."""
        self.failure: Backoff[SpoutKey] = Backoff(first=FIRST_RETRY, most=LONGEST_RETRY)
        self.conflict: Backoff[SpoutKey] = Backoff(first=FIRST_CONFLICT, most=LONGEST_CONFLICT)

    def after_failure(self, key: SpoutKey, failure: Failure, *, outage: Failure | None) -> float | None:
        """Seconds until the next try; None where the poller will tell, as it does of the end of an outage.

        Args:
            key: of the Spout.
            failure: what failed just now.
            outage: why Pachyderm cannot be asked; None where it can.
        """
        if outage is not None and (failure == outage or failure.is_unreachable):
            # How long Pachyderm was away says nothing of what fails once it is back.
            self.failure.reset(key)
            return None
        return STALLED_RESYNC if failure.is_stalled else self.failure.next(key)

    def forget(self, key: SpoutKey) -> None:
        """The Spout is gone."""
        for waits in (self.starting, self.open_commit, self.failure, self.conflict):
            waits.reset(key)
