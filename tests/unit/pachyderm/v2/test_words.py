"""What pachd 2.12.2 answers, word for word as it was heard, and the kind of each."""

import dataclasses
from typing import Any

import grpc
import pytest

from spout_operator.core.errors import Retryable, Stalled, Unreachable
from spout_operator.core.model import PipelineName
from spout_operator.core.reasons import Reason
from spout_operator.pachyderm.v2.errors import translate
from spout_operator.pachyderm.v2.words import Kind, kind_of

Code = grpc.StatusCode
RIGHTS = (
    "robot:op is not authorized to perform this operation - needs permissions [REPO_WRITE] on REPO other/y. "
    "Run `pachctl auth roles-for-permission` to find roles that grant a given permission."
)
NO_PROJECT = (
    "could not make effective spec: could not get defaults for project nope: could not get defaults for project nope: "
    'error getting project "nope": get project by name: project "nope" not found'
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


ROWS = [
    Row(reason="nobody answers", code=Code.UNAVAILABLE, said="failed to connect", kind=Kind.UNREACHABLE),
    Row(reason="no answer in time", code=Code.DEADLINE_EXCEEDED, said="Deadline Exceeded", kind=Kind.UNREACHABLE),
    Row(
        reason="an open commit is no outage",
        code=Code.UNAVAILABLE,
        said="commit default/a@0123456789ab4def8123456789abcdef not finished",
        kind=Kind.OTHER,
    ),
    Row(reason="a 1.13 server", code=Code.UNIMPLEMENTED, said="unknown service versionpb_v2.API", kind=Kind.OTHER_API),
    Row(
        reason="an ingress without pachd",
        code=Code.UNIMPLEMENTED,
        said="unexpected HTTP status code received from server: 404",
        kind=Kind.OTHER,
    ),
    Row(
        reason="no pipeline",
        code=Code.NOT_FOUND,
        said='pipeline was not inspected: couldn\'t find up to date spec for pipeline "default/nope": pick commit tx: '
        "commit default/nope.spec@ not found\nrepo default/nope.spec not found\n"
        'pipeline "default/nope" not found',
        kind=Kind.NOT_FOUND,
    ),
    Row(
        reason="something else that is not found is no absent pipeline",
        code=Code.NOT_FOUND,
        said="bucket is gone",
        kind=Kind.OTHER,
    ),
    Row(
        reason="it exists",
        code=Code.ALREADY_EXISTS,
        said='pipeline "default/a" already exists',
        kind=Kind.ALREADY_EXISTS,
    ),
    Row(
        reason="its repo exists",
        said='pipeline "r1" cannot be created because a repo with the same name already exists',
        kind=Kind.REPO_EXISTS,
    ),
    Row(
        reason="no such project",
        code=Code.INVALID_ARGUMENT,
        said=NO_PROJECT,
        kind=Kind.NO_PROJECT,
    ),
    Row(
        reason="a project whose defaults cannot be read just now may well be there",
        code=Code.INVALID_ARGUMENT,
        said="could not make effective spec: could not get defaults for project ingest: could not get defaults for "
        "project ingest: context canceled",
        kind=Kind.OTHER,
    ),
    Row(
        reason="no PostgreSQL",
        said="list commit set: for each commit: getting page: failed to connect to `host=192.0.2.1 user=pachyderm "
        "database=pachyderm`: dial error (dial tcp 192.0.2.1:5432: connect: connection refused)",
        kind=Kind.NO_DATABASE,
    ),
    Row(
        reason="PostgreSQL was just stopped",
        said="could not list pipeline info: list query into buffer with offset 0: FATAL: terminating connection due to "
        "administrator command (SQLSTATE 57P01)",
        kind=Kind.NO_DATABASE,
    ),
    Row(
        reason="PostgreSQL answers, and refuses a statement",
        said="ERROR: duplicate key value violates unique constraint (SQLSTATE 23505)",
        kind=Kind.OTHER,
    ),
    Row(
        reason="a refusal that quotes such words from a spec",
        code=Code.INVALID_ARGUMENT,
        said='could not make effective spec: invalid effective spec {"description":"failed to connect to `host="}',
        kind=Kind.REFUSED,
    ),
    Row(
        reason="a spec that pachd does not take, which quotes words of the user",
        code=Code.INVALID_ARGUMENT,
        said='could not make effective spec: invalid effective spec {"description":"already exists"}: '
        "malformed PodPatch",
        kind=Kind.REFUSED,
    ),
    Row(
        reason="a name that is too long",
        said='pipeline name "x" is 1 characters longer than the 51 max',
        kind=Kind.REFUSED,
    ),
    Row(
        reason="a project and a name that are too long together",
        said='Kubernetes name "p-x-v99" is 5 characters longer than the 63 max',
        kind=Kind.REFUSED,
    ),
    Row(reason="no Secret", said="missing Kubernetes secret kafka", kind=Kind.MISSING_SECRET),
    Row(
        reason="it is read",
        said='delete branch default/a@master: branch "default/a@master" cannot be deleted because it\'s in the direct '
        "provenance of [default/cr@master default/cr.meta@master]",
        kind=Kind.BLOCKED,
    ),
    Row(
        reason="no token",
        code=Code.UNAUTHENTICATED,
        said="no authentication token (try logging in)",
        kind=Kind.NOT_SIGNED_IN,
    ),
    Row(
        reason="a wrong token, or no PostgreSQL",
        code=Code.UNAUTHENTICATED,
        said="provided auth token is corrupted or has expired (try logging in again)",
        kind=Kind.TOKEN_UNKNOWN,
    ),
    Row(reason="a missing right", code=Code.PERMISSION_DENIED, said=RIGHTS, kind=Kind.NOT_AUTHORIZED),
    Row(reason="a missing right without its code", said=f"error stopping: {RIGHTS}", kind=Kind.NOT_AUTHORIZED),
    Row(reason="words that nobody knows", said="dial tcp: connection refused", kind=Kind.OTHER),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_an_answer_is_of_its_kind(row: Row) -> None:
    assert kind_of(Answer(row.code, row.said)) is row.kind


def translated(code: grpc.StatusCode, said: str) -> Exception:
    name = PipelineName(project="other", name="y")
    return translate(Answer(code, said), doing="update it", address="grpc://pachd:30650", name=name)


def refusal(kind: str, resource: str) -> str:
    return RIGHTS.replace("REPO other/y", f"{kind} {resource}")


@pytest.mark.parametrize(
    ("said", "ends"),
    [
        pytest.param(
            RIGHTS,
            "lacks REPO_WRITE on repo other/y. To grant it: pachctl auth set repo y repoOwner robot:op --project other",
            id="a repo",
        ),
        pytest.param(
            f"error creating output repo for y: failed to create repo: {refusal('PROJECT', 'other')}",
            "lacks REPO_WRITE on project other. To grant it: pachctl auth set project other projectWriter robot:op",
            id="a project",
        ),
        pytest.param(
            refusal("CLUSTER", "CLUSTER"),
            "lacks REPO_WRITE on cluster CLUSTER; docs/guides/rights-on-pachyderm-2.md has the rights that it needs",
            id="the cluster: nothing that a Spout needs",
        ),
        pytest.param(
            "robot:op is not welcome",
            "lacks a right; docs/guides/rights-on-pachyderm-2.md has the rights that it needs",
            id="words that do not tell",
        ),
    ],
)
def test_a_missing_right_is_named_with_the_command_that_grants_it(said: str, ends: str) -> None:
    error = translated(Code.PERMISSION_DENIED, said)

    assert isinstance(error, Stalled)
    assert error.reason is Reason.UNAUTHORIZED
    assert error.message == f"could not update it: the operator's token {ends}"


def test_without_its_database_nothing_is_known_of_what_a_pachyderm_holds() -> None:
    error = translated(Code.UNKNOWN, "failed to connect to `host=192.0.2.1 user=pachyderm`: dial error")

    assert isinstance(error, Unreachable)
    assert "the Pachyderm at grpc://pachd:30650 answers, but its PostgreSQL does not" in error.message


def test_a_missing_project_is_named_with_the_command_that_creates_it() -> None:
    error = translated(Code.INVALID_ARGUMENT, NO_PROJECT)

    assert isinstance(error, Stalled)
    assert error.reason is Reason.PROJECT_NOT_FOUND
    assert "pachctl create project other" in error.message


def test_an_unknown_token_is_tried_again_as_the_database_may_be_away() -> None:
    error = translated(Code.UNAUTHENTICATED, "provided auth token is corrupted or has expired (try logging in again)")

    assert isinstance(error, Retryable)
    assert error.reason is Reason.UNAUTHORIZED
