"""The heads are read from the bytes of an answer as protobuf would read them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spout_operator.core.model import Heads
from spout_operator.pachyderm.v1.branches import heads
from spout_operator.pachyderm.v1.sdk import pfs_pb2

names = st.sampled_from(["master", "marker", "side", ""])
ids = st.sampled_from(["", "c1", "ü" * 200])


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(names, ids))
def test_the_heads_are_those_of_the_output_and_the_marker_branch(branches: dict[str, str]) -> None:
    repo = pfs_pb2.Repo(name="my-spout")
    infos = [
        pfs_pb2.BranchInfo(
            name=name,
            branch=pfs_pb2.Branch(repo=repo, name=name),
            head=pfs_pb2.Commit(repo=repo, id=head) if head else None,
            provenance=[pfs_pb2.Branch(repo=repo, name="master")],
        )
        for name, head in branches.items()
    ]

    found = heads(pfs_pb2.BranchInfos(branch_info=infos).SerializeToString())

    assert found == Heads(output=branches.get("master") or None, marker=branches.get("marker") or None)


def test_an_answer_without_branches_has_no_heads() -> None:
    assert heads(b"") == Heads()


@pytest.mark.parametrize("answer", [b"\x0a", b"\x0a\x05\x22", b"\x0a\x04\x22\x02\x12\xff", b"\x0b"], ids=repr)
def test_a_malformed_answer_is_an_error(answer: bytes) -> None:
    with pytest.raises(ValueError, match=r"field|codec"):
        heads(answer)
