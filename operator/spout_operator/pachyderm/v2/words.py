"""The codes and words in which pachd 2.12.2 answers that something is wrong, and what each of them means.

Much of it has a gRPC code of its own; the rest arrives as UNKNOWN with a text. What is not in the table is taken for
trouble that passes: only what the server is known to say of a spec is a refusal, for a refused spec waits for a
person. A pipeline counts as absent only where the code says so and the words are those for just that.
"""

import dataclasses
import enum
import re

import grpc


class Kind(enum.Enum):
    """What a failure is about; some are no failure to a caller that asked for just that."""

    NOT_FOUND = "not found"
    ALREADY_EXISTS = "already exists"
    REPO_EXISTS = "repo exists"
    ALREADY_FINISHED = "already finished"
    NO_PROJECT = "no such project"
    MISSING_SECRET = "no such Secret"  # noqa: S105 - no password
    UNREACHABLE = "unreachable"
    NO_DATABASE = "no database"
    NOT_SIGNED_IN = "not signed in"
    TOKEN_UNKNOWN = "token unknown"  # noqa: S105 - no password
    NOT_AUTHORIZED = "not authorized"
    OTHER_API = "another API"
    BLOCKED = "blocked"
    REFUSED = "refused"
    OTHER = "other"


def _rows(kind: Kind, *patterns: str) -> list[tuple[Kind, re.Pattern[str]]]:
    return [(kind, re.compile(pattern, re.DOTALL)) for pattern in patterns]


#: pachd says this of every token too while its PostgreSQL does not answer (measured on 2.12.2).
_CORRUPTED = r".*provided auth token is corrupted or has expired"

#: Matched from the beginning of the text: what a user wrote can be quoted further on, and holds any words.
TABLE = [
    # src/server/pps/server/api_server.go and defaults.go: a project is needed to know its defaults.
    *_rows(
        Kind.NO_PROJECT,
        r'could not make effective spec: could not get defaults for project .*project "[^"]*" not found$',
    ),
    *_rows(Kind.ALREADY_FINISHED, r"commit \S+ has already finished"),
    *_rows(Kind.REFUSED, r"could not make effective spec: invalid effective spec "),
    *_rows(Kind.REPO_EXISTS, r'pipeline "[^"]+" cannot be created because a repo with the same name already exists'),
    # validatePipelineRequest and validateSecret.
    *_rows(Kind.MISSING_SECRET, r"missing Kubernetes secret ", r"Kubernetes secret \S+ missing key "),
    *_rows(
        Kind.REFUSED,
        r"invalid pipeline spec: ",
        r"invalid pipeline name",
        r"invalid ancestry syntax ",
        r'pipeline name "[^"]*" is \d+ characters longer than the \d+ max',
        r'Kubernetes name "[^"]*" is \d+ characters longer than the \d+ max',
        r"pipeline names must start with an alphanumeric character",
        r"pipeline must specify a transform",
        r"invalid transform",
        r"secret \S+ has env_var set but is missing key",
        r"toleration \d+/\d+: ",
        r"malformed Pod(?:Spec|Patch)",
        r"the following service type \S* is not allowed",
        r"spout pipelines \(without a service\) must not have an input",
        r"cannot update pipeline type",
        r"could not unmarshal ",
    ),
    *_rows(Kind.BLOCKED, r"delete branch .* cannot be deleted because it's in the direct provenance of "),
    # src/auth/auth.go. These have a code of their own, which gets lost where one service hears it from another.
    *_rows(
        Kind.NOT_SIGNED_IN,
        r".*no authentication (?:token|metadata) \(try logging in\)",
        r".*token expiration is in the past",
    ),
    *_rows(Kind.TOKEN_UNKNOWN, _CORRUPTED),
    *_rows(Kind.NOT_AUTHORIZED, r".*is not authorized to perform this operation - needs permissions "),
    # What pgx and PostgreSQL say, at the end of what pachd was doing. Last, as a refusal above can quote any words.
    *_rows(
        Kind.NO_DATABASE,
        r".*failed to connect to `host=",
        # https://www.postgresql.org/docs/current/errcodes-appendix.html: connection exceptions, shutdown, start.
        r".*\(SQLSTATE (?:08[0-9A-Z]{3}|57P0[123])\)",
    ),
]

_BY_CODE = {
    grpc.StatusCode.DEADLINE_EXCEEDED: Kind.UNREACHABLE,
    grpc.StatusCode.CANCELLED: Kind.UNREACHABLE,
    grpc.StatusCode.UNAUTHENTICATED: Kind.NOT_SIGNED_IN,
    grpc.StatusCode.PERMISSION_DENIED: Kind.NOT_AUTHORIZED,
    grpc.StatusCode.ALREADY_EXISTS: Kind.ALREADY_EXISTS,
}
#: What a 1.x answers to a 2.x client: its services have other names. gRPC makes the same code of an HTTP 404, which an
#: ingress answers while there is no pachd behind it.
_NO_SERVICE = re.compile(r"unknown (?:service|method) ")
#: UNAVAILABLE is also what pachd says of a commit.
_NOT_FINISHED = re.compile(r".*commit \S+ not finished", re.DOTALL)
_ABSENT = re.compile(
    r'.*(?:pipeline "[^"]+" not found|(?:repo|branch|commit) \S+ not found|(?:project|repo) "?\S+"? not found)$',
    re.DOTALL,
)
_PERMISSIONS = re.compile(
    r"(?P<subject>\S+) is not authorized to perform this operation - "
    r"needs permissions \[(?P<permissions>[A-Z_ ,]+)\] on (?P<type>[A-Z_]+) (?P<resource>\S+?)\.(?:\s|$)"
)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class MissingRight:
    """What a refusal says: who lacks which permissions on what, such as a REPO `default/my-spout`."""

    subject: str
    permissions: str
    type: str
    resource: str


def kind_of(error: grpc.RpcError) -> Kind:
    """What a failed call is about; OTHER where the words are none of the known ones."""
    code, said = error.code(), error.details() or ""
    if code is grpc.StatusCode.UNAUTHENTICATED and re.match(_CORRUPTED, said, re.DOTALL):
        return Kind.TOKEN_UNKNOWN
    if code in _BY_CODE:
        return _BY_CODE[code]
    if code is grpc.StatusCode.UNAVAILABLE:
        return Kind.OTHER if _NOT_FINISHED.match(said) else Kind.UNREACHABLE
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return Kind.OTHER_API if _NO_SERVICE.match(said) else Kind.OTHER
    if code is grpc.StatusCode.NOT_FOUND:
        return Kind.NOT_FOUND if _ABSENT.match(said) else Kind.OTHER
    return next((kind for kind, pattern in TABLE if pattern.match(said)), Kind.OTHER)


def missing_right(said: str) -> MissingRight | None:
    """What is missing by a refusal's words; None where they do not tell."""
    found = _PERMISSIONS.search(said)
    return MissingRight(**found.groupdict()) if found else None
