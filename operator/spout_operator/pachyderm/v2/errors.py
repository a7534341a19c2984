"""Pachyderm 2's failures in our terms: what a person has to mend, what is tried again, and what to say of it."""

import grpc

from spout_operator.core.errors import Retryable, SpoutError, Stalled, Unreachable
from spout_operator.core.model import PipelineName
from spout_operator.core.reasons import Reason
from spout_operator.pachyderm import failures
from spout_operator.pachyderm.v2.words import Kind, kind_of, missing_right

_PAGE = "docs/guides/rights-on-pachyderm-2.md"


def translate(  # noqa: C901, PLR0912 - one case for each kind
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
            return failures.unreachable(doing, error, address=address)
        case Kind.NO_DATABASE:
            # As if it did not answer: nothing is known of what it holds.
            return Unreachable(
                f"could not {doing}: the Pachyderm at {address} answers, but its PostgreSQL does not; it is tried "
                "again; see that PostgreSQL runs, and PgBouncer in front of it",
                said=said,
            )
        case Kind.NOT_SIGNED_IN:
            return failures.unauthorized(doing, said)
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
            return failures.OtherApi(doing, said, address=address, wanted="2")
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
            return failures.blocked(doing, said)
        case Kind.REFUSED:
            return failures.refused(doing, said)
        case Kind.NOT_FOUND:
            return failures.not_found(doing, said)
        case _:
            return failures.failed(doing, said)


def _right_to_grant(said: str) -> str:
    """What is missing, and the command that grants it: the smallest role with which a Spout can be managed."""
    found = missing_right(said)
    if found is None:
        return f"the operator's token lacks a right; {_PAGE} has the rights that it needs"
    message = f"the operator's token lacks {found.permissions} on {found.type.lower()} {found.resource}"
    project, _, repo = found.resource.partition("/")
    match found.type:
        case "PROJECT":
            command = f"pachctl auth set project {project} projectWriter {found.subject}"
        case "REPO" if repo:
            command = f"pachctl auth set repo {repo} repoOwner {found.subject} --project {project}"
        case _:
            return f"{message}; {_PAGE} has the rights that it needs"
    return f"{message}. To grant it: {command}"


def _pachctl(name: PipelineName | None) -> str:
    """The arguments of pachctl for the repo of a pipeline."""
    return "" if name is None else f"{name.name} --project {name.project}"
