"""YAML as pachctl reads it, which is YAML 1.2: `yes`, `N`, `1:30` and `2026-01-31` are texts there."""

import re
from typing import Any

import yaml
from yaml.nodes import MappingNode, ScalarNode

from spout_operator.importing.errors import UnreadableError

#: Values of one file: a byte of it can cost a hundred in memory.
MOST_VALUES = 1_000_000
#: Lists and objects inside of each other. libyaml's C code crashes at some ten thousands.
MOST_LEVELS = 100

TOO_MANY_VALUES = f"holds more than {MOST_VALUES:,} values; split it into several files"

_STRING = "tag:yaml.org,2002:str"
_FORMS = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    # Not `010`, which is 8 for one reader and 10 for another.
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:(?:0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+|(?:0|[1-9][0-9]*)(?=[eE]))(?:[eE][-+]?[0-9]+)?",
        "-+.0123456789",
    ),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
)
# The C loader is 10 times as quick.
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc] # the base is chosen at run time
    """The safe loader with the words of YAML 1.2, which refuses what a JSON object cannot be."""

    # PyYAML's own name: those of the base would be added to.
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - `add_implicit_resolver` looks here

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            at = f"line {key.start_mark.line + 1}"
            if not isinstance(key, ScalarNode) or key.tag != _STRING:
                raise UnreadableError(f"has a key in {at} that is no text; put it in quotes")
            if key.value == "<<":
                raise UnreadableError(
                    f"merges another object in {at}, which pachctl does not read; write its fields out"
                )
            if key.value in seen:
                raise UnreadableError(f"has the key {key.value!r:.60} twice in one object, again in {at}; remove one")
            seen.add(key.value)
        found: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return found


for _tag, _form, _first in _FORMS:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_form})\Z"), list(_first))


def load_all(text: str) -> list[Any]:
    """All documents of a text.

    Raises:
        UnreadableError: it is no YAML, or holds what no JSON could say; the message quotes no value.
    """
    try:
        _see_that_it_is_bounded(text)
        return list(yaml.load_all(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise UnreadableError(f"is no YAML: {where}{error.problem or error.context}; mend it there") from None
    except yaml.YAMLError as error:
        # Of the reader: a character that YAML does not have.
        raise UnreadableError(f"is no YAML: {str(error).splitlines()[0]}") from None
    except ValueError as error:
        # Of a scalar with a tag that its text does not fit, as in `!!int x`.
        raise UnreadableError(f"is no YAML: a value is not what its tag says ({type(error).__name__})") from None


def _see_that_it_is_bounded(text: str) -> None:
    levels = 0
    for number, event in enumerate(yaml.parse(text, Loader=_Base)):
        if number > 2 * MOST_VALUES:  # the key of a value is an event too, and so is an end
            raise UnreadableError(TOO_MANY_VALUES)
        levels += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if levels > MOST_LEVELS:
            raise UnreadableError("is nested too deeply for a pipeline spec")
