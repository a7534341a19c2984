"""The version of a server is remembered, and asked for again when a call fails as those to another server do."""

from collections.abc import Callable

import grpc
import pytest

from spout_operator.config import PachdAddress
from spout_operator.core.errors import Retryable, SpoutError, Unreachable
from spout_operator.core.reasons import Reason
from spout_operator.pachyderm.connection import Clients, Connection
from spout_operator.pachyderm.failures import OtherApi
from spout_operator.pachyderm.requests import Requests
from spout_operator.telemetry.metrics import Metrics

ADDRESS = "grpc://pachd:650"


class NoAnswer(grpc.RpcError):  # type: ignore[misc] # gRPC publishes no types
    """Whatever gRPC raises."""


def requests(failure: SpoutError, versions: Callable[[], str]) -> Requests[str, str]:
    """Of a server whose calls end in this failure, and that tells its version."""
    connection = Connection(pachd=PachdAddress.parse(ADDRESS), telemetry=Metrics())
    return Requests(
        Clients(connection, lambda _token, _certificates: "client"),
        kind_of=lambda _error: "failed",
        translate=lambda _error, _doing, _name: failure,
        ask_version=lambda _client: versions(),
    )


@pytest.mark.parametrize(
    ("failure", "version"),
    [
        pytest.param(Unreachable("gone"), "2.12.2", id="it may come back as another version"),
        pytest.param(
            OtherApi("list", "unknown service", address=ADDRESS, wanted="1.13.4"),
            "2.12.2",
            id="it is another one already, and no call had failed before",
        ),
        pytest.param(Retryable(Reason.PACHYDERM_ERROR, "no"), "1.13.4", id="any other failure is of the same server"),
    ],
)
def test_the_version_is_asked_for_again_when_the_server_may_be_another(failure: SpoutError, version: str) -> None:
    told = iter(["1.13.4", "2.12.2"])
    asked = requests(failure, lambda: next(told))
    assert asked.version() == "1.13.4"

    with pytest.raises(type(failure)), asked.call("list the pipelines"):
        raise NoAnswer

    assert asked.version() == version
