"""Connections with and without TLS and a token, and which adapter takes which server."""

import dataclasses
import functools
from pathlib import Path

import pytest

from spout_operator.core.errors import Retryable, Stalled, Unreachable
from spout_operator.core.model import PipelineName
from spout_operator.core.reasons import Reason
from spout_operator.core.server import Server
from spout_operator.pachyderm.selection import SelectedPachyderm
from spout_operator.pachyderm.v1.backend import CAPABILITIES as CAPABILITIES_OF_ONE
from spout_operator.pachyderm.v1.backend import PachydermV1
from spout_operator.pachyderm.v2.backend import PachydermV2, capabilities_of
from tests.contract.calls import Synchronous
from tests.contract.pachyderm.harness import Side
from tests.contract.pachyderm.sides_1 import SideOne


def test_the_server_tells_its_address_and_version_and_what_it_can(side: Side) -> None:
    capabilities = CAPABILITIES_OF_ONE if isinstance(side, SideOne) else capabilities_of(side.version)

    assert side.port.server() == Server(
        address=side.connection.pachd.url, version=side.version, capabilities=capabilities
    )


def test_a_server_without_tls_is_unreachable_with_tls(side: Side) -> None:
    port = side.connect(pachd=dataclasses.replace(side.connection.pachd, tls=True))

    with pytest.raises(Unreachable):
        port.server()


def test_a_token_does_no_harm_where_none_is_needed(side: Side, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("not-needed")
    name = side.created()

    port = side.connect(token_file=token)

    assert set(port.list()) - side.others == {name}
    assert port.observe(name).spec == side.observed(name).spec


def test_a_missing_token_file_is_named_in_the_error(side: Side, tmp_path: Path) -> None:
    missing = tmp_path / "token"

    with pytest.raises(Retryable, match=str(missing)) as caught:
        side.connect(token_file=missing).list()

    assert caught.value.reason is Reason.PACHYDERM_ERROR


def test_the_version_decides_which_adapter_serves(side: Side) -> None:
    adapters = [functools.partial(adapter, side.connection) for adapter in (PachydermV1, PachydermV2)]

    server = Synchronous(SelectedPachyderm(adapters)).server()

    assert server.capabilities.projects is not isinstance(side, SideOne)


def test_an_adapter_writes_nothing_to_a_server_of_another_major_version(side: Side) -> None:
    other = PachydermV2 if isinstance(side, SideOne) else PachydermV1
    name = side.created()

    with pytest.raises(Stalled) as caught:
        Synchronous(other(side.connection)).stop(PipelineName(name=name))

    assert caught.value.reason is Reason.UNSUPPORTED_PACHYDERM
    assert not side.observed(name).stopped
