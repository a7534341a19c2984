"""What the suite needs on either side of the port besides the port itself: what others do to the Lease, and outages."""

import dataclasses
import datetime
from typing import Protocol

from kubernetes import client

from spout_operator.core.lease import Lease
from spout_operator.ports import Leases
from spout_testbed.forward import Forwarder
from tests.contract.calls import answer
from tests.fakes.memory_leases import MemoryLeases

NOON = datetime.datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=datetime.UTC)


def a_lease(**fields: object) -> Lease:
    """A Lease that is held; without a version, as one that is still to be made."""
    held = Lease(holder="one", duration=15.0, acquired=NOON, renewed=NOON, transitions=0)
    return dataclasses.replace(held, **fields)  # type: ignore[arg-type] # fields of any type


class Others(Protocol):
    """What other people do, and outages."""

    def make_empty(self) -> None:
        """Make a Lease in which nothing stands."""

    def delete(self) -> None:
        """Delete the Lease."""

    def cut_off(self) -> None:
        """Let no request reach the server any more."""

    def lose_answer(self) -> None:
        """Let the next write be made, and its answer be lost."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Side:
    """One side of the port: its methods, and what others do."""

    port: Leases
    others: Others

    def read(self) -> Lease | None:
        return answer(self.port.read)

    def write(self, lease: Lease) -> Lease:
        return answer(self.port.write, lease)


class MemoryOthers:
    """Others, for a Lease in memory."""

    def __init__(self, leases: MemoryLeases) -> None:
        self._leases = leases

    def make_empty(self) -> None:
        self._leases.lease = Lease(holder="", duration=0.0, acquired=None, renewed=None, transitions=0, version="1")

    def delete(self) -> None:
        self._leases.lease = None

    def cut_off(self) -> None:
        self._leases.is_down = True

    def lose_answer(self) -> None:
        self._leases.loses_answers = True


class RealOthers:
    """Others, for a Lease of a real kube-apiserver that the port reaches by way of a forwarder."""

    def __init__(self, kube: client.ApiClient, namespace: str, name: str, forwarder: Forwarder) -> None:
        self._api = client.CoordinationV1Api(kube)
        self._namespace = namespace
        self._name = name
        self._forwarder = forwarder

    def make_empty(self) -> None:
        metadata = client.V1ObjectMeta(name=self._name)
        self._api.create_namespaced_lease(self._namespace, client.V1Lease(metadata=metadata))

    def delete(self) -> None:
        self._api.delete_namespaced_lease(self._name, self._namespace)

    def cut_off(self) -> None:
        self._forwarder.close()

    def lose_answer(self) -> None:
        self._forwarder.silence(answers_only=True)
