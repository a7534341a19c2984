"""Pachyderm 1.13's failures in our terms.

Most of its errors arrive as gRPC UNKNOWN with a text, so texts are matched, here and nowhere else;
`tests/contract` shows on a real server that they still read so.
"""

import enum
import re

import grpc

from spout_operator.core.errors import Missing, Retryable, SpoutError, Stalled, Unreachable
from spout_operator.core.reasons import Reason


class Kind(enum.Enum):
    """What a failure is about; some are no failure to a caller that asked for just that."""

    NOT_FOUND = "not found"
    ALREADY_EXISTS = "already exists"
    UNREACHABLE = "unreachable"
    UNAUTHORIZED = "unauthorized"
    UNSUPPORTED = "unsupported"
    LIMIT = "limit"
    BLOCKED = "blocked"
    BUSY = "busy"
    OTHER = "other"


_BY_CODE = {
    grpc.StatusCode.UNAVAILABLE: Kind.UNREACHABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED: Kind.UNREACHABLE,
    grpc.StatusCode.CANCELLED: Kind.UNREACHABLE,
    grpc.StatusCode.UNAUTHENTICATED: Kind.UNAUTHORIZED,
    grpc.StatusCode.PERMISSION_DENIED: Kind.UNAUTHORIZED,
    # What a 2.x answers to a 1.x client: its services have other names.
    grpc.StatusCode.UNIMPLEMENTED: Kind.UNSUPPORTED,
    grpc.StatusCode.NOT_FOUND: Kind.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS: Kind.ALREADY_EXISTS,
}
# In this order: a text can hold the words of a later row too.
_BY_TEXT = (
    (re.compile(r"requires an activation key to create more than \d+ total pipelines"), Kind.LIMIT),
    (re.compile(r"as subvenance, deleting it would break"), Kind.BLOCKED),
    (
        re.compile(
            r"no authentication token|not authorized|token.*(?:corrupted|expired)|is not signed in", re.IGNORECASE
        ),
        Kind.UNAUTHORIZED,
    ),
    (re.compile(r"HEAD commit of this pipeline's spec branch is open"), Kind.BUSY),
    (
        re.compile(r"transaction conflict|etcdserver: |connection refused|context (?:canceled|deadline exceeded)"),
        Kind.BUSY,
    ),
    (re.compile(r"already exists"), Kind.ALREADY_EXISTS),
    (re.compile(r"not found|does not exist|has been deleted"), Kind.NOT_FOUND),
)


def kind_of(error: grpc.RpcError) -> Kind:
    """What a failed call is about."""
    by_code = _BY_CODE.get(error.code())
    if by_code is not None:
        return by_code
    text = error.details() or ""
    return next((kind for pattern, kind in _BY_TEXT if pattern.search(text)), Kind.OTHER)


def translate(error: grpc.RpcError, *, doing: str, address: str) -> SpoutError:
    """The failure of a call as the runtime takes it; what the server said is in its `said`, word for word.

    Args:
        error: what gRPC raised.
        doing: what was asked, for the message, for example `create the pipeline 'my-spout'`.
        address: which server was asked.
    """
    said = error.details() or error.code().name
    match kind_of(error):
        case Kind.UNREACHABLE:
            return Unreachable(
                f"could not {doing}: the Pachyderm at {address} did not answer; it is tried again; "
                "see that pachd runs and that the address is right",
                said=f"{error.code().name}: {said}",
            )
        case Kind.UNAUTHORIZED:
            return Stalled(
                Reason.UNAUTHORIZED,
                f"could not {doing}: Pachyderm refuses the operator; "
                "put a valid token into the file of --pachd-token-file",
                said=said,
            )
        case Kind.UNSUPPORTED:
            return Stalled(
                Reason.UNSUPPORTED_PACHYDERM,
                f"could not {doing}: the server at {address} is no Pachyderm 1.13; this operator speaks 1.13 only",
                said=said,
            )
        case Kind.LIMIT:
            return Stalled(
                Reason.PIPELINE_LIMIT_REACHED,
                f"could not {doing}: this Pachyderm is at its limit of pipelines, where it takes no updates either; "
                "delete one, or activate it",
                said=said,
            )
        case Kind.BLOCKED:
            return Stalled(
                Reason.DELETION_BLOCKED,
                f"could not {doing}: other pipelines read its repo; delete them first, "
                "or set spec.deletionPolicy to KeepRepo or Orphan",
                said=said,
            )
        case Kind.NOT_FOUND:
            return Missing(f"could not {doing}: Pachyderm does not find it; it is tried again", said=said)
        case _:
            return Retryable(
                Reason.PACHYDERM_ERROR, f"could not {doing}: Pachyderm failed; it is tried again", said=said
            )
