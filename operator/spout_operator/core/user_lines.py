"""The last lines that the user code wrote, as a condition shows them where the installation asks for it. Pure.

They may hold secrets that nobody here knows, so they stand in conditions alone: neither in Events nor in logs.
"""

import re
from collections.abc import Sequence

from spout_operator.core.redaction import Secrets

#: Characters of a message with lines in it. Of more lines than have room, the newest are shown.
LONGEST_MESSAGE = 1000

_HEADING = "; the last lines of the user code: "
_SEPARATOR = " | "
#: What a terminal takes for a colour, a place or a title (ECMA-48).
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")


def add_to(message: str, lines: Sequence[str], secrets: Secrets) -> str:
    """A message that ends with lines of the user code; the message itself where there are none.

    Args:
        message: what is known without them.
        lines: the oldest first, as the code wrote them.
        secrets: what is taken out of both. It is looked for in all lines together: a value can have several.
    """
    if not lines:
        return message
    clean = "\n".join(_printable(line) for line in lines)
    shown = [" ".join(line.split()) for line in secrets.redact(clean).split("\n")]
    facts = secrets.shown(message)
    room = LONGEST_MESSAGE - len(facts) - len(_HEADING)
    kept: list[str] = []
    for line in filter(None, reversed(shown)):
        room -= len(line) + (len(_SEPARATOR) if kept else 0)
        if room < 0:
            break
        kept.insert(0, line)
    return facts + _HEADING + _SEPARATOR.join(kept) if kept else message


def without(message: str) -> str:
    """The same message without the lines of the user code."""
    return message.partition(_HEADING)[0]


def _printable(line: str) -> str:
    """A line without what moves a cursor, hides text or turns its direction round."""
    return "".join(letter if letter.isprintable() else " " for letter in _ESCAPE.sub("", line))
