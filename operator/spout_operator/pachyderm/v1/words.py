"""The words in which pachd 1.13.4 answers that something is wrong, and what each of them means.

Nearly all of its errors arrive as gRPC UNKNOWN with a text, so texts are matched: here and nowhere else. What is not
in the table is taken for trouble that passes. Only what the server is known to say of a spec is a refusal, for a
refused spec waits for a person, and only "not found" in the words for just that thing is an absence, for a pipeline
that is absent is made anew, or its Spout let go.
"""

import dataclasses
import enum
import re

import grpc


class Kind(enum.Enum):
    """What a failure is about; some are no failure to a caller that asked for just that."""

    NOT_FOUND = "not found"
    NO_FILE = "no such file"
    ALREADY_EXISTS = "already exists"
    UNREADABLE = "the spec cannot be read"
    UNREACHABLE = "unreachable"
    UNAUTHORIZED = "unauthorized"
    UNSUPPORTED = "unsupported"
    LIMIT = "limit"
    BLOCKED = "blocked"
    REFUSED = "refused"
    OTHER = "other"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """One thing that pachd says.

    `pattern` matches from the beginning of the text: what a user wrote can be quoted further on, and holds any
    words. `source` is where pachd 1.13.4 says it, below `src/`.
    """

    kind: Kind
    pattern: re.Pattern[str]
    source: str


def _rows(kind: Kind, source: str, *patterns: str) -> list[Words]:
    return [Words(kind=kind, pattern=re.compile(pattern, re.DOTALL), source=source) for pattern in patterns]


_PPS = "server/pps/server/api_server.go"

TABLE = [
    # All that is said of a spec before anything is written.
    *_rows(
        Kind.REFUSED,
        f"{_PPS} validatePipelineRequest",
        r"invalid pipeline spec: ",
        r"pipeline name is \d+ characters long, but must have at most 63: ",
        r"s3 output is not supported in spouts or services",
        r"pipeline must specify a transform",
    ),
    *_rows(Kind.REFUSED, "server/pkg/ancestry/ancestry.go ValidateName", r"invalid pipeline name: "),
    *_rows(
        Kind.REFUSED,
        f"{_PPS} validatePipelineInTransaction",
        r"pipeline names must start with an alphanumeric character",
        r"invalid transform: ",
        r"ParallelismSpec\.Coefficient cannot be negative",
        r"contradictory parallelism strategies: ",
        r"services can only be run with a constant parallelism of 1",
        r"pipeline needs to specify an output branch",
        r"could not parse cacheSize '",
        r"malformed Pod(?:Spec|Patch)",
        r"the following service type .* is not allowed",
        r"spouts are not allowed to have a stats branch",
        r"the spout marker name must be a valid filename: ",
        r"spout pipelines \(without a service\) must not have an input",
    ),
    *_rows(Kind.REFUSED, f"{_PPS} newErrPipelineUpdate", r"pipeline \S+ update error: "),
    *_rows(Kind.REFUSED, f"{_PPS} getExpectedNumWorkers", r"unable to interpret ParallelismSpec "),
    *_rows(
        Kind.REFUSED,
        f"{_PPS} validateEnterpriseChecks",
        r"Pachyderm Community Edition requires an activation key to create pipelines with parallelism more than \d+",
    ),
    *_rows(
        Kind.LIMIT,
        f"{_PPS} validateEnterpriseChecks",
        r"Pachyderm Community Edition requires an activation key to create more than \d+ total pipelines",
    ),
    *_rows(Kind.ALREADY_EXISTS, f"{_PPS} newErrPipelineExists", r"pipeline \S+ already exists$"),
    *_rows(
        Kind.NOT_FOUND,
        f"{_PPS} inspectPipelineInTransaction, newErrPipelineNotFound",
        r'pipeline "?[^" ]+"? not found$',
    ),
    *_rows(
        Kind.UNREADABLE,
        "server/pkg/ppsutil/util.go GetPipelineInfo",
        r"could not retrieve pipeline spec file from PFS for pipeline '",
        r"could not unmarshal PipelineInfo bytes from PFS: ",
    ),
    # The file system.
    *_rows(
        Kind.NOT_FOUND,
        "server/pkg/collection/errors.go ErrNotFound",
        r"\S*/repos/ .* not found$",
        r"\S*/branches/\S+/ .* not found$",
    ),
    *_rows(Kind.NOT_FOUND, "server/pfs/pfs.go ErrCommitNotFound", r"commit \S+ not found in repo \S+$"),
    *_rows(Kind.NO_FILE, "server/pfs/pfs.go ErrFileNotFound", r"file .* not found in repo \S+ at commit \S+$"),
    *_rows(Kind.NO_FILE, "server/pkg/hashtree/db.go", r'file ".*" not found$'),
    *_rows(
        Kind.BLOCKED,
        "server/pfs/server/driver.go deleteBranch",
        r"delete branch .* as subvenance, deleting it would break those branches$",
    ),
    # These have a code of their own, which gets lost where one service hears it from another and puts words before it.
    *_rows(
        Kind.UNAUTHORIZED,
        "client/auth/auth.go",
        r".*no authentication (?:token|metadata) \(try logging in\)",
        r".*provided auth token is corrupted or has expired",
        r".*token (?:expiration is in the past|has expired or is already revoked)",
        r".*not authorized to perform this operation",
    ),
]

_BY_CODE = {
    grpc.StatusCode.UNAVAILABLE: Kind.UNREACHABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED: Kind.UNREACHABLE,
    grpc.StatusCode.CANCELLED: Kind.UNREACHABLE,
    grpc.StatusCode.UNAUTHENTICATED: Kind.UNAUTHORIZED,
    grpc.StatusCode.PERMISSION_DENIED: Kind.UNAUTHORIZED,
}
#: What a 2.x answers to a 1.x client: its services have other names. gRPC makes the same code of an HTTP 404, which an
#: ingress answers while there is no pachd behind it.
_NO_SERVICE = re.compile(r"unknown (?:service|method) ")


def kind_of(error: grpc.RpcError) -> Kind:
    """What a failed call is about; OTHER where the words are none of the known ones."""
    code, said = error.code(), error.details() or ""
    if code in _BY_CODE:
        return _BY_CODE[code]
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return Kind.UNSUPPORTED if _NO_SERVICE.match(said) else Kind.OTHER
    return next((words.kind for words in TABLE if words.pattern.match(said)), Kind.OTHER)
