"""Errors: each has the reason that conditions show, and keeps what a server said apart from its own words."""

from collections.abc import Callable

import pytest

from spout_operator.core.errors import (
    EventRefused,
    Failure,
    Missing,
    NamespaceUnavailable,
    NotLeading,
    Outdated,
    Retryable,
    SpoutError,
    Stalled,
    Unreachable,
    Unreadable,
)
from spout_operator.core.reasons import Reason

Make = Callable[..., SpoutError]


def test_an_event_that_was_refused_says_why() -> None:
    error = EventRefused("could not create an Event: 403")

    assert (error.reason, error.message) == (Reason.INTERNAL_ERROR, "could not create an Event: 403")


def stalled(message: str, *, said: str = "") -> SpoutError:
    return Stalled(Reason.INVALID_SPEC, message, said=said)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (stalled, Reason.INVALID_SPEC),
        (Missing, Reason.PACHYDERM_ERROR),
        (Unreadable, Reason.PACHYDERM_ERROR),
        (Unreachable, Reason.PACHYDERM_UNREACHABLE),
    ],
)
def test_an_error_of_a_server_has_its_reason_and_what_the_server_said(make: Make, reason: Reason) -> None:
    error = make("it failed", said="hunter2")

    assert (error.reason, error.message, error.said) == (reason, "it failed", "hunter2")
    assert str(error) == "it failed", "what a server said can hold a secret"
    assert error.unredacted == "it failed (hunter2)"
    assert make("it failed").unredacted == "it failed", "nothing was said"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (Outdated, Reason.PENDING),
        (NamespaceUnavailable, Reason.INTERNAL_ERROR),
        (NotLeading, Reason.INTERNAL_ERROR),
    ],
)
def test_an_error_of_the_operators_own_has_its_reason(make: Make, reason: Reason) -> None:
    error = make("it failed")

    assert (error.reason, error.message, error.said) == (reason, "it failed", "")


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_namespace_that_is_gone_is_told_from_one_that_may_not_be_listed(is_gone: bool) -> None:
    assert NamespaceUnavailable("no Spouts", is_gone=is_gone).is_gone is is_gone


def test_a_namespace_is_not_taken_for_gone_unless_that_is_said() -> None:
    assert not NamespaceUnavailable("no Spouts").is_gone


@pytest.mark.parametrize(
    ("error", "is_stalled", "is_unreachable"),
    [
        (Stalled(Reason.INVALID_SPEC, "do that", said="s"), True, False),
        (Retryable(Reason.INVALID_SPEC, "do that", said="s"), False, False),
        (Unreachable("do that", said="s"), False, True),
    ],
)
def test_a_failure_tells_all_that_its_error_does(error: SpoutError, is_stalled: bool, is_unreachable: bool) -> None:
    failure = Failure.of(error)

    assert failure == Failure(
        reason=error.reason, message="do that", said="s", is_stalled=is_stalled, is_unreachable=is_unreachable
    )
    assert failure.unredacted == error.unredacted == "do that (s)"
