"""The informer cache: the Spouts as the watch, and the answers to the operator's own writes, last showed them."""

import dataclasses
import functools
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import msgspec

from spout_operator.core import facts
from spout_operator.core.facts import Facts
from spout_operator.core.model import PipelineName, SpoutKey
from spout_operator.core.redaction import Secrets
from spout_operator.core.resource import SpoutResource
from spout_operator.core.spec.parsing import secrets_of_all

Part = Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class _Known:
    facts: Facts
    text: bytes
    """Annotations, spec and status as JSON: a fifth of the memory that they take as objects."""


class SpoutCache:
    """Resources by key, and which Spouts name which pipeline. Used from the event loop only."""

    def __init__(self, enqueue: Callable[[SpoutKey], None]) -> None:
        """Know nothing yet.

        Args:
            enqueue: told of every Spout that has to be reconciled, whoever brought the news.
        """
        self._enqueue = enqueue
        self._known: dict[SpoutKey, _Known] = {}
        self._claims: dict[PipelineName, frozenset[SpoutKey]] = {}
        self._secrets: Secrets | None = None

    def get(self, key: SpoutKey) -> SpoutResource | None:
        """The resource; None where it is not known."""
        known = self._known.get(key)
        if known is None:
            return None
        annotations, spec, status = _read(known.text)
        facts = known.facts
        return SpoutResource(
            key=facts.key,
            uid=facts.uid,
            resource_version=str(facts.version),
            generation=facts.generation,
            creation_timestamp=facts.created,
            deletion_timestamp=facts.deleted,
            finalizers=facts.finalizers,
            annotations=annotations,
            spec=spec,
            status=status,
        )

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

    def claims(self) -> Iterator[tuple[PipelineName, frozenset[SpoutKey]]]:
        """Every pipeline name with the Spouts that name it."""
        return iter(list(self._claims.items()))

    def secrets(self) -> Secrets:
        """Those of all Spouts: what no text may hold that is not of one Spout alone."""
        # Kept until a Spout changes: a defect that hits every Spout asks for it as often.
        found = self._secrets
        if found is None:
            # Of a copy, as it is asked for by whatever thread logs.
            texts = [known.text for known in list(self._known.values())]
            found = self._secrets = secrets_of_all(msgspec.json.decode(text)[1] for text in texts)
        return found

    def put(self, resource: SpoutResource) -> None:
        """Take in a resource, unless it is older than what is known.

        An event that was on its way while the operator wrote must not undo what the answer brought.
        """
        self._take_in(facts.read(resource), resource)

    def update(self, resource: SpoutResource) -> None:
        """As `put`, for the answer to a write: a Spout that is gone by now does not come back."""
        known = self.facts(resource.key)
        if known is not None and known.uid == resource.uid:
            self.put(resource)

    def drop(self, key: SpoutKey, *, uid: str) -> None:
        """Forget a Spout that is gone, unless another of that name has come since.

        Those that name the same pipeline are reconciled too: it may be their turn.
        """
        known = self.facts(key)
        if known is None or known.uid != uid:
            return
        rivals = self.rivals(key)
        self._unclaim(self._known.pop(key).facts)
        self._secrets = None
        for concerned in rivals | {key}:
            self._enqueue(concerned)

    def rivals(self, key: SpoutKey) -> frozenset[SpoutKey]:
        """The other Spouts that name the same pipeline."""
        return self._claims[self._known[key].facts.pipeline_name] - {key}

    def older_claim(self, key: SpoutKey, *, counts: Callable[[Facts], bool] = lambda _: True) -> SpoutKey | None:
        """The oldest other Spout that names the same pipeline, was there before this one, and is to stay.

        Args:
            key: this Spout.
            counts: whether another Spout may have that pipeline at all.
        """
        seniority = self._known[key].facts.seniority
        rivals = [self._known[rival].facts for rival in self.rivals(key)]
        older = [rival for rival in rivals if rival.seniority < seniority and rival.deleted is None and counts(rival)]
        return min(older, key=lambda rival: rival.seniority).key if older else None

    def _take_in(self, new: Facts, resource: SpoutResource) -> None:
        known = self.facts(new.key)
        if known is not None and new.version < known.version:
            return
        if known is not None:
            self._unclaim(known)
        # With the key that is known already, so that it is in memory once.
        key = known.key if known is not None else new.key
        self._known[key] = _Known(dataclasses.replace(new, key=key), _text(resource))
        self._secrets = None
        self._claims[new.pipeline_name] = self._claims.get(new.pipeline_name, frozenset()) | {key}
        if known is None or known.wants_reconcile(new):
            self._enqueue(key)

    def _unclaim(self, known: Facts) -> None:
        left = self._claims[known.pipeline_name] - {known.key}
        if left:
            self._claims[known.pipeline_name] = left
        else:
            del self._claims[known.pipeline_name]


# A reconcile asks for the same resource several times.
@functools.lru_cache(maxsize=16)
def _read(text: bytes) -> tuple[Part, Part, Part]:
    annotations, spec, status = msgspec.json.decode(text)
    return annotations, spec, status


def _text(resource: SpoutResource) -> bytes:
    return msgspec.json.encode((resource.annotations, resource.spec, resource.status))
