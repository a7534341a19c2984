"""What the API server says of a Spout that it refuses."""

import json
from typing import NamedTuple

from kubernetes import client


class Refusal(NamedTuple):
    """One thing that the API server found wrong: the path of the field, and what it says about it."""

    field: str
    message: str


def refusals(error: client.ApiException) -> list[Refusal]:
    """What the API server found wrong with an object it refused."""
    causes = json.loads(error.body or "{}")["details"]["causes"]
    # A missing field or a wrong type keeps the CEL rules from being run, which is told in a remark without a field.
    return [Refusal(cause["field"], cause["message"]) for cause in causes if cause["field"] != "<nil>"]
