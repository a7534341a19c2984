"""The Kubernetes Events of Spouts, as people find them."""

import datetime
from collections.abc import Mapping
from typing import Any

from kubernetes import client

from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually


class Told:
    """The Events of the Spouts of one namespace."""

    def __init__(self, kube: client.ApiClient, spouts: Spouts) -> None:
        # The client's types say that nothing of an Event need be there.
        self._api: Any = client.EventsV1Api(kube)
        self._spouts = spouts

    def until(self, moment: datetime.datetime) -> dict[str, tuple[str, str, int]]:
        """Those that happened for the first time before then: of which Spout, the reason, and how often by now."""
        return {
            event.metadata.name: (event.regarding.name, event.reason, event.series.count if event.series else 1)
            for event in self._list()
            if event.event_time < moment
        }

    def wait(self, expected: Mapping[str, set[str]], *, since: datetime.datetime | None = None) -> None:
        """Wait until each Spout has told of these reasons; of others it may have."""

        def missing() -> dict[str, set[str]]:
            found = {(event.regarding.name, event.reason) for event in self._list(since)}
            lacks = {
                name: {each for each in reasons if (name, each) not in found} for name, reasons in expected.items()
            }
            return {name: reasons for name, reasons in lacks.items() if reasons}

        eventually(
            lambda: not missing(),
            what="each Spout to have told what it has to",
            seconds=90,
            interval=0.5,
            details=lambda: f"missing: {(lacks := missing())}\n{self._spouts.details(next(iter(lacks), ''))}",
        )

    def _list(self, since: datetime.datetime | None = None) -> list[Any]:
        events: list[Any] = self._api.list_namespaced_event(self._spouts.namespace).items
        return [event for event in events if since is None or event.event_time >= since]
