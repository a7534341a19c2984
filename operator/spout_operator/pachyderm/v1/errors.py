"""Pachyderm 1.13's failures in our terms: what a person has to mend, what is tried again, and what to say of it."""

import grpc

from spout_operator.core.errors import Missing, Retryable, SpoutError, Stalled, Unreachable, Unreadable
from spout_operator.core.reasons import Reason
from spout_operator.pachyderm.api_errors import OtherApi
from spout_operator.pachyderm.v1.words import Kind, kind_of


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
            return OtherApi(
                Reason.UNSUPPORTED_PACHYDERM,
                f"could not {doing}: the server at {address} is no Pachyderm 1.13.4; "
                "this operator works with Pachyderm 1.13.4 and 2.8 to 2.12",
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
        case Kind.REFUSED:
            return Stalled(Reason.PIPELINE_REJECTED, f"could not {doing}: Pachyderm refuses it", said=said)
        case Kind.UNREADABLE:
            return Unreadable(
                f"could not {doing}: Pachyderm cannot read its spec; it is tried again; "
                "see that pachd's object storage answers",
                said=said,
            )
        case Kind.NOT_FOUND | Kind.NO_FILE:
            return Missing(f"could not {doing}: Pachyderm does not find it; it is tried again", said=said)
        case _:
            return Retryable(
                Reason.PACHYDERM_ERROR, f"could not {doing}: Pachyderm failed; it is tried again", said=said
            )


def unsupported(version: str, *, is_older: bool, address: str) -> SpoutError:
    """The failure of a server that answers, and is of a version that nothing was tried with."""
    advice = (
        "upgrade Pachyderm to 1.13.4, the last patch release of 1.13"
        if is_older
        else "this operator works with Pachyderm 1.13.4 and 2.8 to 2.12"
    )
    return Stalled(
        Reason.UNSUPPORTED_PACHYDERM,
        f"the Pachyderm at {address} is of version {version}, which the operator was not tested with, so it writes "
        f"nothing there: {advice}",
    )
