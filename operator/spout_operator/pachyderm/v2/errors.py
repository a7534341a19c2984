"""Pachyderm 2's failures in our terms: what a person has to mend, what is tried again, and what to say of it."""

import grpc

from spout_operator.core.errors import Missing, Retryable, SpoutError, Stalled, Unreachable
from spout_operator.core.model import PipelineName
from spout_operator.core.reasons import Reason
from spout_operator.pachyderm.api_errors import OtherApi
from spout_operator.pachyderm.v2.words import Kind, kind_of, missing_rights

#: The oldest and the newest minor release that the adapter serves.
OLDEST, NEWEST = (2, 8), (2, 12)


def translate(  # noqa: C901 - one case for each kind
    error: grpc.RpcError, *, doing: str, address: str, name: PipelineName | None
) -> SpoutError:
    """The failure of a call as the runtime takes it; what the server said is in its `said`, word for word.

    Args:
        error: what gRPC raised.
        doing: what was asked, for the message, for example `create the pipeline 'my-spout'`.
        address: which server was asked.
        name: the pipeline that it is about.
    """
    said = error.details() or error.code().name
    match kind_of(error):
        case Kind.UNREACHABLE:
            return Unreachable(
                f"could not {doing}: the Pachyderm at {address} did not answer; it is tried again; "
                "see that pachd runs and that the address is right",
                said=f"{error.code().name}: {said}",
            )
        case Kind.NOT_SIGNED_IN:
            return Stalled(
                Reason.UNAUTHORIZED,
                f"could not {doing}: Pachyderm refuses the operator; "
                "put a valid token into the file of --pachd-token-file",
                said=said,
            )
        case Kind.TOKEN_UNKNOWN:
            # Retried, because nobody has to act where only the database is away.
            return Retryable(
                Reason.UNAUTHORIZED,
                f"could not {doing}: Pachyderm does not know the operator's token; it is tried again; put a valid "
                "token into the file of --pachd-token-file, or see that Pachyderm's PostgreSQL answers: without it "
                "pachd knows no token",
                said=said,
            )
        case Kind.NOT_AUTHORIZED:
            return Stalled(Reason.UNAUTHORIZED, f"could not {doing}: {_right_to_grant(said)}", said=said)
        case Kind.OTHER_API:
            return OtherApi(
                Reason.UNSUPPORTED_PACHYDERM,
                f"could not {doing}: the server at {address} is no Pachyderm 2; "
                "this operator works with Pachyderm 1.13.4 and 2.8 to 2.12",
                said=said,
            )
        case Kind.NO_PROJECT if name is not None:
            return Stalled(
                Reason.PROJECT_NOT_FOUND,
                f"could not {doing}: Pachyderm has no project {name.project!r}; "
                f"create it: pachctl create project {name.project}",
                said=said,
            )
        case Kind.REPO_EXISTS:
            return Stalled(
                Reason.REPO_EXISTS,
                f"could not {doing}: a repo of that name exists without a pipeline, and Pachyderm makes no pipeline "
                f"over it. If its data is not needed: pachctl delete repo {_pachctl(name)}; "
                "otherwise make this Spout anew with another spec.name",
                said=said,
            )
        case Kind.MISSING_SECRET:
            return Retryable(
                Reason.PACHYDERM_ERROR,
                f"could not {doing}: a Secret of spec.transform.secrets, or its key, is not in the namespace of "
                "Pachyderm; it is tried again; create it there",
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
        case Kind.NOT_FOUND:
            return Missing(f"could not {doing}: Pachyderm does not find it; it is tried again", said=said)
        case _:
            return Retryable(
                Reason.PACHYDERM_ERROR, f"could not {doing}: Pachyderm failed; it is tried again", said=said
            )


def unsupported(version: str, *, is_older: bool, address: str) -> SpoutError:
    """The failure of a server that answers, and is of a version that nothing was tried with."""
    advice = (
        "upgrade Pachyderm to 2.8 or later" if is_older else "this operator works with Pachyderm 1.13.4 and 2.8 to 2.12"
    )
    return Stalled(
        Reason.UNSUPPORTED_PACHYDERM,
        f"the Pachyderm at {address} is of version {version}, which the operator was not tested with, so it writes "
        f"nothing there: {advice}",
    )


def _right_to_grant(said: str) -> str:
    found = missing_rights(said)
    if found is None:
        return "the operator's token lacks a right; docs/pachyderm-2.12.md has the roles that it needs"
    permissions, kind, resource = found
    on = kind.lower() if kind == "CLUSTER" else f"{kind.lower()} {resource}"
    return (
        f"the operator's token lacks {permissions} on {on}. To find a role that has it: "
        f"pachctl auth roles-for-permission {permissions.split()[0].strip(',')}. "
        f"To grant that role: pachctl auth set {on} ROLE SUBJECT"
    )


def _pachctl(name: PipelineName | None) -> str:
    """The arguments of pachctl for the repo of a pipeline."""
    return "" if name is None else f"{name.name} --project {name.project}"
