"""Every status that the Spouts of a namespace had, as the watch of the API server tells them: no samples."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from kubernetes import client, watch

from spout_testbed.harness.bodies import GROUP, PLURAL, VERSION, Body
from spout_testbed.harness.spouts import Spouts, summary
from spout_testbed.waiting import eventually

#: A condition without its times and its message: its status and its reason.
State = tuple[str, str]


class History:
    """The statuses since the beginning of this history.

    The API server keeps the changes of about a minute. So `wait` reads them all the time, and a gap would be an error.
    """

    def __init__(self, api_client: client.ApiClient, spouts: Spouts) -> None:
        # The client's types say no more of a custom object than that it is one.
        api: Any = client.CustomObjectsApi(api_client)
        self._list = api.list_namespaced_custom_object
        self._place = (GROUP, VERSION, spouts.namespace, PLURAL)
        self._read_to: str = self._list(*self._place)["metadata"]["resourceVersion"]
        self._spouts = spouts
        self._statuses: defaultdict[str, list[Body]] = defaultdict(list)

    def wait(
        self, name: str, what: str, look: Callable[[Body], object] = bool, *, seconds: float = 60, **wanted: object
    ) -> Body:
        """The newest status, once it is as wanted (as in `Spouts.wait`) and `look` finds something in it."""

        def found() -> Body | None:
            self._read()
            status = self._statuses[name][-1] if self._statuses[name] else {}
            seen = summary(status)
            same = all(seen[key] == value for key, value in wanted.items() if key != "total")
            return status if same and seen["total"] >= wanted.get("total", 0) and look(status) else None

        return eventually(
            found,
            what=f"{name}: {what} ({wanted})",
            seconds=seconds,
            interval=0,
            details=lambda: f"its history: {self.of(name)}\n{self._spouts.details(name)}",
        )

    def of(self, name: str, kind: str = "Ready") -> list[State | None]:
        """What one condition of a Spout was, one after the other; None where it was absent."""
        states: list[State | None] = []
        for status in self._statuses[name]:
            found = [(each["status"], each["reason"]) for each in status.get("conditions", []) if each["type"] == kind]
            state = found[0] if found else None
            if not states or states[-1] != state:
                states.append(state)
        return states

    def since_ready(self, name: str) -> list[State | None]:
        """What Ready was from when it was True for the first time."""
        states = self.of(name)
        first = next((number for number, state in enumerate(states) if state and state[0] == "True"), len(states))
        return states[first:]

    def _read(self) -> None:
        """Read what has changed, for a second."""
        watching: Any = watch.Watch()  # type: ignore[no-untyped-call]
        for event in watching.stream(
            self._list, *self._place, resource_version=self._read_to, timeout_seconds=1, allow_watch_bookmarks=False
        ):
            body = event["object"]
            self._read_to = body["metadata"]["resourceVersion"]
            self._statuses[body["metadata"]["name"]].append(body.get("status", {}))
