"""The messages of pachyderm-sdk that are used, and the numbers of their fields.

Answers are read off the wire format (see `spout_operator.pachyderm.wire`): the SDK's betterproto parses in pure Python
too, and the pipelines are asked for at each poll. Its clients are not used, as their calls take no deadline.
"""

from typing import Any

import betterproto
from betterproto.lib.google.protobuf import Empty
from pachyderm_sdk.api import metadata, pfs, pps, version

__all__ = ["Empty", "metadata", "number", "pfs", "pps", "version"]


def number(message: Any, field: str) -> int:  # noqa: ANN401 - betterproto's message types
    """The number of a field of a message type."""
    found: int = betterproto.FieldMetadata.get(message.__dataclass_fields__[field]).number
    return found
