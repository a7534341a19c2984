"""Keeps secrets out of what is shown: conditions, logs and errors."""

from collections.abc import Iterable

#: Shorter values (a port, a flag) are everywhere in ordinary text and no secret.
SHORTEST_SECRET = 6


def redact(text: str, values: Iterable[str]) -> str:
    """`text` with every one of `values` struck out; longer values first, since one may hold another."""
    for value in sorted({v for v in values if len(v) >= SHORTEST_SECRET}, key=len, reverse=True):
        text = text.replace(value, "[redacted]")
    return text
