"""The address of Pachyderm, as it is written on the command line."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spout_operator.config import ConfigError, PachdAddress


@dataclass(frozen=True)
class Address:
    """An address and what it means."""

    text: str
    host: str
    port: int
    tls: bool
    reason: str


ADDRESSES = [
    Address("grpc://pachd.pachyderm:650", "pachd.pachyderm", 650, tls=False, reason="a Service in the cluster"),
    Address("grpcs://pachd.example.org:443", "pachd.example.org", 443, tls=True, reason="grpcs is TLS"),
    Address("grpc://10.0.0.1:30650", "10.0.0.1", 30650, tls=False, reason="an IPv4 address"),
    Address("grpc://[2001:db8::1]:650", "2001:db8::1", 650, tls=False, reason="an IPv6 address stands in brackets"),
]


@pytest.mark.parametrize("row", ADDRESSES, ids=lambda row: row.text)
def test_an_address_is_read_and_shown_as_it_was_written(row: Address) -> None:
    address = PachdAddress.parse(row.text)

    assert address == PachdAddress(host=row.host, port=row.port, tls=row.tls), row.reason
    assert address.url == row.text, row.reason


@dataclass(frozen=True)
class Refused:
    """A text that is no address."""

    text: str
    reason: str


REFUSED = [
    Refused("", "nothing was written"),
    Refused("pachd:650", "without the scheme it is not clear whether TLS is wanted"),
    Refused("http://pachd:650", "Pachyderm speaks gRPC"),
    Refused("grpc://pachd", "no port"),
    Refused("grpc://pachd:", "no port"),
    Refused("grpc://pachd:0", "no port to connect to"),
    Refused("grpc://pachd:65536", "no such port"),
    Refused("grpc://pachd:pps", "ports are numbers"),
    Refused("grpc://:650", "no host"),
    Refused("grpc://[::1:650", "half a bracket"),
    Refused("grpc://pachd:650/v1", "gRPC has no path to prefix"),
    Refused("grpc://pachd:650?tls=true", "TLS is said by the scheme"),
    Refused("grpc://pachd:650#tls", "what means nothing is a mistake"),
]


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: repr(row.text))
def test_a_wrong_address_is_refused_with_an_example(row: Refused) -> None:
    with pytest.raises(ConfigError) as error:
        PachdAddress.parse(row.text)

    assert repr(row.text) in str(error.value), row.reason
    assert "grpc://pachd.pachyderm:650" in str(error.value), row.reason


@pytest.mark.parametrize(
    "text",
    [
        "grpc://robot:hunter2@pachd:650",
        "grpc://:hunter2@pachd:650",
        "grpc://hunter2@pachd:650",
        "grpc://robot:hunter2@pachd:no-port",
        "grpc://robot:hunter2@pachd",
        "http://robot:hunter2@pachd:650",
        "robot:hunter2@pachd:650",
        "grpc://robot:#hunter2@pachd:650",
    ],
)
def test_credentials_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ConfigError, match="put the token into a file") as error:
        PachdAddress.parse(text)

    assert "hunter2" not in str(error.value)


@given(st.text("grpcs:/[]@#?.a1% ", max_size=20))
def test_any_text_is_an_address_or_a_config_error(text: str) -> None:
    try:
        address = PachdAddress.parse(text)
    except ConfigError:
        return
    assert PachdAddress.parse(address.url) == address
