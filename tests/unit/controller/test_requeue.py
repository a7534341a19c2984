"""How long each kind of waiting lasts."""

import pytest

from spout_operator.controller.queue import Backoff
from spout_operator.controller.requeue import Requeue
from spout_operator.core.model import SpoutKey
from tests.builders import a_key

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
