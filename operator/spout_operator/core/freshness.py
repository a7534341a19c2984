"""What `spec.freshness` asks: when commits are late, and for how long commits and marker may be apart."""

import dataclasses
import datetime


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Freshness:
    """The defaults are those that the CRD names.

    `max_commit_age` is None where commits may come at any time. Zero for `marker_stalled_after` or
    `output_stalled_after` means never.
    """

    max_commit_age: datetime.timedelta | None = None
    startup_grace: datetime.timedelta = datetime.timedelta(minutes=2)
    marker_stalled_after: datetime.timedelta = datetime.timedelta(minutes=15)
    output_stalled_after: datetime.timedelta = datetime.timedelta(minutes=15)
