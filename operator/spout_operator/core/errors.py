"""What can go wrong, in the two kinds that matter: a person must act, or the operator tries again.

Every error carries the reason and the message that the Spout's conditions will show. What a server said is a field of
its own, as it can quote a secret: an error that is printed, in a log line or a stack trace, does not have it in its
text, and `core.redaction` alone shows it.

What only takes time (a pipeline that starts, a delete that is under way) is no error: the controller reconciles the
Spout again after a while.
"""

import dataclasses

from spout_operator.core.reasons import Reason


class SpoutError(Exception):
    """Base of all expected failures. `message` says what was found and what to do, in our own words.

    `said` is what a server answered, word for word.
    """

    def __init__(self, reason: Reason, message: str, *, said: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.said = said

    @property
    def unredacted(self) -> str:
        """All there is to tell, for `core.redaction.Secrets.shown`; ours first, as what is long is cut at its end."""
        return _with_what_was_said(self.message, self.said)


class Stalled(SpoutError):  # noqa: N818 - named as the condition that it becomes
    """Only a person can mend it. Not retried in a loop: the Spout is reconciled on a change, and every few minutes."""


class Retryable(SpoutError):  # noqa: N818 - named as what is done about it
    """May go away by itself: retried with back-off and jitter, per object."""


class Missing(Retryable):
    """What was asked about is not there, or not any more."""

    def __init__(self, message: str, *, said: str = "") -> None:
        super().__init__(Reason.PACHYDERM_ERROR, message, said=said)


class Unreadable(Retryable):
    """The pipeline is there, and Pachyderm cannot read its spec: what it is and whose it is are not known."""

    def __init__(self, message: str, *, said: str = "") -> None:
        super().__init__(Reason.PACHYDERM_ERROR, message, said=said)


class Outdated(Retryable):
    """Somebody else wrote to the resource in between. It is read again before the next try."""

    def __init__(self, message: str) -> None:
        super().__init__(Reason.PENDING, message)


class Unreachable(Retryable):
    """Pachyderm did not answer, or not in time. Nothing is known about what it holds."""

    def __init__(self, message: str, *, said: str = "") -> None:
        super().__init__(Reason.PACHYDERM_UNREACHABLE, message, said=said)


class NamespaceUnavailable(Retryable):
    """A namespace is not there (`is_gone`), or the operator may not list the Spouts in it. Concerns no other."""

    def __init__(self, message: str, *, is_gone: bool = False) -> None:
        super().__init__(Reason.INTERNAL_ERROR, message)
        self.is_gone = is_gone


class EventRefused(SpoutError):  # noqa: N818 - named as the others
    """The API server does not take a Kubernetes Event, and would not take it at another try. No Spout depends on it."""

    def __init__(self, message: str) -> None:
        super().__init__(Reason.INTERNAL_ERROR, message)


class NotLeading(Retryable):
    """Another replica may be acting by now, so this one must not: its process is about to end."""

    def __init__(self, message: str) -> None:
        super().__init__(Reason.INTERNAL_ERROR, message)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """An error as a value, which can be kept and compared: what conditions and metrics say of it."""

    reason: Reason
    message: str
    said: str
    """What a server answered, word for word."""
    is_stalled: bool
    is_unreachable: bool

    @classmethod
    def of(cls, error: SpoutError) -> "Failure":
        """The value of an error."""
        return cls(
            reason=error.reason,
            message=error.message,
            said=error.said,
            is_stalled=isinstance(error, Stalled),
            is_unreachable=isinstance(error, Unreachable),
        )

    @property
    def unredacted(self) -> str:
        """As that of the error."""
        return _with_what_was_said(self.message, self.said)


def _with_what_was_said(message: str, said: str) -> str:
    return f"{message} ({said})" if said else message
