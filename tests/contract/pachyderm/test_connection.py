"""Connections with and without TLS and a token."""

import dataclasses
from pathlib import Path

import pytest

from spout_operator.core.errors import Retryable, Unreachable
from spout_operator.core.reasons import Reason
from spout_operator.core.server import Server
from spout_operator.pachyderm.v1.backend import CAPABILITIES, PachydermV1
from tests.contract.pachyderm.harness import Port, Side


def test_the_server_tells_its_address_and_version(side: Side) -> None:
    assert side.port.server() == Server(address=side.connection.pachd.url, version="1.13.4", capabilities=CAPABILITIES)


def test_a_server_without_tls_is_unreachable_with_tls(side: Side) -> None:
    port = Port(
        PachydermV1(dataclasses.replace(side.connection, pachd=dataclasses.replace(side.connection.pachd, tls=True)))
    )

    with pytest.raises(Unreachable):
        port.server()


def test_a_token_does_no_harm_where_none_is_needed(side: Side, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("not-needed")
    name = side.created()

    port = Port(PachydermV1(dataclasses.replace(side.connection, token_file=token)))

    assert set(port.list()) == {name}
    assert port.observe(name) == side.observed(name)


def test_a_missing_token_file_is_named_in_the_error(side: Side, tmp_path: Path) -> None:
    missing = tmp_path / "token"

    with pytest.raises(Retryable, match=str(missing)) as caught:
        Port(PachydermV1(dataclasses.replace(side.connection, token_file=missing))).list()

    assert caught.value.reason is Reason.PACHYDERM_ERROR
