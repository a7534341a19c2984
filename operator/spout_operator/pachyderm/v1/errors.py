"""Pachyderm 1.13's failures in our terms: what a person has to mend, what is tried again, and what to say of it."""

import grpc

from spout_operator.core.errors import SpoutError, Stalled, Unreadable
from spout_operator.core.reasons import Reason
from spout_operator.pachyderm import failures
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
            return failures.unreachable(doing, error, address=address)
        case Kind.UNAUTHORIZED:
            return failures.unauthorized(doing, said)
        case Kind.UNSUPPORTED:
            return failures.OtherApi(doing, said, address=address, wanted="1.13.4")
        case Kind.LIMIT:
            return Stalled(
                Reason.PIPELINE_LIMIT_REACHED,
                f"could not {doing}: this Pachyderm is at its limit of pipelines, where it takes no updates either; "
                "delete one, or activate it",
                said=said,
            )
        case Kind.BLOCKED:
            return failures.blocked(doing, said)
        case Kind.REFUSED:
            return failures.refused(doing, said)
        case Kind.UNREADABLE:
            return Unreadable(
                f"could not {doing}: Pachyderm cannot read its spec; it is tried again; "
                "see that pachd's object storage answers",
                said=said,
            )
        case Kind.NOT_FOUND | Kind.NO_FILE:
            return failures.not_found(doing, said)
        case _:
            return failures.failed(doing, said)
