"""What the suite needs on either side of the port besides the port itself: to look at Events, and outages."""

import dataclasses
import datetime
from collections.abc import Callable
from typing import Any, Protocol

from kubernetes import client

from spout_operator.core.events import Event, EventReason, EventType
from spout_operator.core.model import SpoutKey
from spout_operator.ports import Events
from spout_testbed.forward import Forwarder
from tests.builders import NOON
from tests.contract.calls import answer
from tests.fakes.memory_events import MemoryEvents, Stored

UID = "3f6f1c4e-0000-4000-8000-000000000001"


def an_event(**fields: object) -> Event:
    """An Event of a Spout that runs."""
    event = Event(type=EventType.NORMAL, reason=EventReason.RUNNING, action="Observe", note="the spout is running")
    return dataclasses.replace(event, **fields)  # type: ignore[arg-type] # fields of any type


def after(**time: float) -> datetime.datetime:
    """A moment so long after noon."""
    return NOON + datetime.timedelta(**time)


class Others(Protocol):
    """What people see, and outages."""

    def look(self) -> list[Stored]:
        """The Events of the namespace, oldest first."""

    def delete_all(self) -> None:
        """Delete the Events, as the API server does after an hour."""

    def refuse(self) -> Events:
        """The port for an operator that may not write Events."""

    def cut_off(self) -> None:
        """Let no request reach the server any more."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Side:
    """One side of the port: its methods, and what others do."""

    port: Events
    others: Others
    namespace: str

    def write(self, event: Event, at: datetime.datetime = NOON, *, name: str = "my-spout", uid: str = UID) -> None:
        answer(self.port.write, SpoutKey(namespace=self.namespace, name=name), uid, event, at)

    def found(self) -> list[tuple[Event, int]]:
        """The Events and their counts, oldest first."""
        return [(stored.event, stored.count) for stored in self.others.look()]


class MemoryOthers:
    """Others, for Events in memory."""

    def __init__(self, events: MemoryEvents) -> None:
        self._events = events

    def look(self) -> list[Stored]:
        return self._events.stored

    def delete_all(self) -> None:
        self._events.stored.clear()

    def refuse(self) -> Events:
        self._events.refuses = True
        return self._events

    def cut_off(self) -> None:
        self._events.is_down = True


class RealOthers:
    """Others, for a real kube-apiserver that the port reaches by way of a forwarder."""

    def __init__(
        self, kube: client.ApiClient, namespace: str, forwarder: Forwarder, refused: Callable[[], Events]
    ) -> None:
        self._api = client.EventsV1Api(kube)
        self._namespace = namespace
        self._forwarder = forwarder
        self.refuse = refused

    def look(self) -> list[Stored]:
        items = self._api.list_namespaced_event(self._namespace).items
        return sorted(map(_stored, items), key=lambda stored: stored.first)

    def delete_all(self) -> None:
        self._api.delete_collection_namespaced_event(self._namespace)

    def cut_off(self) -> None:
        self._forwarder.close()


def _stored(found: Any) -> Stored:  # the client says of each field that it can be missing
    regarding, series = found.regarding, found.series
    assert (regarding.api_version, regarding.kind) == ("spout-operator.io/v1alpha1", "Spout")
    assert found.metadata.namespace == regarding.namespace
    assert (found.reporting_controller, found.reporting_instance) == (
        "spout-operator.io/spout-operator",
        "this-replica",
    )
    return Stored(
        key=SpoutKey(namespace=regarding.namespace, name=regarding.name),
        uid=regarding.uid,
        event=Event(type=EventType(found.type), reason=EventReason(found.reason), action=found.action, note=found.note),
        first=found.event_time,
        last=series.last_observed_time if series is not None else found.event_time,
        count=series.count if series is not None else 1,
    )
