"""The failures that every Pachyderm has, in our terms: what a person has to mend, and what is tried again.

`doing` is what was asked, for example `create the pipeline 'my-spout'`; `said` is what the server answered, word for
word.
"""

import grpc

from spout_operator.core.errors import Missing, Retryable, SpoutError, Stalled, Unreachable
from spout_operator.core.reasons import Reason

SUPPORTED = "this operator works with Pachyderm 1.13.4 and 2.8 to 2.12"


class OtherApi(Stalled):
    """The server does not know the API of the adapter's major version, so it cannot even tell its own version."""

    def __init__(self, doing: str, said: str, *, address: str, wanted: str) -> None:
        message = f"could not {doing}: the server at {address} is no Pachyderm {wanted}; {SUPPORTED}"
        super().__init__(Reason.UNSUPPORTED_PACHYDERM, message, said=said)


def unsupported(version: str, *, address: str, upgrade: str | None) -> SpoutError:
    """The failure of a server that answers, and is of a version that nothing was tried with.

    `upgrade` says to what it can be upgraded, and is None where it is newer.
    """
    return Stalled(
        Reason.UNSUPPORTED_PACHYDERM,
        f"the Pachyderm at {address} is of version {version}, which the operator was not tested with, so it writes "
        f"nothing there: {SUPPORTED if upgrade is None else f'upgrade Pachyderm to {upgrade}'}",
    )


def unreachable(doing: str, error: grpc.RpcError, *, address: str) -> SpoutError:
    """There was no answer in time."""
    code = error.code().name
    return Unreachable(
        f"could not {doing}: the Pachyderm at {address} did not answer; it is tried again; "
        "see that pachd runs and that the address is right",
        said=f"{code}: {error.details() or code}",
    )


def unreadable_file(doing: str, error: OSError) -> SpoutError:
    """The file with the token or with the authorities cannot be read."""
    message = f"could not {doing}: {error}; see that the file is there and can be read"
    return Retryable(Reason.PACHYDERM_ERROR, message)


def unauthorized(doing: str, said: str) -> SpoutError:
    """The token is not accepted."""
    return Stalled(
        Reason.UNAUTHORIZED,
        f"could not {doing}: Pachyderm refuses the operator; put a valid token into the file of --pachd-token-file",
        said=said,
    )


def blocked(doing: str, said: str) -> SpoutError:
    """Somebody reads the output repo."""
    return Stalled(
        Reason.DELETION_BLOCKED,
        f"could not {doing}: other pipelines read its repo; delete them first, "
        "or set spec.deletionPolicy to KeepRepo or Orphan",
        said=said,
    )


def refused(doing: str, said: str) -> SpoutError:
    """The server does not take the spec."""
    return Stalled(Reason.PIPELINE_REJECTED, f"could not {doing}: Pachyderm refuses it", said=said)


def not_found(doing: str, said: str) -> SpoutError:
    """What was asked about is not there."""
    return Missing(f"could not {doing}: Pachyderm does not find it; it is tried again", said=said)


def failed(doing: str, said: str) -> SpoutError:
    """Trouble that passes, as far as anybody knows."""
    return Retryable(Reason.PACHYDERM_ERROR, f"could not {doing}: Pachyderm failed; it is tried again", said=said)
