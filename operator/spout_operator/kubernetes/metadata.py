"""Lists of names and versions, without specs and statuses.

Most of such a list is about who manages which field. This reads what is asked for and passes over the rest: to make
objects of all of it, at each resync, was what the operator spent most of its time on where its Spouts are at rest.
"""

from collections.abc import Sequence

import msgspec

#: What to accept, so that the API server answers with a page of one.
LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class Metadata(msgspec.Struct, frozen=True):
    """Which object, and its resource version."""

    namespace: str
    name: str
    version: str = msgspec.field(name="resourceVersion")


class _Item(msgspec.Struct):
    metadata: Metadata


class _Continuation(msgspec.Struct):
    next: str = msgspec.field(name="continue", default="")


class Page(msgspec.Struct):
    """A part of a list."""

    items: list[_Item] | None
    """None where the list is empty (kube-apiserver 1.36)."""
    metadata: _Continuation

    @property
    def found(self) -> Sequence[Metadata]:
        """The objects."""
        return [item.metadata for item in self.items or ()]

    @property
    def next(self) -> str:
        """What to ask for the next page with; empty where there is none."""
        return self.metadata.next


read_page = msgspec.json.Decoder(Page).decode
