"""The heads of a repo, read off the answer to ListBranch: it is asked for more often than all else."""

from spout_operator.core.model import Heads
from spout_operator.pachyderm import wire
from spout_operator.pachyderm.v1.sdk import pfs_pb2

#: Pachyderm 1.13 writes a spout's data here unless told otherwise, and the operator never does.
OUTPUT_BRANCH = "master"
#: Pachyderm 1.13.4, src/server/pkg/ppsconsts: the branch on which it keeps a spout's marker.
MARKER_BRANCH = "marker"


def _number(message: str, field: str) -> int:
    number: int = pfs_pb2.DESCRIPTOR.message_types_by_name[message].fields_by_name[field].number
    return number


_INFOS = _number("BranchInfos", "branch_info")
_NAME = _number("BranchInfo", "branch"), _number("Branch", "name")
_HEAD = _number("BranchInfo", "head"), _number("Commit", "id")


def heads(answer: bytes) -> Heads:
    """The heads in a serialized BranchInfos.

    Raises:
        ValueError: these bytes are no BranchInfos.
    """
    found = {wire.text(info, *_NAME): wire.text(info, *_HEAD) or None for info in wire.values(answer, _INFOS)}
    return Heads(output=found.get(OUTPUT_BRANCH), marker=found.get(MARKER_BRANCH))
