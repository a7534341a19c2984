"""What a source yields: a pipeline that is to become a Spout."""

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from spout_operator.core.model import PipelineName

#: Of a name that a document gives to a field.
_MOST_CHARACTERS = 60
_SECRET_NAME = re.compile(r"(PASSWORD|PASSWD|SECRET|TOKEN|(ACCESS|API|PRIVATE)_?KEY)$", re.IGNORECASE)
_PLAIN = re.compile(rf"[\w./$-]{{1,{_MOST_CHARACTERS}}}", re.ASCII)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """A remark for whoever reviews the manifest: a comment in it, in one line, without any value of the spec.

    `at` is the path below `spec` of the object that the field belongs to, in the spelling of a Spout. It may not be in
    the manifest. `field` is as the document spells it; empty where the remark is about the whole object.
    """

    at: tuple[str, ...] = ()
    field: str = ""
    reason: str

    @classmethod
    def of_owner(cls, owner: str) -> "Note":
        """That the pipeline belongs to a Spout already."""
        return cls(
            reason=f"the pipeline already belongs to the Spout {printable(owner)}, and no other Spout can take it over"
        )

    def text(self, inside: tuple[str, ...]) -> str:
        """The comment where it stands in the object at this path, which is `at` or is around it."""
        path = ".".join(printable(part) for part in (*self.at[len(inside) :], self.field) if part)
        return f"{path}: {self.reason}" if path else self.reason


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A pipeline, and the spec of the Spout that would make it: not checked yet, and without the name."""

    name: PipelineName
    spec: Mapping[str, Any]
    suspend: bool = False
    notes: tuple[Note, ...] = ()


def printable(name: str) -> str:
    """A name out of a document, in one line that a comment and a message can hold."""
    return name if _PLAIN.fullmatch(name) else json.dumps(name[:_MOST_CHARACTERS])


def visible_secrets(env: Mapping[str, Any]) -> Iterator[Note]:
    """A remark about each variable that seems to hold a secret, as the value stays in the manifest."""
    for name, value in env.items():
        if value and _SECRET_NAME.search(name):
            yield Note(
                at=("transform", "env"),
                field=name,
                reason="by its name this is a secret, which everybody reads who reads this file; put it into a Secret, "
                "and name that in transform.secrets",
            )
