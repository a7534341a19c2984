"""Where two specs differ, as paths in the words of the Spout's own spec.

Only paths come out, never values: an environment variable may hold a password.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeGuard

from spout_operator.core.model import PipelineSpec
from spout_operator.core.spec.quantity import Quantity

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def changes(desired: PipelineSpec, observed: PipelineSpec) -> tuple[str, ...]:
    """The fields in which the two differ, for example `("transform.env.PORT", "spout.marker")`."""
    return tuple(_walk("", desired, observed))


def _walk(path: str, one: object, other: object) -> Iterator[str]:
    if one == other:
        return
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        yield from (_join(path, key) for key in sorted(one.keys() | other.keys()) if one.get(key) != other.get(key))
    elif _is_record(one) and type(one) is type(other):
        for field in dataclasses.fields(one):
            here = _join(path, _camel_case(field.name))
            yield from _walk(here, getattr(one, field.name), getattr(other, field.name))
    else:
        yield path


def _is_record(value: object) -> "TypeGuard[DataclassInstance]":
    return dataclasses.is_dataclass(value) and not isinstance(value, (type, Quantity))


def _join(path: str, part: str) -> str:
    return f"{path}.{part}" if path else part


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
