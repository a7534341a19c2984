"""Reads the API server's refusal of a Spout."""

import json
import re
from typing import Any, NamedTuple

from kubernetes import client

from spout_testbed import recipes
from spout_testbed.harness.spouts import Spouts


class Refusal(NamedTuple):
    """One thing that the API server found wrong: the path of the field, and what it says about it."""

    field: str
    message: str


#: How older API servers say the same, and how the one that the test bed pins says it.
_OLDER_WORDS = (
    (re.compile(r"may not be longer than (\d+)$"), r"may not be more than \1 bytes"),
    (re.compile(r"map\[string\]interface \{\}"), ""),
)


def refusals(spouts: Spouts, error: client.ApiException) -> list[Refusal]:
    """What the API server found wrong with an object it refused, in the words of the pinned Kubernetes."""
    causes = json.loads(error.body or "{}")["details"]["causes"]
    # Where a field is missing or has a wrong type, the CEL rules are not run: a cause without a field says so.
    found = [Refusal(cause["field"], cause["message"]) for cause in causes if cause["field"] != "<nil>"]
    version: Any = client.VersionApi(spouts.api_client).get_code()
    if recipes.pinned_version(recipes.KUBERNETES).startswith(f"v{version.major}.{version.minor}."):
        return found
    return [_in_newer_words(refusal) for refusal in found]


def _in_newer_words(refusal: Refusal) -> Refusal:
    field, message = refusal
    for older, newer in _OLDER_WORDS:
        message = older.sub(newer, message)
    # Of an object that is replaced through its status subresource, older servers name the fields below the status.
    return Refusal(field if field.startswith(("spec", "status", "metadata")) else f"status.{field}", message)
