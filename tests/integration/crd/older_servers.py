"""How an API server that is older than the pinned one says why it refuses an object."""

import os
import re

from spout_testbed import assets

#: Its words, and those of the pinned one.
_WORDS = (
    (re.compile(r"may not be longer than (\d+)$"), r"may not be more than \1 bytes"),
    (re.compile(r"map\[string\]interface \{\}"), ""),
)


def in_pinned_words(field: str, message: str) -> tuple[str, str]:
    """What a refusal names and says, in the words of the pinned Kubernetes; unchanged where that one runs."""
    # Its programs were checked when the test bed started; each check runs them.
    if not os.environ.get(assets.VARIABLE):
        return field, message
    for older, pinned in _WORDS:
        message = older.sub(pinned, message)
    # Of an object that is replaced through its status subresource, older servers name the fields below the status.
    return field if field.startswith(("spec", "status", "metadata")) else f"status.{field}", message
