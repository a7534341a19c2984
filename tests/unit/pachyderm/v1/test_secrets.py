"""What pachd says can quote a key: it is in no text of an exception, and in no log line."""

import json
import logging
import textwrap
from collections.abc import Awaitable, Callable

import grpc
import pytest

from spout_operator.core.errors import Retryable
from spout_operator.pachyderm.v1.backend import PachydermV1
from tests.builders import a_name, a_spec, a_transform, an_owner
from tests.memory_pachd import MemoryPachd

NAME = a_name()
KEY = '-----BEGIN KEY-----\nMIIEowIBAAKCAQEA0451\n  two  blanks, "quotes" and back\\slashes\n-----END KEY-----\n'
SPEC = a_spec(transform=a_transform(env={"KEY": KEY}))
FORMS = [
    pytest.param(KEY, id="as it is"),
    pytest.param(json.dumps(KEY), id="quoted"),
    pytest.param(f'invalid spec "{json.dumps(KEY)[1:30]}..."', id="cut off"),
    pytest.param(textwrap.indent(KEY, "      "), id="as a block of YAML"),
]
CALLS: dict[str, Callable[[PachydermV1], Awaitable[object]]] = {
    "CreatePipeline": lambda adapter: adapter.create(NAME, SPEC, an_owner()),
    "InspectPipeline": lambda adapter: adapter.observe(NAME),
    "ListBranch": lambda adapter: adapter.heads(NAME),
    "ListPipeline": lambda adapter: adapter.list(),
}


def pieces_of_the_key(told: str) -> list[str]:
    return [piece for line in KEY.splitlines() for piece in (line, line[:8], line[-8:]) if piece in told]


@pytest.mark.parametrize("said", FORMS)
@pytest.mark.parametrize("method", CALLS)
async def test_a_key_that_pachd_quotes_is_only_in_what_it_said(
    pachd: MemoryPachd, adapter: PachydermV1, caplog: pytest.LogCaptureFixture, said: str, method: str
) -> None:
    caplog.set_level(logging.DEBUG)
    pachd.fail(method, grpc.StatusCode.UNKNOWN, f"cannot use {said}")

    with pytest.raises(Retryable) as caught:
        await CALLS[method](adapter)

    assert f"cannot use {said}" in caught.value.said
    assert pieces_of_the_key(f"{caught.value}{caught.value!r}{caplog.text}") == []
