"""Whether a podPatch applies to a worker Pod, one operation after the other."""

import json
from collections.abc import Mapping
from typing import Any

import jsonpatch

from spout_operator.core.spec.pod_patch import operation_name

# Any JSON; a patch can make anything of it.
Json = Any

#: Bytes of JSON that the copies of one patch may add. A few dozen copies, each of twice as much as the one before, fill
#: any memory, and pachd bounds them by nothing; etcd takes no Pod of this size.
MOST_COPIED = 1024 * 1024


class Inapplicable(Exception):  # noqa: N818 - what is true of the patch
    """The patch does not apply; the message has the operation's number and the reason, and no value of the Pod's."""


def apply(patch: str, pod: Json) -> Json:
    """The Pod as the patch makes it.

    Args:
        patch: JSON text in which `core.spec.pod_patch.findings` finds nothing.
        pod: the PodSpec as JSON; it is changed.

    Raises:
        Inapplicable: an operation does not apply, or the copies are too large.
    """
    operations = json.loads(patch)
    copied = 0
    for number, operation in enumerate(operations, start=1):
        try:
            if operation["op"] == "copy":
                copied += len(json.dumps(jsonpatch.JsonPointer(operation["from"]).resolve(pod)))
            reason = f"the copies add more than {MOST_COPIED} bytes to the Pod" if copied > MOST_COPIED else ""
            pod = pod if reason else jsonpatch.apply_patch(pod, [operation], in_place=True)
        except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException):
            # Their own messages quote the Pod, and so the values of its variables.
            reason = _reason(operation, pod)
        except RecursionError:
            reason = "the Pod would be nested too deeply"
        if reason:
            what = f"{operation['op']} {operation['path']:.200}"
            raise Inapplicable(f"{operation_name(number, len(operations))} ({what}) does not apply: {reason}")
    return pod


def _reason(operation: Mapping[str, Any], pod: Json) -> str:
    if operation["op"] in ("move", "copy") and (obstacle := _obstacle(operation["from"], pod)):
        return obstacle
    if obstacle := _obstacle(operation["path"], pod, creates=operation["op"] in ("add", "copy", "move")):
        return obstacle
    if operation["op"] == "test":
        return f"the worker Pod has something else at {operation['path']:.200}"
    return f"what it takes from {operation.get('from', ''):.200} cannot be put there"


def _obstacle(pointer: str, pod: Json, *, creates: bool = False) -> str:
    """Why there is nothing at a place in the Pod, or, with `creates`, why nothing can be put there; else empty."""
    parts = jsonpatch.JsonPointer(pointer).parts
    found, walked = pod, ""
    for position, part in enumerate(parts, start=1):
        if not isinstance(found, (dict, list)):
            return f"the worker Pod has no object and no list at {walked:.200}"
        here = f"{walked}/{part}"
        is_new = creates and position == len(parts)
        if isinstance(found, dict):
            if is_new:
                return ""
            if part not in found:
                return f"the worker Pod has no {here:.200}"
            found = found[part]
        else:
            places = [str(index) for index in range(len(found) + is_new)]
            if is_new and part == "-":
                return ""
            if part not in places:
                return f"the worker Pod has no place {here:.200}: the list has {len(found)} entries, counted from 0"
            found = found[int(part)] if not is_new else None
        walked = here
    return ""
