"""The Spouts as the watch and our own writes last showed them."""

import dataclasses
import functools
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from spout_operator.core import facts
from spout_operator.core.facts import Facts
from spout_operator.core.model import SpoutKey
from spout_operator.core.redaction import Secrets
from spout_operator.core.spec.parsing import secrets_of_all

Body = Mapping[str, Any]

#: Of the metadata: who wrote which field, as long as the rest of the resource, and never asked for.
_UNUSED = "managedFields"
#: Of the annotations: the whole manifest once more, as kubectl keeps it.
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@dataclasses.dataclass(frozen=True, slots=True)
class _Known:
    facts: Facts
    text: bytes
    """The resource as JSON: a fifth of the memory that it takes as objects."""


class SpoutCache:
    """Resources by key, and which Spouts name which pipeline. Used from the event loop only."""

    def __init__(self, wake: Callable[[SpoutKey], None]) -> None:
        """Know nothing yet.

        Args:
            wake: told of every Spout that wants a look, whoever brought the news.
        """
        self._wake = wake
        self._known: dict[SpoutKey, _Known] = {}
        self._claims: dict[str, frozenset[SpoutKey]] = {}
        self._secrets: Secrets | None = None

    def get(self, key: SpoutKey) -> Body | None:
        """The resource, without what nobody asks for; None where it is not known. It is not to be changed."""
        known = self._known.get(key)
        return _read(known.text) if known is not None else None

    def facts(self, key: SpoutKey) -> Facts | None:
        """What is known of it without reading the resource; None where it is not known."""
        known = self._known.get(key)
        return known.facts if known is not None else None

    def all_facts(self) -> Collection[Facts]:
        """Those of every Spout."""
        return [known.facts for known in self._known.values()]

    def spouts(self) -> list[SpoutKey]:
        """All Spouts."""
        return list(self._known)

    def claims(self) -> Iterator[tuple[str, frozenset[SpoutKey]]]:
        """Every pipeline name with the Spouts that name it."""
        return iter(list(self._claims.items()))

    def secrets(self) -> Secrets:
        """Those of all Spouts: what no text may hold that is not of one Spout alone."""
        # Kept until a Spout changes: a defect that hits every Spout asks for it as often.
        found = self._secrets
        if found is None:
            # Of a copy, as it is asked for by whatever thread logs.
            found = self._secrets = secrets_of_all(json.loads(known.text) for known in list(self._known.values()))
        return found

    def put(self, body: Body) -> None:
        """Take in a body, unless it is older than what is known.

        An event that was on its way while we wrote must not undo what we know.
        """
        self._take_in(facts.read(body), body)

    def update(self, body: Body) -> None:
        """As `put`, for the answer to a write: a Spout that is gone by now does not come back."""
        new = facts.read(body)
        known = self.facts(new.key)
        if known is not None and known.uid == new.uid:
            self._take_in(new, body)

    def drop(self, key: SpoutKey, *, uid: str) -> None:
        """Forget a Spout that is gone, unless another of that name has come since.

        Those that named the same pipeline want a look too: it may be their turn.
        """
        known = self.facts(key)
        if known is None or known.uid != uid:
            return
        rivals = self.rivals(key)
        self._unclaim(self._known.pop(key).facts)
        self._secrets = None
        for woken in rivals | {key}:
            self._wake(woken)

    def rivals(self, key: SpoutKey) -> frozenset[SpoutKey]:
        """The other Spouts that name the same pipeline."""
        return self._claims[self._known[key].facts.pipeline_name] - {key}

    def older_claim(self, key: SpoutKey) -> SpoutKey | None:
        """The oldest other Spout that names the same pipeline, was there before this one, and is to stay."""
        seniority = self._known[key].facts.seniority
        rivals = [self._known[rival].facts for rival in self.rivals(key)]
        older = [rival for rival in rivals if rival.seniority < seniority and rival.deleted is None]
        return min(older, key=lambda rival: rival.seniority).key if older else None

    def _take_in(self, new: Facts, body: Body) -> None:
        known = self.facts(new.key)
        if known is not None and new.version < known.version:
            return
        if known is not None:
            self._unclaim(known)
        # With the key that is known already, so that it is in memory once.
        key = known.key if known is not None else new.key
        self._known[key] = _Known(dataclasses.replace(new, key=key), _text(body))
        self._secrets = None
        self._claims[new.pipeline_name] = self._claims.get(new.pipeline_name, frozenset()) | {key}
        if known is None or known.wants_a_look(new):
            self._wake(key)

    def _unclaim(self, known: Facts) -> None:
        left = self._claims[known.pipeline_name] - {known.key}
        if left:
            self._claims[known.pipeline_name] = left
        else:
            del self._claims[known.pipeline_name]


# A reconcile asks for the same resource several times.
@functools.lru_cache(maxsize=16)
def _read(text: bytes) -> Body:
    body: Body = json.loads(text)
    return body


def _text(body: Body) -> bytes:
    metadata = {name: value for name, value in body["metadata"].items() if name != _UNUSED}
    annotations = metadata.get("annotations")
    if annotations and _LAST_APPLIED in annotations:
        metadata["annotations"] = {name: value for name, value in annotations.items() if name != _LAST_APPLIED}
    return json.dumps({**body, "metadata": metadata}, separators=(",", ":")).encode()
