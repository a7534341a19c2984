"""The port `Events` over events.k8s.io/v1: one request for each Event."""

import collections
import contextlib
import dataclasses
import datetime
import hashlib
import http
from typing import Any

from spout_operator.blocking import BlockingCalls, in_thread
from spout_operator.core.errors import EventRefused, Outdated
from spout_operator.core.events import Event
from spout_operator.core.model import SpoutKey
from spout_operator.kubernetes.api import JSON, MERGE_PATCH, Api, ApiError
from spout_operator.kubernetes.resource import GROUP, KIND, VERSION

#: The API server wants a qualified name.
CONTROLLER = f"{GROUP}/spout-operator"
#: An Event that happens again within this time makes a series (client-go, tools/events/event_broadcaster.go:
#: finishTime).
SERIES = datetime.timedelta(minutes=6)
#: Events that are remembered for that.
MOST_REMEMBERED = 1000
#: Characters that the API server takes: of a reportingInstance, and of a name.
LONGEST_INSTANCE, LONGEST_NAME = 128, 253
#: What the API server may take at another time; whatever else it refuses, it refuses again.
_PASSING = frozenset({http.HTTPStatus.REQUEST_TIMEOUT, http.HTTPStatus.TOO_MANY_REQUESTS})

_EPOCH = datetime.datetime.fromtimestamp(0, datetime.UTC)

_Identity = tuple[str, Event]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Written:
    name: str
    count: int
    last: datetime.datetime


class KubernetesEvents:
    """See `spout_operator.ports.Events` for the contract."""

    def __init__(self, api: Api, *, instance: str) -> None:
        """Write nothing yet.

        Args:
            api: the API server.
            instance: this replica, for example the name of its Pod.
        """
        # One at a time: the order is kept, and a burst of Events is no burst of requests.
        self.calls = BlockingCalls("events", threads=1)
        self._api = api
        self._instance = instance[:LONGEST_INSTANCE]
        #: By Spout and Event, the oldest first.
        self._written: collections.OrderedDict[_Identity, _Written] = collections.OrderedDict()

    @in_thread
    def write(self, key: SpoutKey, uid: str, event: Event, at: datetime.datetime) -> None:
        self._forget_before(at - SERIES)
        identity = uid, event
        known = self._written.get(identity)
        if known is not None and known.last == at:
            return
        try:
            written = self._count_one_more(key, known, at) if known is not None else None
            written = written or self._create(key, uid, event, at)
        except ApiError as error:
            if error.status < http.HTTPStatus.INTERNAL_SERVER_ERROR and error.status not in _PASSING:
                raise EventRefused(error.message) from error
            raise
        self._written[identity] = written
        self._written.move_to_end(identity)
        if len(self._written) > MOST_REMEMBERED:
            self._written.popitem(last=False)

    def close(self) -> None:
        self.calls.close()

    async def ended(self) -> None:
        await self.calls.ended()

    def _create(self, key: SpoutKey, uid: str, event: Event, at: datetime.datetime) -> _Written:
        name = _name(key, uid, event, at)
        body = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": key.namespace},
            "eventTime": _micro_time(at),
            "reportingController": CONTROLLER,
            "reportingInstance": self._instance,
            "type": event.type,
            "reason": event.reason,
            "action": event.action,
            "note": event.note,
            "regarding": {
                "apiVersion": f"{GROUP}/{VERSION}",
                "kind": KIND,
                "namespace": key.namespace,
                "name": key.name,
                "uid": uid,
            },
        }
        # Where there is one of that name, it is this one, and the answer was lost.
        with contextlib.suppress(Outdated):
            self._request("create", key, "", body)
        return _Written(name=name, count=1, last=at)

    def _count_one_more(self, key: SpoutKey, known: _Written, at: datetime.datetime) -> _Written | None:
        """Make the Event a series, or go on with it; None where it is gone meanwhile."""
        count = known.count + 1
        body = {"series": {"count": count, "lastObservedTime": _micro_time(at)}}
        try:
            self._request("patch", key, f"/{known.name}", body, content_type=MERGE_PATCH)
        except ApiError as error:
            if error.status != http.HTTPStatus.NOT_FOUND:
                raise
            return None
        return _Written(name=known.name, count=count, last=at)

    def _request(self, verb: str, key: SpoutKey, name: str, body: dict[str, Any], content_type: str = JSON) -> None:
        path = f"/apis/events.k8s.io/v1/namespaces/{key.namespace}/events{name}"
        doing = f"{verb} an Event of the {KIND} {key}"
        self._api.request(verb, path, doing=doing, resource="events", body=body, content_type=content_type)

    def _forget_before(self, moment: datetime.datetime) -> None:
        while self._written and (oldest := next(iter(self._written.items())))[1].last < moment:
            del self._written[oldest[0]]


def _name(key: SpoutKey, uid: str, event: Event, at: datetime.datetime) -> str:
    """The same for the same Event, so that one whose answer was lost is not written twice.

    `kubectl describe` lists Events in the order of their names, so the time comes first, as in client-go.
    """
    told = f"{uid}\n{event.reason}\n{event.note}"
    nanoseconds = (at - _EPOCH) // datetime.timedelta(microseconds=1) * 1000
    suffix = f".{nanoseconds:016x}{hashlib.sha256(told.encode()).hexdigest()[:8]}"
    return key.name[: LONGEST_NAME - len(suffix)].rstrip("-.") + suffix


def _micro_time(moment: datetime.datetime) -> str:
    """As MicroTime wants it: exactly six digits after the point."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
