"""The Spouts as the watch and our own writes last showed them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from spout_operator.core.model import SpoutKey
from spout_operator.core.parsing import parse_key, pipeline_name, secrets_of_all
from spout_operator.core.redaction import Secrets

Body = Mapping[str, Any]


class SpoutCache:
    """Bodies by key, and which Spouts name which pipeline. Used from the event loop only."""

    def __init__(self, wake: Callable[[SpoutKey], None]) -> None:
        """Know nothing yet.

        Args:
            wake: told of every Spout that wants a look, whoever brought the news.
        """
        self._wake = wake
        self._bodies: dict[SpoutKey, Body] = {}
        self._claims: dict[str, set[SpoutKey]] = {}

    def get(self, key: SpoutKey) -> Body | None:
        """The resource, None where it is not known."""
        return self._bodies.get(key)

    def spouts(self) -> list[SpoutKey]:
        """All Spouts."""
        return list(self._bodies)

    def claims(self) -> Iterator[tuple[str, frozenset[SpoutKey]]]:
        """Every pipeline name with the Spouts that name it."""
        for name, keys in list(self._claims.items()):
            yield name, frozenset(keys)

    def secrets(self) -> Secrets:
        """Those of all Spouts: what no text may hold that is not of one Spout alone."""
        # A copy, as it is asked for by whatever thread logs.
        return secrets_of_all(list(self._bodies.values()))

    def put(self, body: Body) -> None:
        """Take in a body, unless it is older than what is known.

        Resource versions of one kind are ordered (Kubernetes 1.35, KEP-5504), and have been in
        practice before: an event that was on its way while we wrote must not undo what we know.
        """
        key = parse_key(body)
        known = self._bodies.get(key)
        if known is not None and _version(body) < _version(known):
            return
        self._bodies[key] = body
        if known is not None:
            self._unclaim(key, known)
        self._claims.setdefault(pipeline_name(body), set()).add(key)
        if known is None or _wants_a_look(known, body):
            self._wake(key)

    def update(self, body: Body) -> None:
        """As `put`, for the answer to a write: a Spout that is gone by now does not come back."""
        known = self._bodies.get(parse_key(body))
        if known is not None and known["metadata"]["uid"] == body["metadata"]["uid"]:
            self.put(body)

    def drop(self, key: SpoutKey, *, uid: str) -> None:
        """Forget a Spout that is gone, unless another of that name has come since.

        Those that named the same pipeline want a look too: it may be their turn.
        """
        known = self._bodies.get(key)
        if known is None or known["metadata"]["uid"] != uid:
            return
        rivals = self.rivals(key)
        self._unclaim(key, self._bodies.pop(key))
        for woken in rivals | {key}:
            self._wake(woken)

    def rivals(self, key: SpoutKey) -> frozenset[SpoutKey]:
        """The other Spouts that name the same pipeline."""
        return frozenset(self._claims[pipeline_name(self._bodies[key])] - {key})

    def older_claim(self, key: SpoutKey) -> SpoutKey | None:
        """The oldest other Spout that names the same pipeline, was there before this one, and is to stay."""
        body = self._bodies[key]
        older = [
            rival
            for rival in self.rivals(key)
            if _seniority(self._bodies[rival]) < _seniority(body) and not _is_being_deleted(self._bodies[rival])
        ]
        return min(older, key=lambda rival: _seniority(self._bodies[rival]), default=None)

    def _unclaim(self, key: SpoutKey, body: Body) -> None:
        name = pipeline_name(body)
        self._claims[name].discard(key)
        if not self._claims[name]:
            del self._claims[name]


def _version(body: Body) -> int:
    return int(body["metadata"]["resourceVersion"])


def _wants_a_look(before: Body, after: Body) -> bool:
    old, new = before["metadata"], after["metadata"]
    if any(old.get(field) != new.get(field) for field in ("uid", "generation", "deletionTimestamp")):
        return True
    # One that was taken away may have been ours; one that was added is mostly our own doing.
    return bool(set(old.get("finalizers", ())) - set(new.get("finalizers", ())))


def _is_being_deleted(body: Body) -> bool:
    return bool(body["metadata"].get("deletionTimestamp"))


def _seniority(body: Body) -> tuple[str, str]:
    return body["metadata"]["creationTimestamp"], body["metadata"]["uid"]
