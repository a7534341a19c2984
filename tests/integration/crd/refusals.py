"""Reads the API server's refusal of a Spout."""

import json
from typing import NamedTuple

from kubernetes import client

from tests.integration.crd.older_servers import in_pinned_words


class Refusal(NamedTuple):
    """One thing that the API server found wrong: the path of the field, and what it says about it."""

    field: str
    message: str


def refusals(error: client.ApiException) -> list[Refusal]:
    """What the API server found wrong with an object it refused."""
    causes = json.loads(error.body or "{}")["details"]["causes"]
    # Where a field is missing or has a wrong type, the CEL rules are not run: a cause without a field says so.
    return [
        Refusal(*in_pinned_words(cause["field"], cause["message"])) for cause in causes if cause["field"] != "<nil>"
    ]
