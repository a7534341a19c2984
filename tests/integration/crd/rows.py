"""The specification of the Spout resource: what the API server takes, and what it refuses and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.integration.crd.spouts import ABSENT, Manifest, a_spout


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A spec that is taken as it stands."""

    id: str
    reason: str
    changes: Mapping[str, object]
    name: str = "my-spout"

    @property
    def spout(self) -> Manifest:
        """The object to create."""
        return a_spout(self.changes, name=self.name)


@dataclass(frozen=True, kw_only=True)
class Refused(Accepted):
    """A spec that is refused at `field`, with a message that contains `says`."""

    field: str
    says: str


@dataclass(frozen=True, kw_only=True)
class Update:
    """A change of an existing spec; refused at `field` with `says`, or taken if these are not given."""

    id: str
    reason: str
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)
    field: str = ""
    says: str = ""
