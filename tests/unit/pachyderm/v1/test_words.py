"""The answers of pachd 1.13.4, word for word from its source, and the kind of each.

`tests/contract/pachyderm` shows on a real server those that a client can bring about.
"""

import dataclasses
from typing import Any

import grpc
import pytest

from spout_operator.pachyderm.v1.words import TABLE, Kind, kind_of

Code = grpc.StatusCode
COMMIT = "0123456789ab4def8123456789abcdef"
CTA = (
    "Use the command `pachctl enterprise activate` to enter your key.\n\n"
    "Pachyderm offers readily available activation keys for proofs-of-concept, startups, academic, nonprofit, or "
    "open-source projects. Tell us about your project to get one."
)


class Answer(grpc.RpcError):  # type: ignore[misc] # gRPC publishes no types
    def __init__(self, code: Any, details: str | None) -> None:
        self._code, self._details = code, details

    def code(self) -> Any:
        return self._code

    def details(self) -> str | None:
        return self._details


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    reason: str
    said: str
    kind: Kind
    code: grpc.StatusCode = Code.UNKNOWN

    def __str__(self) -> str:
        return self.reason.replace(" ", "-")


def refused(reason: str, said: str) -> Row:
    return Row(reason=reason, said=said, kind=Kind.REFUSED)


REFUSALS = [
    refused("no request", "invalid pipeline spec: request.Pipeline cannot be nil"),
    refused("no name", "invalid pipeline spec: request.Pipeline.Name cannot be empty"),
    refused(
        "a reprocess spec of another kind",
        "invalid pipeline spec: ReprocessSpec must be one of 'until_success' or 'every_job'",
    ),
    refused("no hashtrees", "invalid pipeline spec: HashtreeSpec.Constant must be > 0"),
    refused(
        "a letter that no name has",
        "invalid pipeline name: name (a.b) invalid: only alphanumeric characters, underscores, and dashes are allowed",
    ),
    refused("a long name", 'pipeline name is 64 characters long, but must have at most 63: "' + "a" * 64 + '"'),
    refused("a name that begins with a dash", "pipeline names must start with an alphanumeric character"),
    refused("output over S3", "s3 output is not supported in spouts or services"),
    refused("no transform", "pipeline must specify a transform"),
    refused("no transform after defaulting", "invalid transform: pipeline must specify a transform"),
    refused("no image", "invalid transform: pipeline transform must contain an image"),
    refused("a negative coefficient", "ParallelismSpec.Coefficient cannot be negative"),
    refused(
        "two kinds of parallelism",
        "contradictory parallelism strategies: must set at most one of ParallelismSpec.Constant and "
        "ParallelismSpec.Coefficient",
    ),
    refused("a service with two workers", "services can only be run with a constant parallelism of 1"),
    refused("a parallelism that is none", "unable to interpret ParallelismSpec constant:1 coefficient:1 "),
    refused(
        "too many workers for the Community Edition",
        "Pachyderm Community Edition requires an activation key to create pipelines with parallelism more than 8. "
        + CTA,
    ),
    refused("no output branch", "pipeline needs to specify an output branch"),
    refused(
        "a cache size that is no quantity",
        "could not parse cacheSize 'big': quantities must match the regular expression '^([+-]?[0-9.]+)$'",
    ),
    refused("a pod spec that is no JSON", "malformed PodSpec"),
    refused("a pod patch that is no JSON", "malformed PodPatch"),
    refused("a type of service that is none", "the following service type Odd is not allowed"),
    refused("a spout with statistics", "spouts are not allowed to have a stats branch"),
    refused("a marker that is no file name", "the spout marker name must be a valid filename: off*"),
    refused(
        "a marker that holds the words of another failure",
        'the spout marker name must be a valid filename: pipeline "x" not found*',
    ),
    refused("a spout that reads", "spout pipelines (without a service) must not have an input"),
    refused("statistics that cannot be taken away", "pipeline my-spout update error: cannot disable stats"),
]

OTHERS = [
    Row(reason="no such pipeline", said='pipeline "my-spout" not found', kind=Kind.NOT_FOUND),
    Row(reason="no such pipeline, without marks", said="pipeline my-spout not found", kind=Kind.NOT_FOUND),
    Row(reason="no such repo", said="/pachyderm_pfs/repos/ my-spout not found", kind=Kind.NOT_FOUND),
    Row(reason="no such branch", said="/pachyderm_pfs/branches/my-spout/ marker not found", kind=Kind.NOT_FOUND),
    Row(reason="no such commit", said=f"commit {COMMIT} not found in repo my-spout", kind=Kind.NOT_FOUND),
    Row(
        reason="no such file",
        said=f"file a b/offset not found in repo my-spout at commit {COMMIT}",
        kind=Kind.NO_FILE,
    ),
    Row(reason="no such file to read", said='file "/offset" not found', kind=Kind.NO_FILE),
    Row(reason="it is there already", said="pipeline my-spout already exists", kind=Kind.ALREADY_EXISTS),
    Row(
        reason="the spec is lost",
        said="could not retrieve pipeline spec file from PFS for pipeline 'my-spout', there may be a problem reaching "
        "object storage, or the pipeline may need to be deleted and recreated",
        kind=Kind.UNREADABLE,
    ),
    Row(
        reason="the spec is damaged",
        said="could not unmarshal PipelineInfo bytes from PFS: unexpected EOF",
        kind=Kind.UNREADABLE,
    ),
    Row(
        reason="sixteen pipelines",
        said="Pachyderm Community Edition requires an activation key to create more than 16 total pipelines "
        f"(you have 16). {CTA}",
        kind=Kind.LIMIT,
    ),
    Row(
        reason="somebody reads the repo",
        said='delete branch repo:<name:"my-spout" > name:"master" : branch master has [repo:<name:"r" > '
        'name:"master" ] as subvenance, deleting it would break those branches',
        kind=Kind.BLOCKED,
    ),
    Row(
        reason="no token",
        said="no authentication token (try logging in)",
        code=Code.UNAUTHENTICATED,
        kind=Kind.UNAUTHORIZED,
    ),
    Row(
        reason="no metadata",
        said="no authentication metadata (try logging in)",
        code=Code.INTERNAL,
        kind=Kind.UNAUTHORIZED,
    ),
    Row(
        reason="an old token, as one service hears it from another",
        said="error authenticating: rpc error: code = Unauthenticated desc = provided auth token is corrupted or has "
        "expired (try logging in again)",
        kind=Kind.UNAUTHORIZED,
    ),
    Row(
        reason="a revoked token",
        said="token has expired or is already revoked",
        code=Code.INTERNAL,
        kind=Kind.UNAUTHORIZED,
    ),
    Row(
        reason="a token that ends before it begins",
        said="token expiration is in the past",
        code=Code.INTERNAL,
        kind=Kind.UNAUTHORIZED,
    ),
    Row(
        reason="somebody's who may not",
        said="robot:op is not authorized to perform this operation on the repo a, must have at least OWNER access",
        kind=Kind.UNAUTHORIZED,
    ),
    Row(
        reason="auth is being activated",
        said="the auth service is only partially activated",
        code=Code.UNAVAILABLE,
        kind=Kind.UNREACHABLE,
    ),
    Row(reason="a 2.x", said="unknown service pps.API", code=Code.UNIMPLEMENTED, kind=Kind.UNSUPPORTED),
    Row(
        reason="a server of another minor version",
        said="unknown method ListPipeline for service pps.API",
        code=Code.UNIMPLEMENTED,
        kind=Kind.UNSUPPORTED,
    ),
]

PASSING = [
    Row(
        reason="an ingress without a backend",
        said="Received http2 header with status: 404",
        code=Code.UNIMPLEMENTED,
        kind=Kind.OTHER,
    ),
    Row(
        reason="auth was activated no more",
        said="the auth service is not activated",
        code=Code.UNIMPLEMENTED,
        kind=Kind.OTHER,
    ),
    Row(
        reason="the stream is reset", said="Received RST_STREAM with error code 2", code=Code.INTERNAL, kind=Kind.OTHER
    ),
    Row(reason="the stream is gone", said="Stream removed", kind=Kind.OTHER),
    Row(
        reason="no memory", said="grpc: received message larger than max", code=Code.RESOURCE_EXHAUSTED, kind=Kind.OTHER
    ),
    Row(
        reason="object storage does not answer",
        said="RequestError: send request failed caused by: Put https://s3/pach: dial tcp 10.0.0.1:443: i/o timeout",
        kind=Kind.OTHER,
    ),
    Row(reason="object storage lost it", said=f"object {COMMIT} does not exist", kind=Kind.OTHER),
    Row(reason="object storage lost that too", said=f"objectInfoGetter: object {COMMIT} not found", kind=Kind.OTHER),
    Row(reason="a bucket that is not there", said="NoSuchBucket: The specified bucket does not exist", kind=Kind.OTHER),
    Row(reason="etcd", said="etcdserver: request timed out", kind=Kind.OTHER),
    Row(reason="two transactions", said="transaction conflict, will be reattempted", kind=Kind.OTHER),
    Row(reason="another update", said="pipeline updated outside of transaction", kind=Kind.OTHER),
    Row(reason="no enterprise status", said="could not get enterprise status: connection refused", kind=Kind.OTHER),
    Row(
        reason="Kubernetes cannot be asked",
        said="unable to retrieve node list from k8s to determine parallelism: connection refused",
        kind=Kind.OTHER,
    ),
    Row(reason="a Service that is not there", said='services "pipeline-a-v1-user" not found', kind=Kind.OTHER),
    Row(
        reason="the spec repo lost its branch", said="could not create/update output branch: not found", kind=Kind.OTHER
    ),
    Row(reason="no words", said="", kind=Kind.OTHER),
]


@pytest.mark.parametrize("row", [*REFUSALS, *OTHERS, *PASSING], ids=str)
def test_an_answer_of_pachd_has_its_kind(row: Row) -> None:
    assert kind_of(Answer(row.code, row.said)) is row.kind


def test_an_answer_without_details_counts_as_a_passing_failure() -> None:
    assert kind_of(Answer(Code.UNKNOWN, None)) is Kind.OTHER


@pytest.mark.parametrize("words", TABLE, ids=lambda words: words.pattern.pattern)
def test_every_row_of_the_table_has_an_example_and_a_source(words: Any) -> None:
    examples = [row for row in [*REFUSALS, *OTHERS] if row.kind is words.kind and words.pattern.match(row.said)]

    assert examples
    assert words.source


@pytest.mark.parametrize(
    "row",
    [row for row in [*REFUSALS, *OTHERS] if row.code is Code.UNKNOWN and row.kind is not Kind.UNAUTHORIZED],
    ids=str,
)
def test_quoted_words_do_not_decide_the_kind(row: Row) -> None:
    """The server quotes the words of users, of object storage and of Kubernetes."""
    assert kind_of(Answer(Code.UNKNOWN, f"could not write '{row.said}' to object storage")) is Kind.OTHER
