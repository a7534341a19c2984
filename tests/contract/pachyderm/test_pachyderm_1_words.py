"""The words of pachd's refusals. The adapter distinguishes them by these words: nearly all are gRPC UNKNOWN."""

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from spout_operator.pachyderm.v1.sdk import pps_pb2
from tests.contract.pachyderm.harness import NO_COMMIT
from tests.contract.pachyderm.sides_1 import SideOne


@dataclasses.dataclass(frozen=True, kw_only=True)
class Words:
    """The whole answer of pachd to a call on a repo with one commit on each branch (`{}` stands for the repo)."""

    reason: str
    call: Callable[[Any, str], object]
    says: str


def _create(client: Any, name: str) -> None:
    # Without a parallelism, where the pipeline has one, a real pachd of the Community Edition would crash.
    alone = pps_pb2.ParallelismSpec(constant=1)
    client.create_pipeline(name, transform=pps_pb2.Transform(image="i"), spout=pps_pb2.Spout(), parallelism_spec=alone)


WORDS = [
    Words(
        reason="no such pipeline",
        call=lambda client, name: client.inspect_pipeline(f"no-{name}"),
        says=r'pipeline "no-{}" not found',
    ),
    Words(
        reason="no such pipeline to start",
        call=lambda client, name: client.start_pipeline(f"no-{name}"),
        says=r'pipeline "no-{}" not found',
    ),
    Words(
        reason="no such pipeline to stop",
        call=lambda client, name: client.stop_pipeline(f"no-{name}"),
        says=r'pipeline "no-{}" not found',
    ),
    Words(reason="a pipeline is there already", call=_create, says="pipeline {} already exists"),
    Words(
        reason="no such repo",
        call=lambda client, name: client.inspect_repo(f"no-{name}"),
        says="/pachyderm_pfs/repos/ no-{} not found",
    ),
    Words(
        reason="no such repo to list branches of",
        call=lambda client, name: client.list_branch(f"no-{name}"),
        says="/pachyderm_pfs/repos/ no-{} not found",
    ),
    Words(
        reason="no such repo to list commits of",
        call=lambda client, name: list(client.list_commit(f"no-{name}", to_commit=(f"no-{name}", NO_COMMIT))),
        says="/pachyderm_pfs/repos/ no-{} not found",
    ),
    Words(
        reason="no such commit",
        call=lambda client, name: client.inspect_commit((name, NO_COMMIT)),
        says=f"commit {NO_COMMIT} not found in repo {{}}",
    ),
    Words(
        reason="no such commit to list from",
        call=lambda client, name: list(client.list_commit(name, to_commit=(name, NO_COMMIT))),
        says=f"commit {NO_COMMIT} not found in repo {{}}",
    ),
    Words(
        reason="no such branch",
        call=lambda client, name: client.inspect_commit((name, "nowhere")),
        says="/pachyderm_pfs/branches/{}/ nowhere not found",
    ),
    Words(
        reason="no such file",
        call=lambda client, name: client.inspect_file((name, "marker"), "nothing"),
        says="file nothing not found in repo {} at commit [0-9a-f]+",
    ),
    Words(
        reason="no such file to read",
        call=lambda client, name: list(client.get_file((name, "marker"), "nothing")),
        says='file "/nothing" not found',
    ),
]


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words.reason.replace(" ", "-"))
def test_pachd_refuses_in_these_words(one: SideOne, words: Words) -> None:
    name = one.created()
    one.spout.commit(name)
    one.spout.marker(name, {"offset": b"1"})

    with pytest.raises(grpc.RpcError) as caught:
        words.call(one.client, name)

    assert caught.value.code() is grpc.StatusCode.UNKNOWN
    assert re.fullmatch(words.says.replace("{}", name), caught.value.details())


def test_pachd_refuses_to_delete_a_repo_that_is_read_in_these_words(one: SideOne) -> None:
    name = one.created()
    reader = one.someones_pipeline(reads=name)

    with pytest.raises(grpc.RpcError) as caught:
        one.client.delete_pipeline(name)

    assert caught.value.code() is grpc.StatusCode.UNKNOWN
    assert caught.value.details() == (
        f'delete branch repo:<name:"{name}" > name:"master" : branch master has [repo:<name:"{reader}" > '
        'name:"master" ] as subvenance, deleting it would break those branches'
    )


def test_a_branch_that_has_no_commit_yet_has_no_head(one: SideOne) -> None:
    name = one.created()

    with pytest.raises(grpc.RpcError) as caught:
        one.client.inspect_commit((name, "master"))

    assert caught.value.details() == "the branch \"master\" has no head (create one with 'start commit')"
