"""Text to the documents in it: JSON (one object, several in a row, or a list) or YAML (one document or several).

As pachctl reads and writes them: its own output is several objects in a row.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from spout_operator.importing import yaml_1_2
from spout_operator.importing.errors import UnreadableError

#: Bytes of one file. A list of 1,000 pipelines has about 3 MB.
MOST_BYTES = 16 * 1024 * 1024

_BLANK = re.compile(r"[ \t\r\n]*")


def documents(content: bytes) -> list[Any]:
    """The documents of a file, in their order; a list is the documents in it, and empty ones are left out.

    Raises:
        UnreadableError: one of them cannot be read.
    """
    found = _parsed(_decoded(content))
    _see_that_it_is_bounded(found)
    flat = [item for document in found for item in (document if isinstance(document, list) else [document])]
    return [item for item in flat if item is not None]


def _decoded(content: bytes) -> str:
    if len(content) > MOST_BYTES:
        raise UnreadableError(f"is larger than {MOST_BYTES // 1024 // 1024} MiB; split it into several files")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"is no text in UTF-8 (byte {error.start + 1}); expected JSON or YAML") from None
    if "\0" in text:
        raise UnreadableError("is a binary file; expected JSON or YAML")
    return text


def _parsed(text: str) -> list[Any]:
    if text[_BLANK.match(text).end() :][:1] not in {"{", "["}:  # type: ignore[union-attr] # it matches everywhere
        return yaml_1_2.load_all(text)
    try:
        return list(_json(text))
    except UnreadableError as no_json:
        # `{a: 1}` is YAML. Where it is neither, it was meant as JSON.
        try:
            return yaml_1_2.load_all(text)
        except UnreadableError:
            raise no_json from None


def _json(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder(object_pairs_hook=_without_duplicates)
    end = 0
    while (start := _BLANK.match(text, end).end()) < len(text):  # type: ignore[union-attr] # it matches everywhere
        try:
            value, end = decoder.raw_decode(text, start)
        except json.JSONDecodeError as error:
            where = f"line {error.lineno}, column {error.colno}"
            raise UnreadableError(f"is no JSON: {where}: {error.msg}; mend it there") from None
        except ValueError:
            # Of a number with thousands of digits.
            raise UnreadableError("holds a number that no field of a pipeline spec can have") from None
        except RecursionError:
            raise UnreadableError("is nested too deeply for a pipeline spec") from None
        yield value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in found if keys.count(key) > 1)
        raise UnreadableError(f"has the key {twice!r:.60} twice in one object; remove one of them")
    return found


def _see_that_it_is_bounded(found: object) -> None:
    """Count the values, where the aliases of YAML are followed: a few lines of them can mean billions."""
    left, seen = [found], 0
    while left:
        seen += 1
        if seen > yaml_1_2.MOST_VALUES:
            raise UnreadableError(yaml_1_2.TOO_MANY_VALUES)
        value = left.pop()
        if isinstance(value, dict):
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)
