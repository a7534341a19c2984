"""What a ServiceAccount asked the API server for, as the API server itself wrote it down."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request, without what differs from one to the next of its kind; `status` is the HTTP status."""

    user: str
    verb: str
    group: str
    resource: str
    namespace: str
    name: str
    status: int
    path: str

    @property
    def is_write(self) -> bool:
        """Whether it would have changed something."""
        return self.verb in WRITES


def requests(log: Path, *, since: int = 0) -> Iterator[Request]:
    """All requests of ServiceAccounts in the audit log from byte `since` on."""
    with log.open("rb") as file:
        file.seek(since)
        for line in file:
            event = json.loads(line)
            what = event.get("objectRef", {})
            resource = what.get("resource", "")
            if what.get("subresource"):
                resource += f"/{what['subresource']}"
            yield Request(
                user=event["user"]["username"],
                verb=event["verb"],
                group=what.get("apiGroup", ""),
                resource=resource,
                namespace=what.get("namespace", ""),
                name=what.get("name", ""),
                status=event["responseStatus"]["code"],
                path=event["requestURI"].partition("?")[0],
            )


def size(log: Path) -> int:
    """Where the log ends now."""
    return log.stat().st_size if log.exists() else 0
