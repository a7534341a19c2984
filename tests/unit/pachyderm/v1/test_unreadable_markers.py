"""What a marker that cannot be read is told as; the controller shows what was said, and tries again."""

import dataclasses

import grpc
import pytest

from spout_operator.core.errors import Missing, Retryable, SpoutError, Stalled, Unreachable
from spout_operator.core.status import marker as markers
from spout_operator.pachyderm.v1.backend import PachydermV1
from tests.builders import a_name, a_spec, an_owner
from tests.memory_pachd import MemoryPachd

Code = grpc.StatusCode
NAME = a_name()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trouble:
    reason: str
    method: str
    code: grpc.StatusCode
    said: str
    kind: type[SpoutError] = Retryable

    def __str__(self) -> str:
        return self.reason.replace(" ", "-")


TROUBLES = [
    Trouble(reason="object storage refuses", method="WalkFile", code=Code.UNKNOWN, said="AccessDenied: 403"),
    Trouble(reason="object storage lost it", method="GetFile", code=Code.UNKNOWN, said="object abc does not exist"),
    Trouble(reason="something else", method="InspectCommit", code=Code.INTERNAL, said="panic"),
    Trouble(
        reason="this call alone takes too long",
        method="WalkFile",
        code=Code.DEADLINE_EXCEEDED,
        said="too slow",
        kind=Unreachable,
    ),
    Trouble(
        reason="the commit is not there",
        method="InspectCommit",
        code=Code.UNKNOWN,
        said="commit 0123456789ab4def8123456789abcdef not found in repo my-spout",
        kind=Missing,
    ),
    Trouble(
        reason="the operator may not read the file",
        method="GetFile",
        code=Code.UNKNOWN,
        said="robot:op is not authorized to perform this operation on the repo my-spout",
        kind=Stalled,
    ),
]


@pytest.mark.parametrize("trouble", TROUBLES, ids=str)
async def test_an_unreadable_marker_is_told_with_what_pachd_said(
    pachd: MemoryPachd, adapter: PachydermV1, trouble: Trouble
) -> None:
    await adapter.create(NAME, a_spec(), an_owner())
    head = pachd.write_marker(NAME.name, {"offset": b"2"})
    pachd.fail(trouble.method, trouble.code, trouble.said)

    with pytest.raises(SpoutError, match="could not read the marker 'offset'") as caught:
        await adapter.marker(NAME, "offset", head, limits=markers.LIMITS)

    assert type(caught.value) is trouble.kind
    assert trouble.said in caught.value.said
    found = await adapter.marker(NAME, "offset", head, limits=markers.LIMITS)
    assert found is not None
    assert found.files[0].content == b"2"
