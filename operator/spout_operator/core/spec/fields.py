"""Reads the fields of a resource by their path and notes what is not as it should be."""

import datetime
import enum
import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from spout_operator.core.spec import duration
from spout_operator.core.spec.quantity import Quantity

T = TypeVar("T")
D = TypeVar("D")
E = TypeVar("E", bound=enum.StrEnum)

#: Outside of the class, in which `duration` is a method.
NO_LEAST = duration.ZERO
_HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")
# Go, encoding/json, HTMLEscape. In JSON text these characters are inside of strings only.
_AS_GO_WRITES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
#: Up to here every integer is a 64-bit float too.
_EXACT_INTEGERS = 2**53


class Reader:
    """Collects `problems` while fields are read; a field that is wrong reads as if it were absent.

    A path's last part is the key that is looked up, the whole path is for the finding. A finding
    never quotes the value of an environment variable: it may be a password.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []

    def text(self, found: Mapping[str, Any], path: str) -> str:
        """A string; empty where absent."""
        return self._read(found, path, str, "")

    def flag(self, found: Mapping[str, Any], path: str) -> bool:
        """A boolean; False where absent."""
        return self._read(found, path, bool, default=False)

    def number(self, found: Mapping[str, Any], path: str) -> int:
        """An integer; 0 where absent."""
        return self._read(found, path, int, 0)

    def section(self, found: Mapping[str, Any], path: str) -> Mapping[str, Any]:
        """An object; empty where absent."""
        return self._read(found, path, dict, {})

    def sections(self, found: Mapping[str, Any], path: str) -> list[Mapping[str, Any]]:
        """A list of objects; empty where absent."""
        return self._items(found, path, dict)

    def texts(self, found: Mapping[str, Any], path: str) -> tuple[str, ...]:
        """A list of strings; empty where absent."""
        return tuple(self._items(found, path, str))

    def mapping(self, found: Mapping[str, Any], path: str) -> Mapping[str, str]:
        """A map of strings to strings; empty where absent."""
        section = self.section(found, path)
        wrong = sorted(key for key, value in section.items() if not isinstance(value, str))
        if wrong:
            self.problems.append(f"{path}: the values of {', '.join(wrong)} are no strings; put them in quotes")
            return {}
        return section

    def choice(self, found: Mapping[str, Any], path: str, kind: type[E], default: E) -> E:
        """One of the values of an enumeration."""
        value = self.text(found, path) or default
        try:
            return kind(value)
        except ValueError:
            self.problems.append(f"{path}: found {value!r}, expected one of {', '.join(kind)}")
            return default

    def quantity(self, found: Mapping[str, Any], path: str, parse: Callable[[str], Quantity]) -> Quantity | None:
        """A quantity, written as a string or a number; None where absent or 0."""
        value = found.get(_key(path))
        if value is None:
            return None
        try:
            quantity = parse(str(value))
        except ValueError as error:
            self.problems.append(f"{path}: {error}")
            return None
        # Pachyderm's messages do not tell 0 from absent.
        return quantity if quantity.value else None

    def duration(
        self, found: Mapping[str, Any], path: str, *, least: datetime.timedelta = NO_LEAST
    ) -> datetime.timedelta | None:
        """A duration of at least `least`; None where absent."""
        written = self._read(found, path, str, None)
        if written is None:
            return None
        try:
            value = duration.parse(written)
        except ValueError as error:
            self.problems.append(f"{path}: {error}")
            return None
        if value < least:
            self.problems.append(f"{path}: found {written!r}, expected at least {duration.text(least)}")
            return None
        return value

    def json_text(self, found: Mapping[str, Any], path: str) -> str:
        """JSON text, in its canonical form; empty where absent."""
        try:
            return canonical_json(self.text(found, path))
        except ValueError as error:
            self.problems.append(f"{path}: is no JSON ({error}); write a JSON patch, for example '[]'")
            return ""

    def _items(self, found: Mapping[str, Any], path: str, kind: type[T]) -> list[T]:
        items = self._read(found, path, list, [])
        if all(isinstance(item, kind) for item in items):
            return items
        self.problems.append(f"{path}: expected every item to be of type {kind.__name__}")
        return []

    def _read(self, found: Mapping[str, Any], path: str, kind: type[T], default: D) -> T | D:
        value = found.get(_key(path))
        if value is None:
            return default
        if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
            return value
        self.problems.append(f"{path}: found a {type(value).__name__}, expected a {kind.__name__}")
        return default


def canonical_json(text: str) -> str:
    """JSON text in one form, so that two layouts of one patch are no difference.

    The form is the one in which Go writes JSON: Pachyderm's `test` operation compares texts byte by byte with its own.

    Raises:
        ValueError: `text` is not JSON.
    """
    if not text.strip():
        return ""
    try:
        found = json.loads(text, parse_constant=_refuse, parse_float=_number)
        written = json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if _HALF_A_CHARACTER.search(written):
        # Go reads any of them as the same one, so two different keys would become one.
        raise ValueError("it holds one half of a surrogate pair without the other")
    return written.translate(_AS_GO_WRITES)


def _refuse(constant: str) -> None:
    # Python's json takes NaN and Infinity, Pachyderm's does not.
    raise ValueError(f"{constant} is no JSON value")


def _number(text: str) -> float | int:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text:.40} is out of range")
    return int(number) if number.is_integer() and abs(number) < _EXACT_INTEGERS else number


def _key(path: str) -> str:
    return path.rpartition(".")[2]
