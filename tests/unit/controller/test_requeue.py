"""How long each kind of waiting lasts."""

import pytest

from spout_operator.controller.queue import Backoff
from spout_operator.controller.requeue import Requeue
from spout_operator.core.errors import Failure
from spout_operator.core.model import SpoutKey
from spout_operator.core.reasons import Reason
from tests.builders import a_failure, a_key, a_refusal, an_outage

KEY = a_key()
KINDS = [
    ("starting", 1, 10, "a pipeline that comes up: at last at each poll"),
    ("open_commit", 1, 10, "a commit that is open: the same"),
    ("failure", 1, 300, "a try that failed"),
    ("conflict", 0.2, 60, "a write that others were quicker with"),
]


def waits(requeue: Requeue, kind: str, times: int = 1) -> float:
    """Seconds of the last of so many waits."""
    backoff: Backoff[SpoutKey] = getattr(requeue, kind)
    return [backoff.next(KEY) for _ in range(times)][-1]


@pytest.mark.parametrize(("kind", "first", "longest", "reason"), KINDS, ids=[kind for kind, *_ in KINDS])
def test_each_kind_of_waiting_grows_from_its_first_to_its_longest(
    kind: str, first: float, longest: float, reason: str
) -> None:
    requeue = Requeue(poll_interval=10)

    assert first * 3 / 4 <= waits(requeue, kind) <= first, reason
    assert longest * 3 / 4 <= waits(requeue, kind, times=20) <= longest, reason


@pytest.mark.parametrize(("kind", "first"), [(kind, first) for kind, first, *_ in KINDS])
def test_a_spout_that_was_forgotten_waits_as_if_for_the_first_time(kind: str, first: float) -> None:
    requeue = Requeue(poll_interval=10)
    waits(requeue, kind, times=20)

    requeue.forget(a_key("another"))
    assert waits(requeue, kind) > first

    requeue.forget(KEY)
    assert waits(requeue, kind) <= first


AWAY, AWAY_IN_OTHER_WORDS, REFUSED, TROUBLE = map(
    Failure.of, (an_outage(), an_outage("UNAVAILABLE: reset"), a_refusal(reason=Reason.UNAUTHORIZED), a_failure())
)
FIRST, LAST = (0.75, 1.0), (225.0, 300.0)


@pytest.mark.parametrize(
    ("outage", "failure", "wait", "then", "reason"),
    [
        (None, TROUBLE, LAST, LAST, "it goes on failing"),
        (None, AWAY, LAST, LAST, "nobody else tells when one call is answered again"),
        (None, REFUSED, (300, 300), LAST, "only a person can mend it"),
        (AWAY, AWAY, None, FIRST, "the poller tells of the end of the outage"),
        (AWAY, AWAY_IN_OTHER_WORDS, None, FIRST, "the same outage, met by the Spout itself"),
        (REFUSED, REFUSED, None, FIRST, "the poller tells also when a token is good again"),
        (TROUBLE, TROUBLE, None, FIRST, "the poller tells also when Pachyderm can list pipelines again"),
        (AWAY, TROUBLE, LAST, LAST, "another failure, for example of the API server, has to be tried again"),
        (AWAY, REFUSED, (300, 300), LAST, "what only a person can mend is not the outage"),
    ],
)
def test_what_fails_in_an_outage_waits_for_its_end_and_does_not_count_as_a_try(
    outage: Failure | None,
    failure: Failure,
    wait: tuple[float, float] | None,
    then: tuple[float, float],
    reason: str,
) -> None:
    requeue = Requeue(poll_interval=10)
    waits(requeue, "failure", times=20)

    after = requeue.after_failure(KEY, failure, outage=outage)
    assert after is None if wait is None else after is not None and wait[0] <= after <= wait[1], reason

    after_the_outage = requeue.after_failure(KEY, TROUBLE, outage=None)
    assert after_the_outage is not None
    assert then[0] <= after_the_outage <= then[1], reason
