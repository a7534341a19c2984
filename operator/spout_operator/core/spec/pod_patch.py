"""A JSON patch (RFC 6902) for a worker Pod: what is wrong with it, whatever the Pod looks like.

Pachyderm applies the patch with json-patch 4.5.0 (docs/decisions/0012-pod-patch.md), in a goroutine whose panic ends
pachd, and ends it again after each restart, for everybody. Read in that library's source and confirmed with it, no
patch that passes this check makes it panic, given a Pod without nulls, as the server makes one
(`tests/contract/pachyderm/test_pod_patch_fuzz.py`):

- A negative index reads outside of the list.
- A null is a pointer to nothing: it panics where something is added below it, or where it is compared.
- A test without a value reads through a pointer to nothing.
- A copy of what is not there makes a null, so no list or object may be compared after a copy.
"""

import json
import re
from collections.abc import Iterator, Mapping

_NEEDS: Mapping[str, tuple[str, ...]] = {
    "add": ("path", "value"),
    "remove": ("path",),
    "replace": ("path", "value"),
    "move": ("from", "path"),
    "copy": ("from", "path"),
    "test": ("path", "value"),
}
_MAY_APPEND = ("add", "move", "copy")
# RFC 6901: "~" is written ~0, "/" is written ~1.
_WRONG_ESCAPE = re.compile(r"~(?![01])")
_NEGATIVE_INDEX = re.compile(r"-[0-9]+")


def operation_name(number: int, total: int) -> str:
    """How findings call an operation: by its number, the first is 1."""
    return f"operation {number} of {total}"


def findings(patch: str) -> Iterator[str]:
    """What is wrong with a patch: a finding for each defect, none where it is as RFC 6902 wants it and does no harm.

    Args:
        patch: JSON text.
    """
    operations = json.loads(patch)
    if not isinstance(operations, list):
        yield "is no JSON patch, which is a list of operations; begin it with '[' and end it with ']'"
        return
    copied = False
    for number, operation in enumerate(operations, start=1):
        for reason in _operation(operation, after_copy=copied):
            yield f"{operation_name(number, len(operations))}: {reason}"
        copied = copied or (isinstance(operation, dict) and operation.get("op") == "copy")


def _operation(operation: object, *, after_copy: bool) -> Iterator[str]:
    if not isinstance(operation, dict):
        yield 'is no object; write it as in {"op": "add", "path": "/hostNetwork", "value": true}'
        return
    op = operation.get("op")
    if not isinstance(op, str) or op not in _NEEDS:
        found = "no op" if op is None else f"the op {op!r:.40}"
        yield f"has {found}; write one of {', '.join(_NEEDS)}"
        return
    for member in _NEEDS[op]:
        if member not in operation:
            yield f"has no {member}, which {op} needs"
        elif member == "value":
            yield from _value(op, operation["value"], after_copy=after_copy)
        else:
            yield from _pointer(member, operation[member], may_append=member == "path" and op in _MAY_APPEND)


def _value(op: str, value: object, *, after_copy: bool) -> Iterator[str]:
    if _holds_null(value):
        yield (
            "has a null in its value, on which pachd crashes; Kubernetes takes null for absent, so leave it out, "
            "or use remove"
        )
    if op == "test" and after_copy and isinstance(value, (dict, list)):
        yield (
            "tests a list or an object after a copy, on which pachd can crash; test before the first copy, "
            "or test single texts, numbers and booleans"
        )


def _pointer(member: str, pointer: object, *, may_append: bool) -> Iterator[str]:
    if not isinstance(pointer, str):
        yield f'has a {member} that is no text; write one as in "/containers/0/image"'
        return
    if not pointer.startswith("/"):
        found = f"the {member} {pointer!r:.200}" if pointer else f"an empty {member}, which would be the whole Pod"
        yield f"has {found}; begin it with '/', as in \"/containers/0/image\""
        return
    if _WRONG_ESCAPE.search(pointer):
        yield f"has the {member} {pointer!r:.200} with a '~' that is followed by neither 0 nor 1; write '~0' for a '~'"
    *parents, last = pointer.removeprefix("/").split("/")
    for segment in (*parents, last):
        if _NEGATIVE_INDEX.fullmatch(segment):
            yield (
                f"has the {member} {pointer!r:.200} with the negative index {segment}, on which pachd crashes; "
                "count from 0"
            )
    if "-" in parents or (last == "-" and not may_append):
        yield (
            f"has the {member} {pointer!r:.200}, in which '-' is the place after the end of a list; "
            f"only the path of {', '.join(_MAY_APPEND[:-1])} or {_MAY_APPEND[-1]} can end with it"
        )


def _holds_null(value: object) -> bool:
    # Without recursion: the text may be nested as deeply as Python reads it.
    left = [value]
    while left:
        found = left.pop()
        if found is None:
            return True
        if isinstance(found, dict):
            left.extend(found.values())
        elif isinstance(found, list):
            left.extend(found)
    return False
